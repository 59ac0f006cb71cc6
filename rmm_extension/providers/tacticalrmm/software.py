"""The software of agents: ``GET /software/``, one unordered list of the whole fleet, and one agent's.

Facts by Tactical RMM 1.5.1 and its agent. The list has a row of about 24 KB for each agent that ever told its
software, and names it by its integer key. Only Windows agents have one. An agent that could not read its
software tells an empty list. Sizes are texts by steps of 1,024, dates have a month of one or two digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from time import monotonic
from typing import Any

import msgspec

from rmm_extension.domain.types import InstalledSoftware, SoftwareOfDevice, SoftwarePage
from rmm_extension.domain.values import text
from rmm_extension.providers.reply import place
from rmm_extension.providers.rows import rows
from rmm_extension.providers.tacticalrmm.client import TacticalClient
from rmm_extension.providers.tacticalrmm.schemas import SoftwareItem, SoftwareRow

PAGE_DEVICES = 250
"""Most agents in one page."""
PAGE_ITEMS = 25_000
"""Most products in one page, but for what a single agent has."""
PATIENCE = 3.0
"""Seconds after which a page goes out though it is not full: a slow server's sync shows how far it is."""
MOST_ITEMS = 20_000
"""Most products of one agent; one that tells more is refused."""
_LONGEST = 2000
"""Characters of a text that are passed on. What is kept of it is shorter."""
_LONGEST_FIGURE = 64
"""Characters of a date or a size."""
_MOST_ERRORS = 100
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?![0-9])")
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([kMGTPE]?)B", re.IGNORECASE)
_STEPS = {unit: 1024**step for step, unit in enumerate(("", "K", "M", "G", "T", "P", "E"))}
_ANSWER: Any = SoftwareRow | list[Any]
_decode = msgspec.json.Decoder(SoftwareRow).decode


def listing(client: TacticalClient) -> Iterator[SoftwarePage]:
    """The software of all agents the role may see, in bounded pages. An agent without a row is not named."""
    agents = {row.id: row.agent_id for row in client.id_map()}
    pages = _Pages(agents)
    with client.stream("/software/") as reply:
        for number, raw in enumerate(rows(reply), 1):
            pages.take(raw, number)
            if pages.is_due:
                yield pages.turn()
    if pages.has_any:
        yield pages.turn()


def of_agent(client: TacticalClient, agent_id: str) -> SoftwareOfDevice | None:
    """One agent's software now: nothing where the server has no row; ``None`` where it knows no agent."""
    reply = client.read_of_agent("/software", agent_id)
    if reply is None:
        return None
    row: SoftwareRow | list[Any] = reply.decode(_ANSWER)
    if isinstance(row, list) and row:
        raise reply.misshapen("")
    if isinstance(row, SoftwareRow) and len(row.software) > MOST_ITEMS:
        raise reply.misshapen("`$.software`")
    items = items_of(row) if isinstance(row, SoftwareRow) else ()
    return SoftwareOfDevice(external_device_id=agent_id, items=items)


def items_of(row: SoftwareRow) -> tuple[InstalledSoftware, ...]:
    """What has a name."""
    return tuple(found for item in row.software if (found := _item(item)) is not None)


class _Pages:
    """Gathers rows into pages."""

    def __init__(self, agents: Mapping[int, str]) -> None:
        self._agents = agents
        self._seen: set[int] = set()
        self._error_count = 0
        self._begin()

    def _begin(self) -> None:
        self._devices: list[SoftwareOfDevice] = []
        self._errors: list[str] = []
        self._strangers = self._items = 0
        self._began_at = monotonic()

    @property
    def has_any(self) -> bool:
        """Whether something was taken since the last page."""
        return bool(self._devices or self._errors or self._strangers)

    @property
    def is_due(self) -> bool:
        """Whether the page is full, or old."""
        is_full = len(self._devices) >= PAGE_DEVICES or self._items >= PAGE_ITEMS
        return is_full or (self.has_any and monotonic() - self._began_at >= PATIENCE)

    def take(self, raw: bytes, number: int) -> None:
        """Add the row that is the list's ``number``-th."""
        try:
            row = _decode(raw)
        except msgspec.ValidationError as error:
            self._refuse(number, raw, f"unexpected value at {place(str(error))}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._refuse(number, raw, "it is not whole JSON")
        else:
            if len(row.software) > MOST_ITEMS:
                self._refuse(number, raw, f"it has more than {MOST_ITEMS:,} programs")
            else:
                self._add(row)

    def turn(self) -> SoftwarePage:
        """The page as it is; the next one begins."""
        page = SoftwarePage(
            devices=tuple(self._devices), errors=tuple(self._errors), strangers=self._strangers
        )
        self._begin()
        return page

    def _add(self, row: SoftwareRow) -> None:
        agent_id = self._agents.get(row.agent)
        if agent_id is None:
            self._strangers += 1
        elif row.agent not in self._seen:
            self._seen.add(row.agent)
            items = items_of(row)
            self._items += len(items)
            self._devices.append(SoftwareOfDevice(external_device_id=agent_id, items=items))

    def _refuse(self, number: int, raw: bytes, why: str) -> None:
        self._error_count += 1
        if self._error_count <= _MOST_ERRORS:
            self._errors.append(
                f"Row {number} of the software list{self._named(raw)} could not be read: {why}."
            )

    def _named(self, raw: bytes) -> str:
        try:
            agent_id = self._agents.get(msgspec.json.decode(raw, type=_Owner).agent)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return ""
        return f" (agent {agent_id})" if agent_id else ""


class _Owner(msgspec.Struct):
    agent: int


def _item(item: SoftwareItem) -> InstalledSoftware | None:
    name = _text(item.name)
    if name is None:
        return None
    return InstalledSoftware(
        name=name,
        version=_text(item.version) or "",
        publisher=_text(item.publisher) or "",
        installed_on=day((item.install_date or "")[:_LONGEST_FIGURE]),
        size_bytes=size_in_bytes((item.size or "")[:_LONGEST_FIGURE]),
        location=_text(item.location),
    )


def _text(value: str | int | float | None) -> str | None:
    """The text within bounds: a page holds many of them, and most vendors' mistakes are repeated."""
    found = text(value)
    return found[:_LONGEST] if found else found


@lru_cache(maxsize=4096)
def day(value: str) -> date | None:
    """The date at the beginning of ``2019-06-09 00:00:00 +0000 UTC``; ``None`` for that of the year 1."""
    match = _DATE.match(value)
    if match is None:
        return None
    try:
        found = date(*map(int, match.groups()))
    except ValueError:
        return None
    return found if 1990 <= found.year <= 2100 else None


@lru_cache(maxsize=4096)
def size_in_bytes(value: str) -> int | None:
    """Bytes of ``81.4 MB``; ``None`` for ``0 B``, which says that nobody knows."""
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        return None
    return round(float(match[1]) * _STEPS[match[2].upper()]) or None
