"""/v2/organizations and /v2/locations."""

from __future__ import annotations

from typing import Any

from simulators.ninjaone.endpoints import lab, reads
from simulators.ninjaone.enums import NODE_CLASSES
from simulators.ninjaone.models import Location, Organization
from simulators.ninjaone.paging import after_page
from simulators.ninjaone.replies import missing

Row = dict[str, Any]

UNSET = {"product": "", "enabled": False, "targets": [], "options": {}}
SETTINGS = dict.fromkeys(("trayicon", "splashtop", "teamviewer", "backup", "psa"), UNSET)


def organization_row(one: Organization) -> Row:
    """The short form."""
    row: Row = {"name": one.name, "description": one.description, "nodeApprovalMode": one.approval_mode}
    return {**row, "id": one.id, "userData": one.user_data} if one.user_data else {**row, "id": one.id}


def _detailed(one: Organization) -> Row:
    places = [location_row(place) for place in lab().fleet.locations_of(one.id)]
    policies = [{"nodeRoleId": number + 1, "policyId": number + 40} for number in range(len(NODE_CLASSES))]
    return organization_row(one) | {"locations": places, "policies": policies, "settings": SETTINGS}


def location_row(one: Location) -> Row:
    """Without its organization."""
    row: Row = {"name": one.name, "address": one.address, "id": one.id}
    return row | ({"description": one.description} if one.description else {})


def organizations() -> list[Row]:
    """The short forms."""
    return [organization_row(one) for one in after_page(lab().fleet.organizations)]


def organizations_detailed() -> list[Row]:
    """With locations, policies and settings."""
    return [_detailed(one) for one in after_page(lab().fleet.organizations)]


def organization(organization_id: int) -> Row:
    """One of them, in full."""
    found = lab().fleet.organizations.get(organization_id)
    if found is None:
        raise missing("Organization")
    return _detailed(found)


def locations() -> list[Row]:
    """All, with the organization each belongs to."""
    found = after_page(lab().fleet.locations)
    return [location_row(one) | {"organizationId": one.organization_id} for one in found]


def locations_of(organization_id: int) -> list[Row]:
    """Those of one organization."""
    organization(organization_id)
    return [location_row(one) for one in lab().fleet.locations_of(organization_id)]


ENDPOINTS = [
    reads("/organizations", organizations),
    reads("/organizations-detailed", organizations_detailed),
    reads("/organization/<int:organization_id>", organization),
    reads("/organization/<int:organization_id>/locations", locations_of),
    reads("/locations", locations),
]
