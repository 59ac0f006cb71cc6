"""Page-number pagination of the beta API."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import request

from simulators.tacticalrmm.replies import ApiError

DEFAULT_SIZE = 100
MAX_SIZE = 1000


def page_size() -> int:
    """Asked size clamped to 1000; zero, negative or junk gives the default 100."""
    try:
        asked = int(request.args.get("page_size", ""))
    except ValueError:
        return DEFAULT_SIZE
    return min(asked, MAX_SIZE) if asked > 0 else DEFAULT_SIZE


def paginate(rows: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The rows of the asked page, and the envelope without its results."""
    size = page_size()
    pages = max(1, -(-len(rows) // size))
    number = _page_number(pages)
    envelope = {
        "count": len(rows),
        "next": _link(number + 1) if number < pages else None,
        "previous": _link(number - 1) if number > 1 else None,
    }
    return rows[(number - 1) * size : number * size], envelope


def _page_number(pages: int) -> int:
    """`last` works; zero, junk and pages past the end are a 404."""
    text = request.args.get("page") or "1"
    if text == "last":
        return pages
    number = int(text) if text.isdigit() else 0
    if not 1 <= number <= pages:
        raise ApiError(404, {"detail": "Invalid page."})
    return number


def _link(number: int) -> str:
    """Absolute address from the request's Host; page 1 is written without a page parameter."""
    query = {key: values for key, values in request.args.lists() if key != "page"}
    if number > 1:
        query["page"] = [str(number)]
    text = urlencode(sorted(query.items()), doseq=True)
    return f"{request.scheme}://{request.host}{request.path}" + (f"?{text}" if text else "")
