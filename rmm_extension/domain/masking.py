"""Bodies of deliveries as a page may show them: text of bounded size, without what looks like a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

HIDDEN = "••••••"
LONGEST = 64 * 1024
"""Characters shown; what is longer is cut and says so."""
_DEEPEST = 40
_SHORTEST_SECRET = 6
"""Shorter values of a connection are not looked for in a text: they would blacken half of it."""
_WORDS = r"secret|token|passw|pwd|api[_-]?key|apikey|authorization|credential|private[_-]?key|cookie"
_SECRET_KEY = re.compile(_WORDS, re.IGNORECASE)
# In a text that is no JSON: a key that looks like a secret's, and its value up to the closing quote, or up to
# the next separator. Bounded, and nothing is needed behind the value: no body can make it go back and forth.
_SECRET_PAIR = re.compile(
    rf"""((?:{_WORDS})[\w.-]{{0,64}}\\{{0,9}}["']?\s{{0,9}}[:=]\s{{0,9}})"""
    r"""(?:(\\{0,9}")[^"]*|(\\{0,9}')[^']*|(?:bearer\s|basic\s)?[^\s,;&"'{}\[\]]+)""",
    re.IGNORECASE,
)
# On a command line: a switch of that name, alone or with its value behind a blank.
_SECRET_SWITCH = re.compile(
    rf"\s{{0,9}}[-/]{{1,2}}[\w-]{{0,64}}(?:{_WORDS})[\w-]{{0,64}}\s{{0,9}}", re.IGNORECASE
)
_SECRET_WORD = re.compile(
    rf"""((?:^|\s)[-/]{{1,2}}[\w-]{{0,64}}(?:{_WORDS})[\w-]{{0,64}}\s{{1,9}})(?:"[^"]*"|'[^']*'|[^\s"'-][^\s]*)""",
    re.IGNORECASE,
)
# What no page should hold: control characters other than tab and line ends, half surrogates, and the marks
# that turn the direction of a text around.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class BodyText:
    """A body to be shown: ``form`` is json, text or empty, ``size`` its length in bytes as it arrived."""

    text: str
    form: str
    size: int
    is_cut: bool = False


def body_text(body: bytes, hidden: Collection[str] = ()) -> BodyText:
    """The body: indented where it is JSON, else as it came. The values in ``hidden`` are masked wherever they
    stand, and so is the value of every key that looks like a secret's."""
    if not body.strip():
        return BodyText("", "empty", len(body))
    document = _document(body)
    if isinstance(document, (Mapping, list)):
        return _shown(_indented(document), "json", len(body), hidden)
    plain = document if isinstance(document, str) else body.decode("utf-8", "replace")
    return _shown(_SECRET_PAIR.sub(_hide_pair, plain), "text", len(body), hidden)


def document_text(document: Mapping[str, Any], hidden: Collection[str] = ()) -> BodyText:
    """A stored document, such as the body kept on an alert, in the same way."""
    size = len(json.dumps(document, ensure_ascii=False, default=str).encode("utf-8", "replace"))
    return _shown(_indented(document), "json", size, hidden) if document else BodyText("", "empty", 0)


def masked(value: Any, depth: int = 0) -> Any:
    """The value without those of keys that look like secrets, however deep; what is too deep is left out."""
    if isinstance(value, str):
        return _SECRET_PAIR.sub(_hide_pair, value)
    if not isinstance(value, (Mapping, list)):
        return value
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, list):
        return [masked(part, depth + 1) for part in value]
    return {key: _hide(key, part, depth) for key, part in value.items()}


def hide_secrets(words: list[str]) -> list[str]:
    """The words of a command line without what looks like a secret: ``password=x``, ``-Password x``."""
    shown, is_next = list[str](), False
    for word in words:
        shown.append(HIDDEN if is_next else _SECRET_WORD.sub(_hide_word, masked(word)))
        is_next = _SECRET_SWITCH.fullmatch(word.strip()) is not None
    return shown


def _hide_word(match: re.Match[str]) -> str:
    return f"{match[1]}{HIDDEN}"


def _hide(key: Any, value: Any, depth: int) -> Any:
    if _SECRET_KEY.search(str(key)) and value not in (None, "", [], {}):
        return HIDDEN
    return masked(value, depth + 1)


def _hide_pair(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2] or match[3] or ''}{HIDDEN}"


def _document(body: bytes) -> Any:
    """What the body is as JSON; ``None`` where it is none."""
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _indented(document: Any) -> str:
    return json.dumps(masked(document), indent=2, ensure_ascii=False, default=str)


def _shown(text: str, form: str, size: int, hidden: Collection[str]) -> BodyText:
    for value in sorted(hidden, key=len, reverse=True):
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, HIDDEN)
    shown = _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text[:LONGEST].replace("\r\n", "\n"))
    return BodyText(shown, form, size, len(text) > LONGEST)
