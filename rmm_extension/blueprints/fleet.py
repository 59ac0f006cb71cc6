"""The fleet: how the devices of all clients and connections stand, each figure leading to its devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.types import AgentStatus
from rmm_extension.services.queries import fleet as queries
from rmm_extension.services.queries.device_filter import NEVER
from rmm_extension.services.queries.fleet import ClientDevices, Fleet
from rmm_extension.services.queries.paging import custom_plans

from . import charts
from .access import requires
from .choices import connection_rows
from .context import actor, session
from .listing import client_names
from .narrowing import Options, argument
from .presentation import words
from .routing import Routes

routes = Routes()

FIRST_CLIENTS, FIRST_VERSIONS = 20, 12
ORDERS: Options = [("not_online", "Most not online")]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: what it counts, how many devices that are, where they are listed, and what it means."""

    label: str
    number: int
    url: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class ClientLine:
    """One client's devices: ``shares`` for its bar, ``cells`` (number and address) by status."""

    client_id: str | None
    total: int
    url: str
    shares: Sequence[charts.Share]
    cells: Mapping[str, tuple[int, str]]


@routes.get("/fleet")
@requires("rmm.view")
def fleet() -> ResponseReturnValue:
    """Status by client, what waits, agent versions and how fresh each connection is."""
    custom_plans(session())
    found = queries.fleet(session(), actor().tenant_id)
    order = argument("order", ORDERS)
    clients = _ordered(found.clients, order)
    shown = clients if argument("clients") == "all" else clients[:FIRST_CLIENTS]
    return render_template(
        "rmm/fleet.html",
        fleet=found,
        statuses=_shares(found.by_status, {}),
        columns=[one.value for one in AgentStatus if found.by_status.get(one.value)],
        clients=[_client_line(one) for one in shown],
        client_names=client_names(shown),
        more_clients=len(clients) - len(shown),
        order=order,
        waiting=_waiting(found),
        unseen=_unseen(found),
        versions=_versions(found),
        more_versions=found.versions[FIRST_VERSIONS:],
        connections=connection_rows(),
    )


def _ordered(clients: Sequence[ClientDevices], order: str | None) -> Sequence[ClientDevices]:
    return sorted(clients, key=lambda one: -one.not_online) if order else clients


def _shares(by_status: Mapping[str, int], scope: Mapping[str, str]) -> list[charts.Share]:
    return charts.shares(
        (one.value, words(one.value), by_status.get(one.value, 0), _devices(status=one.value, **scope))
        for one in AgentStatus
    )


def _client_line(one: ClientDevices) -> ClientLine:
    scope = {"client": one.client_id} if one.client_id else {"managed": "unmapped"}
    cells = {key: (number, _devices(status=key, **scope)) for key, number in one.by_status.items()}
    return ClientLine(one.client_id, one.total, _devices(**scope), _shares(one.by_status, scope), cells)


def _waiting(found: Fleet) -> list[Line]:
    it = found.standing
    return [
        Line("Need a reboot", it.reboot, _devices(reboot="yes")),
        Line("Patches pending", it.patches, _devices(patches="yes"), "As far as the vendor says."),
        Line("Patches not known", it.patches_unknown, _devices(patches="unknown")),
        Line("Without an asset", it.no_asset, _devices(managed="none")),
        Line("Client not mapped", it.no_client, _devices(managed="unmapped")),
        Line("Not in the last list", it.unlisted, _devices(missing="once"), "A slip, or the first sign."),
        Line("Missing at the vendor", it.missing, _devices(missing="missing")),
        Line("Kept active", it.kept, _devices(kept="1"), "By a person, whatever lists say."),
    ]


def _unseen(found: Fleet) -> list[Line]:
    return [
        Line(_unseen_words(span), number, _devices(unseen=_unseen_choice(span)))
        for span, number in found.unseen.items()
    ]


def _unseen_words(span: timedelta) -> str:
    return "Never seen" if span == NEVER else f"Not seen for {span.days} days"


def _unseen_choice(span: timedelta) -> str:
    return "never" if span == NEVER else f"{span.days}d"


def _versions(found: Fleet) -> list[charts.Share]:
    """The most frequent versions, each as its part of all devices."""
    return [
        charts.Share(
            key="version",
            label=version or "Not told",
            value=number,
            url=_devices(version=version) if version else None,
            start=0,
            length=100 * number / found.total,
        )
        for version, number in found.versions[:FIRST_VERSIONS]
    ]


def _devices(**narrowed: str) -> str:
    return f"{url_for('rmm.device_list')}?{urlencode(narrowed)}"
