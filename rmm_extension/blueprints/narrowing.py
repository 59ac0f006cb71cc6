"""Reading a list's filters from the address, and showing the active ones as chips that can be taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import abort, request

from rmm_extension.domain.values import read_uuid

from .presentation import here

Options = Sequence[tuple[str, str]]
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Chip:
    """One active filter: its words and the address of the list without it."""

    label: str
    url: str


def argument(name: str, options: Options | None = None) -> str | None:
    """A filter's value; one that is not among ``options`` is as if it were not there."""
    value = request.args.get(name, "").strip()[:_LONGEST].replace("\x00", "")
    if options is not None and value not in {key for key, _ in options}:
        return None
    return value or None


def uuid_argument(name: str) -> UUID | None:
    """A filter that is an id of ours."""
    return read_uuid(request.args.get(name, ""))


def read_uuids(values: Sequence[str], most: int) -> list[UUID]:
    """The ids among the texts, each once and at most so many."""
    return list(dict.fromkeys(id_ for value in values if (id_ := read_uuid(value))))[:most]


def chips(active: Mapping[str, tuple[str, str | None]]) -> list[Chip]:
    """The chips of ``{parameter: (label, value in words)}``; a value of ``None`` is not active."""
    return [
        Chip(f"{label}: {value}", here(**{name: None, "after": None, "before": None}))
        for name, (label, value) in active.items()
        if value
    ]


def word(options: Options, value: str | None) -> str | None:
    """What an option is called."""
    return dict(options).get(value) if value else None


def must_be_uuid(value: str) -> UUID:
    """An id from an address; 404 for a text that is none."""
    found = read_uuid(value)
    if found is None:
        abort(404)
    return found
