"""Watching that a paged list goes on."""

from __future__ import annotations

from collections.abc import Hashable

from rmm_extension.domain.errors import BadResponse
from rmm_extension.providers.reply import Reply

LIST_BYTES = 16 * 2**30
"""Bytes that all pages of one list come to at most, some forty million rows: what is put aside takes room."""


class Progress:
    """A list that comes to no place twice, and to an end."""

    def __init__(self) -> None:
        self._places: set[int] = set()
        self._bytes = 0

    def note(self, reply: Reply, place: Hashable) -> None:
        """One more page, which is known by ``place``; raises ``BadResponse`` where the list has no end."""
        self._bytes += len(reply.body)
        if hash(place) in self._places:
            raise endless(reply, f"gives the same page of {reply.path} again and again")
        if self._bytes > LIST_BYTES:
            raise endless(reply, f"gives a list at {reply.path} that is too long")
        self._places.add(hash(place))


def endless(reply: Reply, what: str) -> BadResponse:
    """The error of a list that does not go on as it should."""
    return BadResponse(
        f"{reply.label} {what}.", provider=reply.provider, status=reply.status, request_id=reply.request_id
    )
