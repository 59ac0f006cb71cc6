"""NinjaOne's activity log, read from where the last look ended.

The log comes newest first. ``lastActivityId`` is the newest of the whole account and no cursor; a page goes
on with what is ``olderThan`` its smallest id. What is handed over is oldest first, page by page, so the log
is read back to the last look before anything of it is taken. That has an end: what lies further back is left
to the list of alerts and the next sync of devices.

No source says that activities come into view in the order of their ids. So a look begins a little before the
end of the last one; what is known already changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import dropwhile
from typing import Any

from rmm_extension.domain.signals import ActivityPage, Told
from rmm_extension.providers.ninjaone import log
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.events import Nameless, of_activity
from rmm_extension.providers.values import epoch

PAGE = 1000
"""The largest page that NinjaOne gives, by its OpenAPI; the smallest has 10 activities."""
MOST_PAGES = 100
"""So many pages one look reads at most."""
LOOK_BACK = timedelta(hours=24)
"""Nothing is read that is older."""
TOO_MUCH = (
    "More happened since the last look than is read at once, or it was too long ago. What is older is left to"
    " the alert sync and the next device sync."
)
ANEW = (
    "The activity log ends before the last look at it: it is another account's now, and is read from here on."
)
SETTLED = timedelta(minutes=1)
"""What is younger is looked at again: one with a smaller id may still come."""
_SMALLEST = 10


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of the log: what of it concerns us, oldest first, and its smallest id.

    ``settled`` is the largest id behind which nothing is looked for again; 0 where all is too young.
    """

    events: tuple[Told, ...]
    errors: tuple[str, ...]
    smallest: int
    settled: int
    is_old: bool


@dataclass(slots=True)
class _Look:
    """Reading on from ``after``; ``newest`` is the account's last id as the newest answer said it."""

    client: NinjaOneClient
    after: int
    newest: int | None = None
    oldest_read: datetime = field(default_factory=lambda: datetime.now(UTC) - LOOK_BACK)

    def pages(self) -> Iterator[ActivityPage]:
        """What happened since, oldest first."""
        found, errors = self._back()
        if not found and self.newest is not None and self.newest < self.after:
            yield ActivityPage(events=(), position=str(self.newest), errors=(ANEW,))
        position = self.after
        for number, page in enumerate(reversed(found)):
            early, position = errors if number == 0 else (), max(position, page.settled)
            yield ActivityPage(events=page.events, position=str(position), errors=(*early, *page.errors))

    def _back(self) -> tuple[list[_Page], tuple[str, ...]]:
        """The pages from the newest back to the last look, or as far as is looked.

        A short page is not the last one: a server may give fewer than it is asked for.
        """
        found: list[_Page] = []
        older_than: int | None = None
        while len(found) < MOST_PAGES:
            page = self._page(older_than)
            if page is None:
                return found, ()
            found.append(page)
            if page.is_old:
                return found, (TOO_MUCH,)
            if page.smallest <= self.after + 1:
                return found, ()
            older_than = page.smallest
        return found, (TOO_MUCH,)

    def _page(self, older_than: int | None) -> _Page | None:
        params = {"newerThan": self.after}
        if older_than is not None:
            params["olderThan"] = older_than
        page = log.page(self.client, PAGE, params)
        self.newest = page.last_id if older_than is None else self.newest
        rows = _numbered(page.activities, self.after, older_than)
        return _read(rows, page.at, self.oldest_read) if rows else None


def since(client: NinjaOneClient, after: str | None) -> Iterator[ActivityPage]:
    """What happened since the position; without one, an empty page with the position of now."""
    if after is None or not after.isdigit():
        yield ActivityPage(events=(), position=str(_now(client)))
        return
    yield from _Look(client, int(after)).pages()


def _now(client: NinjaOneClient) -> int:
    """The id of the newest activity; 0 where there is none."""
    page = log.page(client, _SMALLEST, {})
    listed = [number for number, _ in _numbered(page.activities, 0, None)]
    return max(page.last_id or 0, *listed, 0)


def _numbered(
    activities: Sequence[dict[str, Any]], after: int, before: int | None
) -> list[tuple[int, dict[str, Any]]]:
    """The activities by their ids, oldest first: as asked for. One without an id has no place."""
    found = {one["id"]: one for one in activities if isinstance(one.get("id"), int)}
    return sorted((n, one) for n, one in found.items() if n > after and (before is None or n < before))


def _read(rows: list[tuple[int, dict[str, Any]]], now: datetime, since: datetime) -> _Page:
    """``now`` is the server's time. What is older than ``since`` is left out, but for what came late."""
    timed = list(zip(rows, _times(rows), strict=True))
    young = list(dropwhile(lambda one: one[1] is not None and one[1] < since, timed))
    events, errors = [], []
    for (number, activity), at in young:
        try:
            event = of_activity(activity, at or now)
        except Nameless as problem:
            errors.append(f"Activity {number} was left out: it has no {problem.field}.")
        else:
            events += [event] if event is not None else []
    settled = [number for (number, _), at in timed if at is None or at <= now - SETTLED]
    return _Page(tuple(events), tuple(errors), rows[0][0], max(settled, default=0), is_old=not young)


def _times(rows: Sequence[tuple[int, dict[str, Any]]]) -> list[datetime | None]:
    """When each happened. One without a time has that of the one before it: the same in every look."""
    found = [epoch(activity.get("activityTime")) for _, activity in rows]
    at = next(filter(None, found), None)
    return [at := known or at for known in found]
