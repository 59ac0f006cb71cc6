"""The list of alerts, and one alert with its story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from rmm_extension.host import TicketState
from rmm_extension.services.queries import alerts as queries
from rmm_extension.services.queries.alerts import SHORTEST_TEXT, AlertFilter
from rmm_extension.services.queries.paging import CAP, AnyRow, custom_plans

from .access import requires
from .choices import SEVERITIES, STATES, TIMES, client_options, connection_options, provider_options, since
from .context import actor, current_rmm, session
from .narrowing import Chip, Options, argument, chips, uuid_argument, word
from .routing import Routes

routes = Routes()


@routes.get("/alerts")
@requires("rmm.view")
def alert_list() -> ResponseReturnValue:
    """Alerts, newest first, narrowed by the address's parameters."""
    tenant_id = actor().tenant_id
    clients, providers = client_options(argument("client")), provider_options()
    connections_ = connection_options()
    text = argument("q")
    too_short = text is not None and len(text) < SHORTEST_TEXT
    wanted = alert_filter()
    custom_plans(session())
    page = queries.alert_page(
        session(),
        tenant_id,
        wanted,
        after=argument("after"),
        before=argument("before"),
        oldest_first=argument("sort") == "oldest",
    )
    return render_template(
        "rmm/alerts/list.html",
        page=page,
        count=_count(page.total, wanted),
        sort=argument("sort"),
        cap=CAP,
        wanted=wanted,
        too_short=too_short,
        text=text,
        chips=_chips(text, connections_, clients, providers),
        options={"connections": connections_, "clients": clients, "providers": providers},
        STATES=STATES,
        SEVERITIES=SEVERITIES,
        TIMES=TIMES,
        client_names=dict(clients) | _missing_names(page.rows, dict(clients)),
        tickets=tickets_of(page.rows),
        connection_names=dict(connections_),
    )


def _count(known: int | None, wanted: AlertFilter) -> int:
    """How many alerts match: asked for only where the page itself does not tell."""
    return queries.alert_count(session(), actor().tenant_id, wanted) if known is None else known


@routes.get("/alerts/<uuid:alert_id>")
@requires("rmm.view")
def alert_page(alert_id: UUID) -> ResponseReturnValue:
    """One alert: what it is, where it stands, and why."""
    found = queries.alert_detail(session(), actor().tenant_id, alert_id)
    if found is None:
        abort(404)
    alert = found.alert
    return render_template(
        "rmm/alerts/detail.html",
        found=found,
        alert=alert,
        ticket=tickets_of([alert]).get(alert.ticket_id or ""),
        client_name=client_names([alert]).get(alert.client_id or ""),
    )


def tickets_of(rows: Sequence[Any]) -> Mapping[str, TicketState]:
    """The tickets the rows link to, in one call; none where the host has no ticket port."""
    port = current_rmm().host.tickets
    ids = {row.ticket_id for row in rows if row.ticket_id}
    return port.get_many(session(), actor().tenant_id, ids) if port and ids else {}


def client_names(rows: Sequence[Any]) -> dict[str, str]:
    """Names of the rows' clients, in one call."""
    ids = {row.client_id for row in rows if row.client_id}
    if not ids:
        return {}
    found = current_rmm().host.clients.get_many(session(), actor().tenant_id, ids)
    return {key: client.name for key, client in found.items()}


def _missing_names(rows: Sequence[AnyRow], known: Mapping[str, str]) -> dict[str, str]:
    return client_names([row for row in rows if row.client_id and row.client_id not in known])


def alert_filter() -> AlertFilter:
    """What the address narrows the list to; a text that is too short narrows nothing."""
    text = argument("q")
    return AlertFilter(
        state=argument("state", STATES),
        severity=argument("severity", SEVERITIES),
        provider=argument("provider"),
        integration_id=uuid_argument("connection"),
        client_id=argument("client"),
        device_id=uuid_argument("device"),
        text=text if text and len(text) >= SHORTEST_TEXT else None,
        since=since(argument("time", TIMES)),
        attention=argument("attention") == "1",
    )


def _chips(text: str | None, connections_: Options, clients: Options, providers: Options) -> list[Chip]:
    return chips(
        {
            "q": ("Text", text),
            "state": ("State", word(STATES, argument("state"))),
            "severity": ("Severity", word(SEVERITIES, argument("severity"))),
            "provider": ("Vendor", word(providers, argument("provider")) or argument("provider")),
            "connection": (
                "Connection",
                word(connections_, argument("connection")) or argument("connection"),
            ),
            "client": ("Client", word(clients, argument("client")) or argument("client")),
            "time": ("Time", word(TIMES, argument("time"))),
            "device": ("Device", "this one" if uuid_argument("device") else None),
            "attention": ("Needs attention", "yes" if argument("attention") == "1" else None),
        }
    )
