"""Walking the agents of an account: one list, page by page.

A routine run lists everything, as a full one does: ten thousand agents are twenty requests, and the list has
no filter by time. The walk is ordered by id, so that an agent which reports meanwhile shifts no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Any
from urllib.parse import quote

import msgspec

from rmm_extension.domain.errors import NotFound
from rmm_extension.domain.types import Device, DevicePage
from rmm_extension.domain.values import identifier, text
from rmm_extension.providers.device_pages import Batch, Unreadable
from rmm_extension.providers.huntress import organizations
from rmm_extension.providers.huntress.agents import device_of
from rmm_extension.providers.huntress.client import HuntressClient, Page

PATH = "/v1/agents"
NAME = "agents"
_BY_ID = {"sort_field": "id", "sort_direction": "asc"}
_NO_ORGANIZATION = "The organization with id {} does not exist at Huntress, or the key may not see it."


def walk(client: HuntressClient, organization_ids: Sequence[str], *, full: bool) -> Iterator[DevicePage]:
    """All pages; the organizations are complete with the last one, and only with a list that ended well.

    A row that cannot be read still proves that its agent is there. One that does not even tell its id leaves
    every organization incomplete.
    """
    known = {one.external_id for one in organizations.listing(client)}
    wanted = dict.fromkeys(organization_ids)
    there = wanted.keys() & known
    warnings = [_NO_ORGANIZATION.format(key[:50]) for key in wanted if key not in there]
    is_sound = True
    for page in client.pages(PATH, NAME, params=_BY_ID):
        batch = _sorted_out(page, there, full=full)
        is_sound = is_sound and batch.is_sound
        yield batch.page(warnings)
        warnings = []
    yield DevicePage(devices=(), completed_organizations=tuple(there if is_sound else ()))


def fetch(client: HuntressClient, external_id: str) -> Device | None:
    """One device now; ``None`` when Huntress does not know it."""
    try:
        row, reply = client.single(f"{PATH}/{quote(external_id, safe='')}", "agent")
    except NotFound:
        return None
    try:
        found = device_of(row, reply.moment, full=True)
    except Unreadable as error:
        raise reply.misshapen(f"{error} - at `$.agent`") from None
    if found.external_id != external_id:
        raise reply.misshapen("another agent - at `$.agent.id`")
    return found


def _sorted_out(page: Page, wanted: Set[str], *, full: bool) -> Batch:
    batch, now = Batch(), page.reply.moment
    for raw in page.rows:
        row: Any = None
        try:
            row = msgspec.json.decode(raw, type=dict[str, Any])
            device = device_of(row, now, full=full)
        except (msgspec.MsgspecError, UnicodeDecodeError, Unreadable) as error:
            told = row or {}
            batch.leave_out("Agent", identifier(told.get("id")), text(told.get("hostname")), error)
            continue
        batch.take(device, wanted)
    return batch
