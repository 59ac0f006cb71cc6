"""Message patterns: RE2, which searches in linear time whatever the pattern and the text."""

from __future__ import annotations

import re
from typing import Any

import re2

NO_LOOKING_AROUND = (
    "Look-ahead, look-behind and back-references are not supported: a pattern with them could take for ever."
    " Say it without them, or with a second rule."
)
_LOOKING_AROUND = re.compile(r"perl operator: \(\?(?:<?[=!]|P$)|escape sequence: \\(?:[1-9]|g|k)")
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.never_capture = True  # nobody asks what a group found, and without it the search is faster
_SMALL = re2.Options()
_SMALL.log_errors = False
_SMALL.never_capture = True
_SMALL.max_mem = 2 << 20  # of the usual 8: a few letters such as \\pL{300} make a program of megabytes
_COMPILING, _AT_ONCE = 8, 32
"""Steps of a program that cost as much as looking at a character: to make them, and to search with them."""
_REASONS = (
    ("missing )", "a closing ) is missing"),
    ("unexpected )", "a ) closes nothing"),
    ("missing ]", "a closing ] is missing"),
    ("invalid perl operator", "this kind of (? … ) group is not known"),
    ("invalid escape sequence", "this use of \\ is not known"),
    ("trailing \\", "it ends in a single \\"),
    ("no argument for repetition operator", "there is nothing to repeat before"),
    ("bad repetition operator", "two signs of repetition follow each other"),
    ("invalid repetition size", "the repetition is too large"),
    ("invalid character class range", "the range is upside down or not known"),
    ("pattern too large", "it is too large"),
)
"""RE2's reasons in our words; another one is told as RE2 says it."""


class NoPattern(ValueError):
    """The text is no pattern that can be run; the message is a sentence."""


def compiled(pattern: str, *, small: bool = False) -> Any:
    """The pattern ready to be searched with; raises :class:`NoPattern`.

    ``small`` allows it less memory, for patterns that are made anew at each use.
    """
    try:
        return re2.compile(pattern, _SMALL if small else _OPTIONS)
    except re2.error as error:
        raise NoPattern(_sentence(error)) from error
    except UnicodeEncodeError as error:
        raise NoPattern("This pattern has half a character in it that no text can contain.") from error


def found(pattern: Any, text: str) -> bool:
    """Whether the compiled pattern is anywhere in the text, upper and lower case being different."""
    # As bytes, so that RE2's wrapper does not count characters; half surrogates are no text for RE2.
    return pattern.search(text.encode("utf-8", "replace")) is not None


def effort(pattern: Any, text: str) -> int:
    """What compiling it and searching the text can cost at most, told in characters that are looked at.

    RE2 needs time by the length of the text, times the size of the pattern's program where it cannot keep
    all of its states: seconds for ``a[ab]{900}c`` in a long text.
    """
    size: int = pattern.programsize
    return _COMPILING * size + len(text.encode("utf-8", "replace")) * (1 + size // _AT_ONCE)


def _sentence(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    reason = first.decode(errors="replace") if isinstance(first, bytes) else str(first)
    if _LOOKING_AROUND.search(reason):
        return NO_LOOKING_AROUND
    known, _, place = reason.partition(": ")
    words = next((ours for theirs, ours in _REASONS if known.startswith(theirs)), known)
    at = f" (at “{place}”)" if place else ""
    return f"Not a valid pattern: {words}{at}."
