"""Reading lists whose rows are mixed: put aside by device, with a sign of life now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from rmm_extension.providers.reply import Reply
from rmm_extension.providers.spool import Spool

R = TypeVar("R")
T = TypeVar("T")

PATIENCE = 3.0
"""Seconds after which a page goes out though it holds nothing yet: so a run sees that it was cancelled."""
MOST_ERRORS = 100
"""Sentences about rows that could not be read; so many rows say enough."""


def bounded(errors: list[str]) -> list[str]:
    """The first sentences, and how many more there would be."""
    rest = len(errors) - MOST_ERRORS
    return errors if rest <= 0 else [*errors[:MOST_ERRORS], f"{rest} more rows could not be read."]


class Pages(Protocol):
    """Reads the pages of a list; a row that cannot be read is left out, with a sentence in ``errors``."""

    def __call__(
        self, path: str, kind: type[T], *, errors: list[str], params: Mapping[str, Any] | None = None
    ) -> Iterator[list[T]]: ...


class Gathering(Generic[R]):
    """Rows of several lists on their way into a spool, and what could not be read of them."""

    def __init__(self, pages: Pages, spool: Spool[R]) -> None:
        self._pages = pages
        self._spool = spool
        self._told = 0
        self._errors: list[str] = []

    def read(
        self,
        path: str,
        kind: type[T],
        put: Callable[[T], tuple[str, R] | None],
        params: Mapping[str, Any] | None = None,
    ) -> Iterator[tuple[str, ...]]:
        """Put a list's rows aside; from time to time what could not be read of it so far, often nothing.

        ``put`` gives a row's device and what is kept of it, or nothing for one that is not wanted; it raises
        ``ValueError`` for one that is no use.
        """
        began_at = monotonic()
        for page in self._pages(path, kind, errors=self._errors, params=params):
            for row in page:
                self._put(path, row, put)
            if monotonic() - began_at >= PATIENCE:
                yield self.errors()
                began_at = monotonic()

    def errors(self) -> tuple[str, ...]:
        """What could not be read since this was asked last, as far as it may still be told."""
        found = tuple(self._errors[: MOST_ERRORS - self._told])
        self._told += len(found)
        self._errors.clear()
        return found

    def _put(self, path: str, row: T, put: Callable[[T], tuple[str, R] | None]) -> None:
        try:
            found = put(row)
        except ValueError as error:
            self._errors.append(f"A row of {path} was left out: {error}.")
        else:
            if found is not None:
                self._spool.add(*found)


def readable(
    reply: Reply,
    found: Sequence[msgspec.Raw],
    kind: type[T],
    errors: list[str],
    redact: Callable[[str], str],
) -> list[T]:
    """The rows of an answer; one that cannot be read is left out, with a sentence in ``errors``."""
    decoder, rows = msgspec.json.Decoder(kind), []
    for raw in found:
        try:
            rows.append(decoder.decode(raw))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            errors.append(f"A row of {reply.path} was left out: {redact(str(error))}.")
    return rows


def in_pages(found: Iterable[tuple[T, int]], devices: int, items: int) -> Iterator[tuple[T, ...]]:
    """What comes one by one with its number of items, in pages of at most so many; one that is larger by
    itself is a page."""
    page: list[T] = []
    held = 0
    for one, number in found:
        page.append(one)
        held += number
        if len(page) >= devices or held >= items:
            yield tuple(page)
            page, held = [], 0
    if page:
        yield tuple(page)
