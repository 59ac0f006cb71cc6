"""Alerts whose ids are longer than any vendor's: PostgreSQL's indexes take no such text."""

from __future__ import annotations

import hashlib

from msgspec import structs

from rmm_extension.domain.types import AlertChanges, UnreadAlert

LONGEST = 500
"""Characters of an id that is kept as it is."""
_REASON = f"Its id has more than {LONGEST} characters."


def with_short_ids(changes: AlertChanges) -> AlertChanges:
    """The same changes, where each alert with such an id is one that cannot be read, under a name of ours.

    It has to be set aside, and under its own id it could not even be that: it would stop all others.
    """
    ids = [*(one.external_id for one in changes.events), *(one.external_id for one in changes.unread)]
    odd = [external_id for external_id in ids if len(external_id) > LONGEST]
    if not odd:
        return changes
    named = (UnreadAlert(external_id=_name(one), reason=_REASON, synthesized=True) for one in odd)
    return structs.replace(
        changes,
        events=tuple(one for one in changes.events if len(one.external_id) <= LONGEST),
        unread=(*(one for one in changes.unread if len(one.external_id) <= LONGEST), *named),
    )


def _name(external_id: str) -> str:
    return f"id:{hashlib.sha256(external_id.encode()).hexdigest()[:16]}"
