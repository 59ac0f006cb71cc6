"""Ids: opaque texts with characters that an address has to encode."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error


def id_of(kind: str, number: int) -> str:
    """The id of the row of that kind and number."""
    return b64encode(f"gid://level/{kind}/{number}".encode()).decode()


def number_of(kind: str, text: str) -> int | None:
    """The number in an id, whether or not there is such a row; None for a text that is no id of that kind."""
    try:
        start, _, number = b64decode(text, validate=True).decode().rpartition("/")
    except (Error, UnicodeDecodeError, ValueError):
        return None
    return int(number) if start == f"gid://level/{kind}" and number.isdecimal() else None
