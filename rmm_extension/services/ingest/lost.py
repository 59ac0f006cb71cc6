"""Whether a webhook should have brought an alert, or its end, before polling did."""

from __future__ import annotations

from datetime import timedelta

from rmm_extension.domain.types import AlertEvent, AlertKind, Channel
from rmm_extension.models import utc_now

from .facts import Facts
from .write import Record

ON_ITS_WAY = timedelta(minutes=2)
"""A webhook may come so long after its alert began: before that, polling was only quicker."""


def webhook_lost(facts: Facts, event: AlertEvent, channel: Channel) -> str | None:
    """Why the webhook of what polling saw first counts as lost; ``None`` when it does not.

    Only the vendor's own record says that an end had a webhook: one that a person makes there sends none.
    """
    if channel is not Channel.POLL or not facts.webhook_enabled:
        return None
    if event.kind is AlertKind.RESET:
        return "end_refused" if event.delivery_failed else None
    if event.delivery_failed:
        return "refused"
    since = facts.row["webhook_since"]
    expected = since is not None and since <= event.occurred_at <= utc_now() - ON_ITS_WAY
    return "missing" if expected else None


def note(record: Record, facts: Facts, event: AlertEvent, channel: Channel) -> None:
    """Mark the alert and say it in its story, if a webhook was lost."""
    reason = webhook_lost(facts, event, channel)
    if reason is not None:
        record.values["webhook_lost"] = True
        record.steps.append({"code": "webhook_lost", "provider": facts.provider, "reason": reason})
