"""The overview, and the cards of Settings › Integrations › RMM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import render_template
from flask.typing import ResponseReturnValue

from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.contract import Manifest, capabilities
from rmm_extension.services.connections import entitled
from rmm_extension.services.queries import panels
from rmm_extension.services.queries.paging import AnyRow

from .access import requires
from .choices import connection_options, connection_rows
from .context import actor, allows, current_rmm, session
from .routing import Routes

routes = Routes()

ABILITIES = {
    "devices": "Devices become assets",
    "webhook": "Alerts by webhook",
    "alerts": "Alerts by polling",
    "alert_reset": "Resolves alerts at the vendor",
    "software": "Software",
    "patches": "Patches",
    "remote_access": "Remote access",
    "messaging": "Messages",
}
"""Capabilities in the words of a card, in its order."""


@dataclass(frozen=True, slots=True)
class Card:
    """One vendor: what it can do and the tenant's connections to it."""

    key: str
    label: str
    description: str
    abilities: Sequence[str]
    connections: Sequence[AnyRow]


@routes.get("/")
@requires("rmm.view")
def overview() -> ResponseReturnValue:
    """How things stand: open alerts, devices, connections, and what needs somebody."""
    tenant_id = actor().tenant_id
    return render_template(
        "rmm/overview.html",
        connections=connection_rows(),
        severities=panels.open_by_severity(session(), tenant_id),
        statuses=panels.devices_by_status(session(), tenant_id),
        alerts=panels.needy_alerts(session(), tenant_id, limit=5),
        unmapped=panels.waiting_for_client(session(), tenant_id)[:5],
        deliveries=panels.needy_deliveries(session(), tenant_id, limit=5),
        organizations=panels.needy_organizations(session(), tenant_id, limit=5),
        connection_names=dict(connection_options()),
    )


@routes.get("/settings")
@requires("rmm.view")
def settings() -> ResponseReturnValue:
    """A card per vendor that the tenant may use."""
    return render_template("rmm/settings.html", cards=cards(), broken=broken())


def cards() -> list[Card]:
    """The cards of every vendor in the tenant's edition, and of those it is connected to."""
    tenant_id = actor().tenant_id
    rows = connection_rows()
    found = [
        _card(provider.manifest, capabilities(provider), rows)
        for provider in current_rmm().providers.all()
        if entitled(current_rmm(), session(), tenant_id, provider)
    ]
    known = {card.key for card in found}
    orphans = dict.fromkeys(row.provider for row in rows if row.provider not in known)
    return found + [_orphan(key, rows) for key in orphans]


def broken() -> Mapping[str, str]:
    """Providers that could not be loaded, for those who can do something about it."""
    return current_rmm().providers.broken() if allows("rmm.configure") else {}


def _card(manifest: Manifest, able: frozenset[str], rows: Sequence[AnyRow]) -> Card:
    return Card(
        key=manifest.key,
        label=manifest.label,
        description=manifest.description,
        abilities=[words for word, words in ABILITIES.items() if word in able],
        connections=[row for row in rows if row.provider == manifest.key],
    )


def _orphan(key: str, rows: Sequence[AnyRow]) -> Card:
    """Connections to a vendor that cannot be used any more: shown, so that they can be disconnected."""
    mine = [row for row in rows if row.provider == key]
    return Card(key, provider_label(key), "Not available in this installation or edition.", (), mine)
