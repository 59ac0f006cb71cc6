"""/v1/organizations."""

from __future__ import annotations

from typing import Any

from flask import request

from simulators.huntress.endpoints import lab, reads, the
from simulators.huntress.lab import ACCOUNT_ID
from simulators.huntress.models import Organization
from simulators.huntress.paging import BY_TIME, listing
from simulators.huntress.replies import iso

Row = dict[str, Any]

SORTS = {**BY_TIME, "name": lambda one: one.name, "key": lambda one: one.key}


def organization_row(one: Organization) -> Row:
    """The organization as the list tells it."""
    incidents = [found for found in lab().incidents.values() if found.organization_id == one.id]
    return {
        "id": one.id,
        "agents_count": len(lab().fleet.agents_of(one.id)),
        "account_id": ACCOUNT_ID,
        "created_at": iso(one.created),
        "incident_reports_count": len(incidents),
        "key": one.key,
        "logs_sources_count": 0,
        "identity_provider_tenant_id": one.tenant_id,
        "billable_identity_count": one.identities,
        "name": one.name,
        "report_recipients": one.recipients,
        "sat_learner_count": 0,
        "updated_at": iso(one.updated),
    }


def organizations() -> Row:
    """Narrowed by name and key."""
    name, key = request.args.get("name"), request.args.get("key")
    rows = [
        one
        for one in lab().fleet.organizations.values()
        if name in (None, one.name) and key in (None, one.key)
    ]
    return listing("organizations", rows, organization_row, SORTS)


def organization(organization_id: int) -> Row:
    """One of them."""
    found = the(lab().fleet.organizations, organization_id, "Organization")
    agents = lab().fleet.agents_of(found.id)
    isolated = sum(one.firewall == "Isolated" for one in agents)
    usages = {"edr": {"billable_agents_count": len(agents), "isolated_agents_count": isolated}}
    return {"organization": organization_row(found) | {"actual_usages": usages}}


ADDRESSES = [
    reads("/organizations", organizations),
    reads("/organizations/<int:organization_id>", organization),
]
