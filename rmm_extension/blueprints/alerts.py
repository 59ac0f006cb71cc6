"""The list of alerts, and one alert with its story."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from rmm_extension.domain.types import AlertStatus
from rmm_extension.domain.windows import ends_at
from rmm_extension.host import TicketState
from rmm_extension.models import Alert, utc_now
from rmm_extension.services.maintenance import window_of
from rmm_extension.services.manual import joinable
from rmm_extension.services.queries import alerts as queries
from rmm_extension.services.queries.alert_detail import alert_detail
from rmm_extension.services.queries.alerts import SHORTEST_TEXT, AlertFilter

from .access import requires
from .alert_vendor import is_about, vendor_actions
from .choices import SEVERITIES, STATES, TIMES, client_options, connection_options, provider_options, since
from .context import actor, allows, current_rmm, session
from .listing import assets_of, client_names, listing, tickets_of
from .narrowing import Chip, Options, argument, chips, uuid_argument, word
from .opened import opened
from .routing import Routes

routes = Routes()


@routes.get("/alerts")
@requires("rmm.view")
def alert_list() -> ResponseReturnValue:
    """Alerts, newest first, narrowed by the address's parameters."""
    wanted, options = alert_filter(), _options()
    found = listing(queries.alert_page, queries.alert_count, wanted, turned="oldest")
    text = argument("q")
    return render_template(
        "rmm/alerts/list.html",
        list=found,
        text=text,
        too_short=text is not None and wanted.text is None,
        options=options,
        chips=_chips(text, options, queries.filter_names(session(), actor().tenant_id, wanted)),
        client_names=client_names(found.rows, options["client"]),
        tickets=tickets_of(found.rows),
        connection_names=dict(options["connection"]),
        may_manage=allows("rmm.alerts.manage"),
    )


def _options() -> Mapping[str, Options]:
    """What each filter offers, by its parameter."""
    connections = dict(connection_options())
    rules = queries.rule_names(session(), actor().tenant_id)
    several = len(connections) > 1
    return {
        "state": STATES,
        "severity": SEVERITIES,
        "provider": provider_options(),
        "connection": list(connections.items()),
        "client": client_options(argument("client")),
        "time": TIMES,
        "rule": [
            (
                str(rule.id),
                f"{connections.get(str(rule.integration_id), '')}: {rule.name}" if several else rule.name,
            )
            for rule in rules
        ],
        "attention": [("1", "yes")],
        "lost": [("1", "yes")],
    }


@routes.get("/alerts/<uuid:alert_id>")
@requires("rmm.view")
def alert_page(alert_id: UUID) -> ResponseReturnValue:
    """One alert: what it is, where it stands, and why."""
    found = alert_detail(session(), actor().tenant_id, alert_id)
    if found is None:
        abort(404)
    alert = found.alert
    may_manage = allows("rmm.alerts.manage")
    return render_template(
        "rmm/alerts/detail.html",
        found=found,
        alert=alert,
        is_open=AlertStatus(alert.status).is_open,
        suppressed_until=ends_at(window_of(found.window), utc_now()) if found.window else None,
        ticket=tickets_of([alert]).get(alert.ticket_id or ""),
        joinable=_joinable(alert) if may_manage else None,
        asset=assets_of([alert]).get(alert.asset_id or ""),
        client_name=client_names([alert]).get(alert.client_id or ""),
        may_manage=may_manage,
        vendor_actions=vendor_actions(found),
        action=opened(lambda row: is_about(alert, row)),
    )


def _joinable(alert: Alert) -> TicketState | None:
    """The ticket that asking for one would join."""
    if alert.ticket_id is not None:
        return None
    return joinable(current_rmm(), session(), alert.tenant_id, alert.id)


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
        rule_id=uuid_argument("rule"),
        window_id=uuid_argument("window"),
        text=text if text and len(text) >= SHORTEST_TEXT else None,
        since=since(argument("time", TIMES)),
        attention=argument("attention") == "1",
        lost=argument("lost") == "1",
    )


_LABELS = {
    "state": "State",
    "severity": "Severity",
    "provider": "Vendor",
    "connection": "Connection",
    "client": "Client",
    "time": "Time",
    "rule": "Rule",
    "attention": "Needs attention",
    "lost": "Webhook lost",
}


def _chips(text: str | None, options: Mapping[str, Options], names: queries.FilterNames) -> list[Chip]:
    """The active filters in words; an id that is none of ours is shown as it is, to be removed."""
    active: dict[str, tuple[str, str | None]] = {"q": ("Text", text)}
    for name, label in _LABELS.items():
        value = argument(name) if name in _FREE else argument(name, options[name])
        active[name] = (label, word(options[name], value) or value)
    for name, known in (("rule", names.rule), ("device", names.device), ("window", names.window)):
        if uuid_argument(name):
            active[name] = (name.capitalize(), known or "one that was removed")
    return chips(active)


_FREE = ("provider", "connection", "client")
"""Filters that narrow the list also by a value that is not offered."""
