"""The organizations of an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from rmm_extension.domain.types import Organization
from rmm_extension.domain.values import identifier, storable, text
from rmm_extension.providers.huntress.client import HuntressClient, Page

PATH = "/v1/organizations"
NAME = "organizations"
_METADATA = ("key", "agents_count", "incident_reports_count", "billable_identity_count")


def listing(client: HuntressClient) -> Sequence[Organization]:
    """All organizations; an error where one cannot be read: a list without it would say that it is gone."""
    return list({one.external_id: one for one in _all(client)}.values())


def _all(client: HuntressClient) -> Iterator[Organization]:
    for page in client.pages(PATH, NAME):
        yield from rows_of(page)


def rows_of(page: Page) -> Iterator[Organization]:
    """The organizations of a page."""
    for number, raw in enumerate(page.rows):
        try:
            row = msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise page.reply.misshapen(f"no object - at `$.{NAME}[{number}]`") from None
        external_id = identifier(row.get("id"))
        if external_id is None:
            raise page.reply.misshapen(f"no id - at `$.{NAME}[{number}].id`")
        yield organization_of(external_id, row)


def organization_of(external_id: str, row: Mapping[str, Any]) -> Organization:
    """The organization, with what else Huntress counts of it."""
    told = {
        key: storable(row[key])
        for key in _METADATA
        if isinstance(row.get(key), (str, int)) and row[key] != ""
    }
    return Organization(
        external_id=external_id,
        name=text(row.get("name")) or f"Organization {external_id}",
        metadata=told,
    )
