"""The overview, and the cards of Settings › Integrations › RMM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.types import AgentStatus
from rmm_extension.models import utc_now
from rmm_extension.providers.capabilities import capabilities
from rmm_extension.providers.contract import Manifest
from rmm_extension.services.connections import entitled
from rmm_extension.services.queries import overview as queries
from rmm_extension.services.queries.paging import AnyRow

from . import charts
from .access import requires
from .choices import connection_rows
from .context import actor, allows, current_rmm, provider_of, session
from .listing import tickets_of
from .narrowing import argument
from .needs import attention_counts
from .presentation import words
from .routing import Routes

routes = Routes()

LOOK_BACK, A_WEEK = 30, 7
"""Days that times to resolve, and the conditions that fire most, look back."""
RANGES = (14, LOOK_BACK)

ABILITIES = {
    "devices": "Devices become assets",
    "webhook": "Alerts by webhook",
    "alerts": "Alerts by polling",
    "alert_changes": "Alerts by polling",
    "alert_reset": "Resolves alerts at the vendor",
    "software": "Software",
    "patches": "Patches",
    "actions": "Scripts and actions",
    "remote_access": "Remote access",
}
"""Capabilities in the words of a card, in its order."""
CATEGORIES = {"rmm": "RMM", "communication": "Communication"}
"""Where Settings › Integrations lists a vendor."""
_CHAT = ("Messages to people and channels", "Notifications")


@dataclass(frozen=True, slots=True)
class Card:
    """One vendor: what it can do and the tenant's connections to it."""

    key: str
    label: str
    description: str
    abilities: Sequence[str]
    connections: Sequence[AnyRow]
    category: str = "rmm"


@routes.get("/")
@requires("rmm.view")
def overview() -> ResponseReturnValue:
    """How things stand: open alerts, noise, what fires most, connections, devices, what needs somebody."""
    connections = connection_rows()
    if not connections:
        return render_template("rmm/overview.html", connections=connections)
    days = LOOK_BACK if argument("days") == str(LOOK_BACK) else RANGES[0]
    found = figures(days)
    # Looking for the stalest reads every device, so only where there is one.
    stale = queries.stale_devices(session(), actor().tenant_id) if found["devices"].stale else []
    return render_template(
        "rmm/overview.html",
        connections=connections,
        ranges=RANGES,
        days=days,
        stale=stale,
        **found,
        **_details(),
    )


def figures(days: int = RANGES[0]) -> dict[str, Any]:
    """What the overview and the host's dashboard share: four statements."""
    tenant_id = actor().tenant_id
    found, devices = queries.open_alerts(session(), tenant_id), queries.devices(session(), tenant_id)
    return {
        "open": found,
        "severities": _severities(found),
        "columns": charts.columns(queries.noise(session(), tenant_id, _today(), days)),
        "attention": attention_counts(),
        "devices": devices,
        "statuses": _statuses(devices),
        "stale_days": queries.STALE_AFTER.days,
    }


def _details() -> dict[str, Any]:
    """What only the page shows: two statements, and the host's for the tickets."""
    tenant_id = actor().tenant_id
    top = queries.top_conditions(session(), tenant_id, _first_of(A_WEEK))
    return {
        "look_back": LOOK_BACK,
        "week": A_WEEK,
        "top": top,
        "tickets": tickets_of(top),
        "times": queries.times_to_resolve(session(), tenant_id, _first_of(LOOK_BACK)),
    }


def _today() -> date:
    return utc_now().date()


def _first_of(days: int) -> date:
    return _today() - timedelta(days=days - 1)


def _severities(found: queries.OpenAlerts) -> list[charts.Share]:
    return charts.shares(
        (key, words(key), number, url_for("rmm.alert_list", state="open", severity=key))
        for key, number in found.by_severity.items()
    )


def _statuses(found: queries.Devices) -> list[charts.Share]:
    return charts.shares(
        (key, words(key), found.by_status.get(key, 0), url_for("rmm.device_list", status=key))
        for key in (one.value for one in AgentStatus)
    )


@routes.get("/settings")
@requires("rmm.view")
def settings() -> ResponseReturnValue:
    """A card per vendor that the tenant may use."""
    return render_template("rmm/settings.html", categories=CATEGORIES, all_cards=cards(), broken=broken())


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
        abilities=_abilities(able),
        connections=[row for row in rows if row.provider == manifest.key],
        category=manifest.category,
    )


def _abilities(able: frozenset[str]) -> Sequence[str]:
    if "bot_messages" in able:
        return _CHAT
    return [words for word, words in ABILITIES.items() if word in able]


def _orphan(key: str, rows: Sequence[AnyRow]) -> Card:
    """Connections to a vendor that cannot be used any more: shown, so that they can be disconnected."""
    mine = [row for row in rows if row.provider == key]
    known = provider_of(key)
    category = known.manifest.category if known else "rmm"
    why = "Not available in this installation or edition."
    return Card(key, provider_label(key), why, (), mine, category)
