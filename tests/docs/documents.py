"""The project's documents as data: pages, links, code blocks, table rows, headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def text(page: Path) -> str:
    """The page."""
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return _FENCE.sub("", text(page))


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks in one language."""
    return [code for name, code in _FENCE.findall(text(page)) if name == language]


def block_after(page: Path, mark: str) -> str:
    """The code block that follows a comment."""
    return str(_FENCE.findall(text(page).partition(mark)[2])[0][1])


def links(page: Path) -> Iterator[str]:
    """Targets of the links that lead to other files of the project, or to headings."""
    for target in _LINK.findall(prose(page)):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """What a link may name after ``#``, as GitHub makes it of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table_keys(page: Path, pattern: str) -> list[str]:
    """What stands in code in the first cell of table rows and matches."""
    return [
        cell for cell in re.findall(r"^\| `([^`]+)`", text(page), re.MULTILINE) if re.match(pattern, cell)
    ]
