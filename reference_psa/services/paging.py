"""Pages of a list, and the links that lead from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request
from sqlalchemy import func, select

from reference_psa.db import AnySelect, db

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and where they stand in it."""

    rows: Sequence[Any]
    total: int
    number: int

    @property
    def first(self) -> int:
        """The place of the first row, counted from one."""
        return (self.number - 1) * PAGE_SIZE + 1

    @property
    def last(self) -> int:
        """The place of the last row."""
        return self.first + len(self.rows) - 1

    @property
    def previous_url(self) -> str | None:
        """The page before, if there is one."""
        return url_with(page=self.number - 1) if self.number > 1 else None

    @property
    def next_url(self) -> str | None:
        """The page after, if there is one."""
        return url_with(page=self.number + 1) if self.last < self.total else None


def paged(query: AnySelect) -> Page:
    """The page of the query's rows that the request asks for."""
    number = max(request.args.get("page", 1, type=int) or 1, 1)
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    rows = db.session.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return Page(rows, total, number)


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter and the address without it."""

    label: str
    url: str


def chips(labels: dict[str, str | None]) -> list[Chip]:
    """A chip for each filter in force; ``labels`` says each in words."""
    return [Chip(label, url_with(page=None, **{name: None})) for name, label in labels.items() if label]


def url_with(**changes: Any) -> str:
    """This page's address with some parameters changed; ``None`` removes one."""
    args = {**request.args.to_dict(), **changes}
    query = urlencode({name: value for name, value in args.items() if value not in (None, "")})
    return f"{request.path}?{query}" if query else request.path
