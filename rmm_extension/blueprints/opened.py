"""An action that was asked for on the page of an alert, a device, an asset or a ticket: the way leads back
there, and the page shows how it goes and what came of it, in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from flask import request, url_for

from rmm_extension.services.queries import actions as queries
from rmm_extension.services.queries.paging import AnyRow

from .action_values import readable, values_of
from .context import actor, session
from .narrowing import uuid_argument
from .returning import place_url

PARAMETER = "rmm_asked"
"""Names the action in the page's address; that page may be the host's own."""
ANCHOR = "rmm-asked"


def came_from() -> str:
    """The page that the request says it came from, for :mod:`returning`."""
    return request.values.get("back", "")


def opened_url(place: str, invocation_id: UUID) -> str:
    """The address of a place (:func:`.returning.place_url`) with the action opened on it; where it is none,
    the action's own page."""
    url = place_url(place)
    if url is None:
        return url_for("rmm.action_page", invocation_id=invocation_id)
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != PARAMETER]
    asked = urlencode([*query, (PARAMETER, str(invocation_id))])
    return parts._replace(query=asked, fragment=ANCHOR).geturl()


def opened(belongs: Callable[[AnyRow], bool]) -> dict[str, Any] | None:
    """What is shown of the action that the page's address opens; ``None`` where it opens none, or one that
    belongs elsewhere or that the signed-in person may not read."""
    asked = uuid_argument(PARAMETER)
    row = queries.invocation(session(), actor().tenant_id, asked) if asked else None
    if row is None or not belongs(row) or not readable(row):
        return None
    return values_of(row)
