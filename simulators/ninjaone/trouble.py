"""What becomes of a webhook whose receiver does not answer well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.ninjaone.models import Subscription

if TYPE_CHECKING:
    from simulators.ninjaone.lab import Lab


def webhook_trouble(lab: Lab, one: Subscription, answer: str) -> None:
    """Note a delivery that failed, and switch the webhook off when too many did."""
    one.failures += 1
    note(lab, "Webhook failed", f"Webhook failed: {answer}"[:200])
    if one.failures >= lab.settings.webhook_failures_allowed:
        one.enabled = False
        note(lab, "Webhook disabled", "Webhook disabled after repeated failures", code="PSA_DISABLED")


def note(lab: Lab, status: str, message: str, code: str | None = None) -> None:
    """An activity about the webhook itself, which no webhook tells."""
    row: dict[str, Any] = {"activityTime": lab.now(), "activityType": "PSA", "type": "Psa", "status": status}
    row |= {"message": message, "data": {}, **({"statusCode": code} if code else {})}
    lab.journal.write(row, None)
