"""Which alerts are the same condition."""

from __future__ import annotations

from .types import AlertEvent

KEY_LENGTH = 255


def dedup_key(event: AlertEvent) -> str:
    """The key under which alerts share one ticket: ``device|condition``, at most 255 characters.

    Without a device the key carries the organization; without both, the alert's own id, so that
    strangers never share a ticket.
    """
    if event.external_device_id:
        subject = event.external_device_id
    elif event.external_organization_id:
        subject = f"org:{event.external_organization_id}"
    else:
        subject = f"alert:{event.external_id}"
    condition = event.condition or event.alert_class or event.activity_type or event.source_type or "unknown"
    return f"{subject}|{condition}"[:KEY_LENGTH]
