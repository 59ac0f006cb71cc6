"""Alerts and runs of automations: letting monitors find something, resolving it, ending runs."""

from __future__ import annotations

from typing import Any

from simulators.levelio import monitors
from simulators.levelio.control.blueprint import (
    BadCommand,
    command,
    device_of,
    fields,
    lab,
    now_or_later,
    query,
)
from simulators.levelio.endpoints import known
from simulators.levelio.rows import alert_row, run_row
from simulators.levelio.runs import finish


@query("/api/alerts")
def list_alerts() -> Any:
    """What is on."""
    return [alert_row(one) for one in lab().active_alerts()]


@query("/api/monitors")
def list_monitors() -> Any:
    """Names of the monitors that can find something."""
    return list(monitors.MONITORS)


@command("/api/alerts/raise")
def raise_alert() -> Any:
    """{"device_id", "name"?, "severity"?, "description"?}, now or "after_requests"; none in maintenance."""
    data = fields()
    if data.get("severity") not in (None, *monitors.SEVERITIES):
        raise BadCommand(f"severity: {', '.join(monitors.SEVERITIES)}")
    given = {key: data[key] for key in ("name", "severity", "description") if key in data}
    with lab().lock:
        server, device, found = lab(), device_of(data["device_id"]), []
        now_or_later(data, lambda: found.append(monitors.raise_alert(server, device, **given)))
        return {"id": found[0].id if found and found[0] else None}


@command("/api/alerts/<alert_id>/resolve")
def resolve(alert_id: str) -> Any:
    """{}: the finding is gone, now or "after_requests" (below "prefix")."""
    with lab().lock:
        server, alert = lab(), known(lab().alerts, alert_id, "Alert")
        return {"resolved": now_or_later(fields(), lambda: monitors.resolve_alert(server, alert))}


@command("/api/alerts/<alert_id>/vanish")
def vanish(alert_id: str) -> Any:
    """Gone without an event, and not among the resolved ones either."""
    with lab().lock:
        return {"gone": lab().alerts.pop(known(lab().alerts, alert_id, "Alert").id, None) is not None}


@query("/api/runs")
def list_runs() -> Any:
    """What was run, with the parameters it was given."""
    return [run_row(lab(), one) | {"parameters": one.parameters} for one in lab().runs.values()]


@command("/api/runs/<run_id>/finish")
def finish_run(run_id: str) -> Any:
    """{"status"?}: it is over."""
    with lab().lock:
        run = known(lab().runs, run_id, "Run")
        finish(lab(), run, fields().get("status"))
        return run_row(lab(), run)
