"""Plain text out of what Huntress writes, which is HTML in places and text in others."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from rmm_extension.domain.values import storable

LONGEST = 12_000
"""Characters of one text that are kept."""
CUT = "[… Huntress has the rest]"
_APART = frozenset({"blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"})
"""What has an empty line around it."""
_UNSEEN = frozenset({"head", "script", "style", "template", "title"})
_LINES = frozenset({"dd", "div", "dt", "footer", "header", "hr", "section", "tbody", "thead", "tr"})
_BLOCKS = _APART | _LINES
_INLINE = frozenset(
    {"a", "b", "body", "br", "center", "code", "em", "font", "html", "i", "img", "li", "s", "small", "span"}
    | {"strong", "sub", "sup", "td", "tfoot", "th", "u"}
)
_KNOWN = _BLOCKS | _INLINE | _UNSEEN
_MARKUP = re.compile(
    rf"</?(?:{'|'.join(sorted(_KNOWN))})(?:\s[^<>]{{0,2000}})?/?>|&(?:#\d{{1,7}}|#x[0-9a-f]{{1,6}}|[a-z]{{2,31}});",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"[ \t\r\f\v\u00a0]+")


class _Reader(HTMLParser):
    """Text as one reads it: blocks on lines of their own, items with a dash, links with their address."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _KNOWN:
            self.handle_data(self.get_starttag_text() or "")
        elif tag in _UNSEEN:
            self._unseen.append(tag)
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in ("td", "th"):
            self.parts.append("  ")
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self.parts)))
        else:
            self._block(tag)
        self._preformatted += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            if tag in self._unseen:
                self._unseen.remove(tag)
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())
        else:
            self._block(tag)
        if tag == "pre":
            self._preformatted = max(self._preformatted - 1, 0)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data if self._preformatted else re.sub(r"\s+", " ", data))

    def _block(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n\n" if tag in _APART else "\n")

    def _end_link(self, address: str, begun: int) -> None:
        shown = "".join(self.parts[begun:]).strip()
        if address.startswith(("https://", "http://")) and address not in shown:
            self.parts.append(f" ({address})")


def plain(value: object, longest: int = LONGEST) -> str | None:
    """The text without its markup; ``None`` for what is blank or no text.

    A text without tags and entities of HTML is none: its own lines stay, and so does what only stands in
    angle brackets, such as an address.
    """
    if not isinstance(value, str):
        return None
    text = storable(value[: longest * 20])
    if _MARKUP.search(text):
        reader = _Reader()
        reader.feed(text)
        reader.close()
        text = "".join(reader.parts)
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
