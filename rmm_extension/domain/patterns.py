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


def compiled(pattern: str) -> Any:
    """The pattern ready to be searched with; raises :class:`NoPattern`."""
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        raise NoPattern(_sentence(error)) from error
    except UnicodeEncodeError as error:
        raise NoPattern("This pattern has half a character in it that no text can contain.") from error


def found(pattern: Any, text: str) -> bool:
    """Whether the compiled pattern is anywhere in the text, upper and lower case being different."""
    # As bytes, so that RE2's wrapper does not count characters; half surrogates are no text for RE2.
    return pattern.search(text.encode("utf-8", "replace")) is not None


def _sentence(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    reason = first.decode(errors="replace") if isinstance(first, bytes) else str(first)
    if _LOOKING_AROUND.search(reason):
        return NO_LOOKING_AROUND
    known, _, place = reason.partition(": ")
    words = next((ours for theirs, ours in _REASONS if known.startswith(theirs)), known)
    at = f" (at “{place}”)" if place else ""
    return f"Not a valid pattern: {words}{at}."
