"""Why a text does not read, in sentences: the parser speaks to people who write templates."""

from __future__ import annotations

import re
from collections.abc import Callable

_THINGS = {
    "name": "a name",
    "integer": "a number",
    "float": "a number",
    "string": "a text",
    "begin of print statement": "“{{”",
    "end of print statement": "“}}”",
    "template data / text": "a text",
}
"""What the parser calls the pieces of an expression, and what people call them."""

_HINTS = {
    "&": "To ask for both, write and.",
    "!": "To turn it round, write not; to ask whether two are not the same, write !=.",
    "=": "To compare, write ==.",
    **dict.fromkeys("“”\u2018\u2019", 'A text stands in straight quotes: "…".'),
    "$": "Names stand by themselves, without a sign in front.",
}
_BEGINNING = "such as a name, a number or a text in quotes"


def sentence(said: str) -> str:
    """The parser's words about what does not read, as a sentence."""
    for pattern, tell in _TOLD:
        if match := pattern.fullmatch(said):
            return f"This does not read: {tell(*match.groups())}"
    return "This does not read as an expression."


def behind(what: str) -> str:
    """A sentence about what stands behind an expression that was over."""
    return f"There is something behind its end: {_thing(what)}.{_hint(what)}"


def _thing(what: str) -> str:
    return _THINGS.get(what, f"“{what[:50]}”")


def _hint(what: str) -> str:
    return f" {_HINTS[what]}" if what in _HINTS else ""


def _ends(wanted: str) -> str:
    if wanted == ",":
        return "it ends too early, and a bracket in it is not closed."
    return f"it ends too early, and {_thing(wanted)} is missing."


def _instead(wanted: str, found: str) -> str:
    if found == "end of template":
        return _ends(wanted)
    either = " To ask for one of two, write or." if (wanted, found) == ("name", "|") else _hint(found)
    return f"{_thing(wanted)} is missing before {_thing(found)}.{either}"


def _misplaced(found: str) -> str:
    if found == "end of template":
        return f"it ends too early, and something is missing there, {_BEGINNING}."
    if found == "end of print statement":
        return f"something is missing before “}}}}”, {_BEGINNING}."
    return f"{_thing(found)} cannot stand where it stands.{_hint(found)}"


def _unclosed(found: str, wanted: str) -> str:
    return f"“{wanted}” is missing before “{found}”."


def _sign(_quote: str, sign: str) -> str:
    if sign in ("'", '"'):
        return "a text in it has no quote at its end."
    if len(sign) > 1:
        return "a sign in it cannot be seen. Write it anew instead of copying it."
    return f"“{sign}” cannot stand in an expression.{_hint(sign)}"


_TOLD: tuple[tuple[re.Pattern[str], Callable[..., str]], ...] = tuple(
    (re.compile(pattern, re.DOTALL), tell)
    for pattern, tell in (
        (r"unexpected end of template, expected '(.+)'\.", _ends),
        (r"expected token '(.+)', got '(.+)'", _instead),
        (r"unexpected char (['\"])\\?(.+)\1 at \d+", _sign),
        (r"unexpected '(.+)', expected '(.+)'", _unclosed),
        (r"unexpected '(.+)'", _misplaced),
        (r"Expected an expression, got '(.+)'", _misplaced),
        (r"expected name or number", lambda: "behind a dot stands a name or a number."),
        (r"expected subscript expression", lambda: "between [ and ] stands a name in quotes or a number."),
        (r"invalid syntax for function call expression", lambda: "what stands in its brackets is not right."),
        (r"Invalid character in identifier", lambda: "a name has a letter that names cannot have."),
        (r"You cannot chain multiple tests with is", lambda: "“is” can ask once; join several with and."),
    )
)
