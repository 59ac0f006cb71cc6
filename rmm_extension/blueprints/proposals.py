"""Devices that may be an asset that exists already, and devices whose removal waits for a person."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.services import connections, inventory

from .abilities import needs
from .access import requires
from .context import act, actor, current_rmm, session
from .listing import client_names
from .narrowing import must_be_uuid
from .routing import Routes
from .tabs import tabs

routes = Routes()


@routes.get("/connections/<uuid:integration_id>/proposals")
@requires("rmm.view")
@needs("devices")
def connection_proposals(integration_id: UUID) -> ResponseReturnValue:
    """Pairs of a device's own asset and existing ones it may really be."""
    row = connections.get(session(), actor().tenant_id, integration_id)
    has_assets = current_rmm().host.assets is not None
    found = inventory.proposals(current_rmm(), session(), row.tenant_id, row.id) if has_assets else []
    return render_template(
        "rmm/connections/proposals.html",
        row=row,
        tabs=tabs(row, current_rmm().providers.get(row.provider)),
        proposals=found,
        clients=client_names([asset for proposal in found for asset in proposal.candidates]),
    )


@routes.post("/connections/<uuid:integration_id>/proposals")
@requires("rmm.configure")
@needs("devices")
def proposal_decide(integration_id: UUID) -> ResponseReturnValue:
    """Adopt an existing asset for a device, or keep the two apart."""
    device_id = must_be_uuid(request.form.get("device", ""))
    asset_id = request.form.get("asset") or None

    def work(opened: Session) -> str:
        has_own = inventory.decide_proposal(current_rmm(), opened, actor(), device_id, asset_id)
        if asset_id is None:
            return "The device keeps its own asset." if has_own else "The device stays without an asset."
        return "The device belongs to the existing asset now; the next sync fills it."

    return act(work, url_for("rmm.connection_proposals", integration_id=integration_id))


@routes.post("/devices/<uuid:device_id>/asset")
@requires("rmm.configure")
def device_join(device_id: UUID) -> ResponseReturnValue:
    """Say by its name which asset a device without one is."""

    def work(opened: Session) -> str:
        name = inventory.join_asset(
            current_rmm(), opened, actor(), device_id, request.form.get("asset", "")[:500]
        )
        return f"The device belongs to “{name}” now; the next sync fills it."

    return act(work, url_for("rmm.device_page", device_id=device_id))


@routes.post("/connections/<uuid:integration_id>/organizations/<uuid:mapping_id>/gone")
@requires("rmm.configure")
@needs("organizations")
def organization_confirm_gone(integration_id: UUID, mapping_id: UUID) -> ResponseReturnValue:
    """A person's yes to removing many devices of an organization at once."""

    def work(opened: Session) -> str:
        number = inventory.confirm_missing(current_rmm(), opened, actor(), mapping_id)
        devices = "1 device is" if number == 1 else f"{number} devices are"
        return f"{devices} marked as gone; the assets they stood for are inactive."

    return act(work, url_for("rmm.organizations", integration_id=integration_id))
