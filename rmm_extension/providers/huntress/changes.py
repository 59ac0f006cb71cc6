"""What changed at Huntress since a moment.

Huntress has no list of what is open and no filter by time, so its lists are read from the newest change down
to the first row that is older. A row that cannot be read stands for itself and stops no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from rmm_extension.domain.errors import PermissionMissing
from rmm_extension.domain.types import AlertChanges, AlertEvent, UnreadAlert
from rmm_extension.domain.values import identifier
from rmm_extension.providers.huntress.client import HuntressClient, Page
from rmm_extension.providers.huntress.events import (
    ESCALATION,
    Unreadable,
    changed_at,
    of_escalation,
    of_incident,
)
from rmm_extension.providers.huntress.report import Known

INCIDENTS, ESCALATIONS = "/v1/incident_reports", "/v1/escalations"
MOST_PAGES = 20
"""Pages of one list that are read at once: ten thousand changes."""
_NEWEST_FIRST = {"sort_field": "updated_at", "sort_direction": "desc"}
Read = Callable[[Mapping[str, Any], datetime, Known], AlertEvent | None]


def since(client: HuntressClient, moment: datetime, subdomain: str) -> AlertChanges:
    """All that changed at or after the moment, the oldest change first.

    A key that may not read escalations gives the incidents alone; the table of permissions says so.
    """
    gathering = _Gathering(moment, Known(subdomain=subdomain))
    gathering.read(client, INCIDENTS, "incident_reports", of_incident, "")
    try:
        gathering.read(client, ESCALATIONS, "escalations", of_escalation, ESCALATION)
    except PermissionMissing:
        pass
    return gathering.changes()


class _Gathering:
    """Each alert once, as its newest row says."""

    def __init__(self, moment: datetime, known: Known) -> None:
        self._since, self._known = moment, known
        self._events: dict[str, AlertEvent] = {}
        self._unread: dict[str, UnreadAlert] = {}
        self._is_whole = True

    def read(self, client: HuntressClient, path: str, name: str, reading: Read, prefix: str) -> None:
        """Read one list as far down as it is wanted."""
        for number, page in enumerate(client.pages(path, name, params=_NEWEST_FIRST), 1):
            if self._take(page, reading, prefix) or page.is_last:
                return
            if number >= MOST_PAGES:
                self._is_whole = False
                return

    def changes(self) -> AlertChanges:
        """What was found. An alert that could be read in one of its rows is read."""
        events = sorted(self._events.values(), key=lambda one: one.occurred_at)
        unread = [one for key, one in self._unread.items() if key not in self._events]
        return AlertChanges(events=tuple(events), unread=tuple(unread), is_whole=self._is_whole)

    def _take(self, page: Page, reading: Read, prefix: str) -> bool:
        """Take the rows of a page; whether one of them was too old, which ends the list."""
        for raw in page.rows:
            try:
                row = msgspec.json.decode(raw, type=dict[str, Any])
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self._note(_nameless(raw, prefix))
                continue
            at = changed_at(row)
            if at is not None and at < self._since:
                return True
            self._keep(row, raw, page, reading, prefix)
        return False

    def _keep(self, row: dict[str, Any], raw: msgspec.Raw, page: Page, reading: Read, prefix: str) -> None:
        number = identifier(row.get("id"))
        if number is None:
            self._note(_nameless(raw, prefix))
            return
        try:
            if changed_at(row) is None:
                raise Unreadable("updated_at")
            event = reading(row, page.reply.moment, self._known)
        except Unreadable as error:
            reason = f"Huntress lists it with a value of {error.field} that cannot be read."
            self._note(UnreadAlert(external_id=prefix + number, reason=reason))
            return
        if event is None:
            return
        earlier = self._events.get(event.external_id)
        if earlier is None or earlier.occurred_at < event.occurred_at:
            self._events[event.external_id] = event

    def _note(self, unread: UnreadAlert) -> None:
        self._unread.setdefault(unread.external_id, unread)


def _nameless(raw: msgspec.Raw, prefix: str) -> UnreadAlert:
    """A row without an id, under a name that is the same whenever the same row is read."""
    return UnreadAlert(
        external_id=f"{prefix}row:{hashlib.sha256(bytes(raw)).hexdigest()[:16]}",
        reason="Huntress lists it without an id.",
        synthesized=True,
    )
