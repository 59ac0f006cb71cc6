"""Decoding a page of rows: typed in one go, row by row only when a row is bad."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from rmm_extension.providers.gathering import bounded
from rmm_extension.providers.reply import Misshapen, Reply, place
from rmm_extension.providers.tacticalrmm.schemas import BetaPage

R = TypeVar("R", bound=msgspec.Struct)
# Parts of a row that may be unreadable without making the device unreadable.
_OPTIONAL = ("wmi_detail", "disks")


class Rows(NamedTuple, Generic[R]):
    """The readable rows, and a sentence for each unreadable one."""

    rows: list[R]
    errors: list[str]


class BetaRows(NamedTuple, Generic[R]):
    """A page of a beta list: rows, sentences, length of the whole list, and whether it is the last page."""

    rows: list[R]
    errors: list[str]
    total: int
    is_last: bool


def agent_rows(reply: Reply, kind: type[R]) -> Rows[R]:
    """The rows of a bare list; raises ``BadResponse`` when the body is no list."""
    try:
        return Rows(reply.decode(list[kind]), [])  # type: ignore[valid-type]
    except Misshapen:
        return _one_by_one(reply.decode(list[msgspec.Raw]), kind)


def beta_rows(reply: Reply, kind: type[R]) -> BetaRows[R]:
    """The rows of a page of a beta list; raises ``BadResponse`` when the body is no such page."""
    try:
        page = reply.decode(BetaPage[list[kind]])  # type: ignore[valid-type]
        return BetaRows(page.results, [], page.count, page.next is None)
    except Misshapen:
        raw = reply.decode(BetaPage[list[msgspec.Raw]])
        return BetaRows(*_one_by_one(raw.results, kind), raw.count, raw.next is None)


def _one_by_one(raws: list[msgspec.Raw], kind: type[R]) -> Rows[R]:
    rows: list[R] = []
    errors: list[str] = []
    for number, raw in enumerate(raws, 1):
        found = _row(raw, kind)
        if isinstance(found, str):
            errors.append(
                f"Row {number} of the list{_named(raw)} could not be read: unexpected value at {found}."
            )
        else:
            rows.append(found)
    return Rows(rows, bounded(errors))


def _row(raw: msgspec.Raw, kind: type[R]) -> R | str:
    """The row, or where it is bad."""
    where = "$"
    for attempt in _attempts(raw):
        try:
            return msgspec.convert(attempt, kind, strict=False)
        except msgspec.ValidationError as error:
            where = place(str(error))
    return where


def _attempts(raw: msgspec.Raw) -> Iterator[Any]:
    row = msgspec.json.decode(raw)
    yield row
    if isinstance(row, dict):
        yield {key: value for key, value in row.items() if key not in _OPTIONAL}


def _named(raw: msgspec.Raw) -> str:
    row = msgspec.json.decode(raw)
    agent_id = row.get("agent_id") if isinstance(row, dict) else None
    return f" (agent {agent_id[:60]})" if isinstance(agent_id, str) else ""
