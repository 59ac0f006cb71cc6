"""Texts as browsers send them."""

from __future__ import annotations


def unix(text: str | None) -> str:
    """The text with the line ends that were typed: browsers send them as CR LF, which no shell expects."""
    return (text or "").replace("\r\n", "\n")
