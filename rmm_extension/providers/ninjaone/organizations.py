"""The organizations, with their locations."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rmm_extension.domain.errors import BadResponse
from rmm_extension.domain.types import Organization
from rmm_extension.domain.values import text
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.errors import KEY

PATH = "/v2/organizations-detailed"
MAX_LOCATIONS = 200
"""How many of an organization's locations are told by name."""


class Location(msgspec.Struct):
    """A place of an organization."""

    id: int
    name: str | None = None


class Row(msgspec.Struct):
    """An organization as the detailed list has it."""

    id: int
    name: str | None = None
    description: str | None = None
    locations: list[Location] | None = None


def listing(client: NinjaOneClient) -> Sequence[Organization]:
    """All organizations that the sign-in may see; an error where one of them cannot be read."""
    errors: list[str] = []
    found = {row.id: row for page in client.watermark(PATH, Row, errors=errors) for row in page}
    if errors:
        # A list that lacks one would say of it that it is gone.
        raise BadResponse(f"The list of organizations is not complete. {errors[0]}", provider=KEY)
    return [organization_of(row) for row in found.values()]


def organization_of(row: Row) -> Organization:
    """The organization, with its description and the names of its locations."""
    locations = {str(one.id): text(one.name) or f"Location {one.id}" for one in row.locations or ()}
    metadata = {
        "description": text(row.description),
        "locations": dict(list(locations.items())[:MAX_LOCATIONS]),
    }
    return Organization(
        external_id=str(row.id),
        name=text(row.name) or f"Organization {row.id}",
        metadata={key: value for key, value in metadata.items() if value},
    )
