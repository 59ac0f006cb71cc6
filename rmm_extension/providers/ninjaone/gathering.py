"""Reading reports whose rows are mixed: put aside by device, with a sign of life now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any, Generic, TypeVar

from rmm_extension.domain.errors import BadResponse, NotFound
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.errors import KEY, WrongHost
from rmm_extension.providers.spool import Spool

R = TypeVar("R")
T = TypeVar("T")

PATIENCE = 3.0
"""Seconds after which a page goes out though it holds nothing yet: so a run sees that it was cancelled."""
MOST_ERRORS = 100
"""Sentences about rows that could not be read; so many rows say enough."""


class Gathering(Generic[R]):
    """Rows of several reports on their way into a spool, and what could not be read of them."""

    def __init__(self, client: NinjaOneClient, spool: Spool[R]) -> None:
        self._client = client
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
        """Put a report's rows aside; from time to time what could not be read of it so far, often nothing.

        ``put`` gives a row's device and what is kept of it, or nothing for one that is not wanted; it raises
        ``ValueError`` for one that is no use.
        """
        began_at = monotonic()
        for page in self._client.report(path, kind, errors=self._errors, params=params):
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


def rows_of_device(
    client: NinjaOneClient,
    external_id: str,
    part: str,
    kind: type[T],
    params: Mapping[str, Any] | None = None,
) -> Sequence[T]:
    """A list of one device, whole or ``BadResponse``; ``NotFound`` where there is no such device or list."""
    if not external_id.isdecimal():
        raise NotFound("NinjaOne's devices are known by numbers.")
    try:
        reply = client.read(f"/v2/device/{external_id}/{part}", params=params)
    except WrongHost as error:
        # Not an answer about this device: it must not be taken for gone.
        raise BadResponse(str(error), provider=KEY, status=error.status) from None
    return reply.decode(list[kind])  # type: ignore[valid-type]
