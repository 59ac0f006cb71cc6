"""Cutting a JSON array into its elements while it arrives, so that one of any length needs little memory.

The elements are found by their brackets alone; whoever decodes one finds out whether it is right inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rmm_extension.domain.errors import BadResponse
from rmm_extension.providers.reply import StreamedReply

MAX_ROW = 8 * 2**20
"""Largest element, in bytes: one that is larger ends the reading."""
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# Everything up to the next sign that counts: strings are passed over whole. Possessive, so that a text which
# does not end in this piece is looked at once, not once for each of its characters.
_TO_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:%s[^"{}\[\]]*+)*+([{}\[\]])' % _STRING, re.DOTALL)
_TO_COMMA = re.compile(rb'[^"{}\[\],]*+(?:%s[^"{}\[\],]*+)*+([{}\[\],])' % _STRING, re.DOTALL)


def rows(reply: StreamedReply, max_row: int = MAX_ROW) -> Iterator[bytes]:
    """The elements of the body's top-level array, each whole and undecoded.

    Raises ``BadResponse`` for a web page, for anything but an array, for an element larger than ``max_row``
    and, at its end, for a body that was cut: what came before is then a beginning of unknown length.
    """
    reply.require_json()
    splitter = _Splitter(reply, max_row)
    for piece in reply.pieces:
        yield from splitter.feed(piece)
    splitter.end()


class _Splitter:
    """``buffer`` begins with the element that is being read, ``position`` is how far it was looked at."""

    def __init__(self, reply: StreamedReply, max_row: int) -> None:
        self._reply = reply
        self._max_row = max_row
        self._buffer = bytearray()
        self._position = 0
        self._depth = 0
        self._is_open = False
        self._is_over = False
        self._after_comma = False

    def feed(self, piece: bytes | bytearray) -> list[bytes]:
        """The elements that are complete with this piece."""
        self._buffer += piece
        found = [] if self._is_over or not (self._is_open or self._open()) else self._complete()
        if self._is_over and self._buffer.strip(_BLANK):
            raise self._reply.cut()
        if len(self._buffer) > self._max_row:
            raise self._too_large()
        return found

    def end(self) -> None:
        """Raise unless the array was closed."""
        if not self._is_over:
            raise self._reply.cut()

    def _open(self) -> bool:
        """Pass the array's own bracket; false while it has not come."""
        start = self._buffer.lstrip(_BOM).lstrip(_BLANK)
        if not start:
            return False
        if start[:1] != b"[":
            raise self._reply.misshapen("") if start[:1] in b'{"-0123456789tfn' else self._reply.cut()
        self._buffer, self._is_open = start[1:], True
        return True

    def _complete(self) -> list[bytes]:
        found: list[bytes] = []
        start = 0
        while not self._is_over:
            pattern = _TO_BRACKET if self._depth else _TO_COMMA
            match = pattern.match(self._buffer, self._position)
            if match is None:
                break
            self._position = match.end()
            if self._close_element(match[1]):
                self._add(found, start)
                start = self._position
        del self._buffer[:start]
        self._position -= start
        return found

    def _close_element(self, sign: bytes) -> bool:
        """Whether an element, or the array, ends with this sign."""
        if sign in b"{[":
            self._depth += 1
        elif sign == b",":
            return True
        elif self._depth:
            self._depth -= 1
        else:
            self._is_over = True
            return True
        return False

    def _add(self, found: list[bytes], start: int) -> None:
        """Keep the element before the comma or bracket; nothing at all is right in an empty array only."""
        element = bytes(self._buffer[start : self._position - 1]).strip(_BLANK)
        if len(element) > self._max_row:
            raise self._too_large()
        is_first = not self._after_comma
        if not element and not (self._is_over and is_first):
            raise self._reply.cut()
        if element:
            found.append(element)
        self._after_comma = True

    def _too_large(self) -> BadResponse:
        reply = self._reply
        return BadResponse(
            f"A row in the answer of {reply.label} to {reply.path} is larger than {self._max_row >> 20} MB.",
            provider=reply.provider,
            status=reply.status,
            request_id=reply.request_id,
        )
