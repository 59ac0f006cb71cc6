"""Whether a webhook should have brought an alert before polling did."""

from __future__ import annotations

from datetime import timedelta

from rmm_extension.domain.types import AlertEvent, Channel
from rmm_extension.models import utc_now

from .facts import Facts

ON_ITS_WAY = timedelta(minutes=2)
"""A webhook may come so long after its alert began: before that, polling was only quicker."""


def webhook_lost(facts: Facts, event: AlertEvent, channel: Channel) -> str | None:
    """Why the webhook of an alert that polling saw first counts as lost; ``None`` when it does not."""
    if channel is not Channel.POLL or not facts.webhook_enabled:
        return None
    if event.delivery_failed:
        return "refused"
    since = facts.row["webhook_since"]
    expected = since is not None and since <= event.occurred_at <= utc_now() - ON_ITS_WAY
    return "missing" if expected else None
