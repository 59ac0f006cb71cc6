"""Maintenance windows: all of the tenant, those of a connection, and what is done with one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.values import read_uuid
from rmm_extension.models import utc_now
from rmm_extension.services import connections, maintenance
from rmm_extension.services.maintenance import UnknownWindow
from rmm_extension.services.queries import activity
from rmm_extension.services.queries import windows as queries
from rmm_extension.services.queries.windows import WindowFilter, WindowPage

from .abilities import ALERTS, needs
from .access import requires
from .choices import connection_options
from .connection import provider_of
from .context import act, actor, current_rmm, session
from .narrowing import Options, argument, chips, uuid_argument, word
from .routing import Routes
from .tabs import tabs

routes = Routes()

STATES: Options = [
    (queries.RUNNING, "Running"),
    (queries.PLANNED, "Planned"),
    (queries.OVER, "Over"),
    (queries.OFF, "Off"),
]


@routes.get("/maintenance")
@requires("rmm.view")
def window_list() -> ResponseReturnValue:
    """All maintenance windows, newest first."""
    integration_id = uuid_argument("connection")
    names = connection_options()
    active = {"connection": ("Connection", word(names, str(integration_id)) if integration_id else None)}
    return render_template(
        "rmm/maintenance/list.html",
        list_url=url_for("rmm.window_list"),
        connections=names,
        **_list_values(integration_id, active),
    )


@routes.get("/connections/<uuid:integration_id>/maintenance")
@requires("rmm.view")
@needs(*ALERTS, vendor=False)
def connection_maintenance(integration_id: UUID) -> ResponseReturnValue:
    """The windows that concern a connection: its own, and those of all connections."""
    row = connections.get(session(), actor().tenant_id, integration_id)
    return render_template(
        "rmm/maintenance/of_connection.html",
        row=row,
        tabs=tabs(row, provider_of(row)),
        list_url=url_for("rmm.connection_maintenance", integration_id=row.id),
        back_to=row.id,
        **_list_values(row.id, {}),
    )


@routes.get("/maintenance/activity")
@requires("rmm.configure")
def window_activity() -> ResponseReturnValue:
    """Who changed which window, also of those that belong to no connection."""
    return render_template(
        "rmm/maintenance/activity.html",
        activity=activity.of_windows(session(), actor().tenant_id),
        shown=activity.SHOWN,
    )


@routes.post("/maintenance/<uuid:window_id>/switch")
@requires("rmm.configure")
def window_switch(window_id: UUID) -> ResponseReturnValue:
    """On or off."""
    active = request.form.get("active") == "1"

    def work(opened: Session) -> str:
        row = maintenance.set_active(opened, actor(), window_id, active)
        if active:
            return f"“{row.name}” is on."
        return f"“{row.name}” is off. {_released(opened, window_id)}"

    return act(work, _back())


@routes.post("/maintenance/<uuid:window_id>/end")
@requires("rmm.configure")
def window_end(window_id: UUID) -> ResponseReturnValue:
    """End the time that is running."""

    def work(opened: Session) -> str:
        row = maintenance.end_now(opened, actor(), window_id)
        again = " It holds again the next time." if row.recurrence else ""
        return f"“{row.name}” has ended.{again} {_released(opened, window_id)}"

    return act(work, _back())


@routes.form("/maintenance/<uuid:window_id>/delete")
@requires("rmm.configure")
def window_delete(window_id: UUID) -> ResponseReturnValue:
    """Name the consequence, then delete."""
    if request.method == "GET":
        line = queries.window_line(session(), actor().tenant_id, window_id, utc_now())
        if line is None:
            raise UnknownWindow
        return render_template("rmm/maintenance/delete.html", line=line)

    def work(opened: Session) -> str:
        released = _released(opened, window_id)
        gone = maintenance.delete(current_rmm(), opened, actor(), window_id)
        return f"“{gone.name}” is deleted. {released}"

    return act(work, url_for("rmm.window_list"))


def _list_values(integration_id: UUID | None, active: dict[str, Any]) -> dict[str, Any]:
    """What both lists show."""
    state = argument("state", STATES)
    found: WindowPage = queries.window_page(
        current_rmm(),
        session(),
        actor().tenant_id,
        WindowFilter(integration_id=integration_id, state=state),
        utc_now(),
        after=argument("after"),
        before=argument("before"),
    )
    return {
        "page": found.lines,
        "total": found.total,
        "names": found.names,
        "known": sum(found.counts.values()),
        "state_options": [(key, f"{label} ({found.counts[key]})") for key, label in STATES],
        "chips": chips({**active, "state": ("State", word(STATES, state))}),
    }


def _released(opened: Session, window_id: UUID) -> str:
    """What becomes of the alerts that the window suppressed."""
    number = queries.suppressed_counts(opened, actor().tenant_id, [window_id]).get(window_id, 0)
    if not number:
        return "It suppressed nothing at the moment."
    alerts = "1 suppressed alert goes" if number == 1 else f"{number} suppressed alerts go"
    return f"{alerts} through the rules within a minute, unless another window holds."


def _back() -> str:
    integration_id = read_uuid(request.form.get("back_to", ""))
    if integration_id is None:
        return url_for("rmm.window_list")
    return url_for("rmm.connection_maintenance", integration_id=integration_id)
