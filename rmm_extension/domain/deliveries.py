"""Why a delivery is stored, in words."""

from __future__ import annotations

QUARANTINED = {
    "not_json": "The body is not JSON.",
    "wrong_shape": "The body is JSON of another shape than expected.",
    "agent_id_missing": "The body names no agent.",
    "device_id_missing": "The body names no device.",
    "id_missing": "The body does not say what it tells of.",
    "alert_id_missing": "The body tells of an alert and does not say of which.",
    "message_id_missing": "The body has no id that tells it from others.",
    "event_id_missing": "The body has no id that tells it from others.",
}
FAILED = {
    "SimultaneousDelivery": "Other deliveries kept changing the same alert.",
    "HostUnavailable": "The ticket system did not answer.",
    "DeadlockDetected": "The database was busy with the same rows.",
}
NOT_USED = "event_not_used"
"""The reason of a delivery that was read and holds nothing to take."""
TAKEN_LATER = "processed by a later try"
_PROCESSED = {
    TAKEN_LATER: "A later try has processed it.",
    NOT_USED: "It was read, and holds nothing that is used here.",
}


def reason_in_words(state: str, reason: str) -> str:
    """A stored reason as a sentence; one that is a sentence already stays as it is."""
    known = {"quarantined": QUARANTINED, "failed": FAILED, "processed": _PROCESSED}.get(state, {})
    if reason in known:
        return known[reason]
    if " " in reason:
        return reason
    if state == "failed":
        return f"Something unexpected went wrong here ({reason}); the log has the details."
    return f"{reason.replace('_', ' ').capitalize()}."
