"""Plain text out of what Huntress writes, which is HTML in places and text in others.

A webhook's body is read before its signature is known to be right. So the reading here goes once over the
text and never back, whatever stands there, which the standard library's ``html.parser`` does not promise.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from html.entities import html5

from rmm_extension.domain.values import storable

LONGEST = 12_000
"""Characters of one text that are kept."""
CUT = "[… Huntress has the rest]"
_APART = frozenset({"blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"})
"""What has an empty line around it."""
_RAW = frozenset({"script", "style"})
"""What holds no tags, whatever it looks like."""
_UNSEEN = frozenset({"head", "template", "title"}) | _RAW
_LINES = frozenset({"dd", "div", "dt", "footer", "header", "hr", "section", "tbody", "thead", "tr"})
_BLOCKS = _APART | _LINES
_INLINE = frozenset(
    {"a", "b", "body", "br", "center", "code", "em", "font", "html", "i", "img", "li", "s", "small", "span"}
    | {"strong", "sub", "sup", "td", "tfoot", "th", "u"}
)
_KNOWN = _BLOCKS | _INLINE | _UNSEEN
_TAG = rf"<(?P<end>/?)(?P<name>{'|'.join(sorted(_KNOWN))})(?P<more>\s[^<>]*)?/?>"
_ENTITY = r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});"
_MARK = re.compile(rf"{_TAG}|<!--|<[!?][a-z][^<>]*>", re.IGNORECASE)
_MARKUP = re.compile(rf"{_TAG}|{_ENTITY}", re.IGNORECASE)
_CHARACTER = re.compile(_ENTITY, re.IGNORECASE)
_ADDRESS = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))""", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\f\v\u00a0]+")


class _Reader:
    """Text as one reads it: blocks on lines of their own, items with a dash, links with their address."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._unseen = Counter[str]()
        self._raw = ""
        self._link: tuple[str, int] | None = None
        self._preformatted = 0

    def read(self, source: str) -> str:
        """The text of this HTML."""
        at, last_end = 0, source.rfind("-->")
        for mark in _MARK.finditer(source):
            if mark.start() < at or (mark[0] == "<!--" and last_end < mark.end()):
                continue
            self._add(source[at : mark.start()])
            at = source.find("-->", mark.end()) + 3 if mark[0] == "<!--" else mark.end()
            if mark["name"]:
                self._tag(mark)
        self._add(source[at:])
        return "".join(self.parts)

    def _tag(self, mark: re.Match[str]) -> None:
        name, is_end = mark["name"].lower(), bool(mark["end"])
        if self._raw and not (is_end and name == self._raw):
            return
        if is_end:
            self._end(name)
        else:
            self._start(name, mark["more"] or "")

    def _start(self, name: str, more: str) -> None:
        if name in _UNSEEN:
            self._unseen[name] += 1
            self._raw = name if name in _RAW else ""
        elif name == "br":
            self.parts.append("\n")
        elif name == "li":
            self.parts.append("\n- ")
        elif name in ("td", "th"):
            self.parts.append("  ")
        elif name == "a":
            self._link = (_address(more), len(self.parts))
        else:
            self._block(name)
        self._preformatted += name == "pre"

    def _end(self, name: str) -> None:
        if name in _UNSEEN:
            self._unseen[name] = max(self._unseen[name] - 1, 0)
            self._raw = ""
        elif name == "a":
            self._end_link()
        else:
            self._block(name)
        if name == "pre":
            self._preformatted = max(self._preformatted - 1, 0)

    def _add(self, source: str) -> None:
        if source and not any(self._unseen.values()):
            found = _unescaped(source)
            self.parts.append(found if self._preformatted else re.sub(r"\s+", " ", found))

    def _block(self, name: str) -> None:
        if name in _BLOCKS:
            self.parts.append("\n\n" if name in _APART else "\n")

    def _end_link(self) -> None:
        if self._link is None:
            return
        (address, begun), self._link = self._link, None
        shown = "".join(self.parts[begun:]).strip()
        if address.startswith(("https://", "http://")) and address not in shown:
            self.parts.append(f" ({address})")


def _address(attributes: str) -> str:
    found = _ADDRESS.search(attributes)
    return _unescaped(next(filter(None, found.groups()), "")) if found else ""


def _unescaped(source: str) -> str:
    return _CHARACTER.sub(_character, source)


def _character(match: re.Match[str]) -> str:
    """The character that is meant; what means none stays as it is."""
    if match[0][1] == "#":
        return html.unescape(match[0])
    return html5.get(match[0][1:], match[0])


def plain(value: object, longest: int = LONGEST) -> str | None:
    """The text without its markup; ``None`` for what is blank or no text.

    A text without tags and entities of HTML is none: its own lines stay, and so does what only stands in
    angle brackets, such as an address.
    """
    if not isinstance(value, str):
        return None
    text = storable(value[: longest * 20])
    if _MARKUP.search(text):
        text = _Reader().read(text)
    found = tidy(text)
    if len(found) > longest:
        found = f"{found[:longest].rstrip()}\n{CUT}"
    return found or None


def line(value: object, longest: int = 500) -> str | None:
    """The text on one line."""
    found = plain(value, longest * 4)
    return None if found is None else " ".join(found.split())[:longest]


def tidy(text: str) -> str:
    """Without blanks at the ends of lines, and without more than one empty line in a row."""
    lines = [_BLANKS.sub(" ", one).strip() for one in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
