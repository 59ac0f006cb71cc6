"""How Level sends its webhooks: signed, up to three attempts with one event id, and again from the log."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from simulators.common import courier
from simulators.common.courier import Parcel
from simulators.levelio.models import HttpStep, Webhook

if TYPE_CHECKING:
    from simulators.levelio.lab import Lab


def signature(secret: str, body: bytes) -> str:
    """Value of `X-Level-Signature`: an HMAC-SHA256 over the body as it is sent."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def parcel_for(to: Webhook | HttpStep, event_id: str, body: bytes) -> Parcel:
    """A webhook, signed if it has a secret, or the request of an automation."""
    if isinstance(to, HttpStep):
        return Parcel(to, event_id, to.url, body, dict(to.headers))
    headers = {"X-Level-Signature": signature(to.secret, body)} if to.secret else {}
    return Parcel(to, event_id, to.url, body, headers)


class Courier(courier.Courier):
    """The webhooks that are not sent yet."""

    user_agent = "Level-Webhooks/1.0"

    def __init__(self, lab: Lab) -> None:
        """Nothing to carry."""
        super().__init__(lab)
        self._lab = lab

    def send(self, to: Webhook | HttpStep, event_id: str, body: bytes) -> None:
        """Take a webhook on."""
        self.take(parcel_for(to, event_id, body))

    def describe(self, parcel: Parcel) -> dict[str, Any]:
        """Which event it is, and whose."""
        kind = "automation" if isinstance(parcel.to, HttpStep) else "webhook"
        return {"event_id": parcel.event, "kind": kind, "number": parcel.to.number}

    def judge(self, parcel: Parcel, status: int | None, answer: str) -> None:
        """Try a webhook again later; the request of an automation is made once."""
        settings = self._lab.settings
        last = 1 if isinstance(parcel.to, HttpStep) else settings.webhook_attempts
        if parcel.arrived(status) or parcel.attempts + 1 >= last:
            return
        wait = settings.webhook_retry_seconds * self._lab.picker.uniform(1, 1.5)
        self.again(parcel, self._lab.clock.timestamp() + wait)
