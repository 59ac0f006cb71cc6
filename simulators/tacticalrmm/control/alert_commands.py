"""Opening and closing alerts."""

from __future__ import annotations

from typing import Any

from flask import request

from simulators.tacticalrmm.alerting import (
    KINDS,
    SEVERITIES,
    Firing,
    Trigger,
    deliver,
    fail,
    open_custom,
    recover,
)
from simulators.tacticalrmm.control.blueprint import BadCommand, command, fields, lab, query
from simulators.tacticalrmm.cycle import run_cycle
from simulators.tacticalrmm.models import Alert
from simulators.tacticalrmm.replies import missing


def alert_summary(alert: Alert) -> dict[str, Any]:
    """The alert as the control page shows it."""
    agent = lab().fleet.agents.get(alert.agent_pk or 0)
    return {
        "id": alert.id,
        "type": alert.alert_type,
        "severity": alert.severity,
        "message": alert.message,
        "agent_id": agent.agent_id if agent else None,
        "hostname": agent.hostname if agent else None,
        "resolved": alert.resolved,
        "snoozed": alert.snoozed,
        "check_id": alert.check_id,
        "task_id": alert.task_id,
        "action_retcode": alert.failure.retcode,
        "resolved_action_retcode": alert.recovery.retcode,
    }


@query("/api/alerts")
def list_alerts() -> Any:
    """?open=1 leaves resolved ones out."""
    rows = lab().alerts.values()
    return [alert_summary(a) for a in rows if not (request.args.get("open") and a.resolved)]


def _sent(firing: Firing | None) -> dict[str, Any]:
    """Send now and say how it went."""
    if firing is None:
        return {"fired": False, "delivery": None}
    outcome = deliver(lab(), firing)
    return {"fired": True, "delivery": {"status": outcome.retcode, "ms": outcome.milliseconds}}


def _trigger_from(data: dict[str, Any]) -> Trigger:
    kind, severity = data.get("type", "availability"), data.get("severity", "error")
    if kind not in KINDS or severity not in SEVERITIES:
        raise BadCommand(f"type is one of {', '.join(KINDS)}; severity is one of {', '.join(SEVERITIES)}")
    result: dict[str, Any] = {
        key: data[key] for key in ("stdout", "stderr", "retcode", "more_info") if key in data
    }
    return Trigger(
        kind=kind,
        severity=severity,
        message=data.get("message"),
        check_id=int(data["check_id"]) if data.get("check_id") else None,
        check_type=data.get("check_type", "script"),
        description=data.get("description"),
        task_id=int(data["task_id"]) if data.get("task_id") else None,
        result=result or None,
    )


@command("/api/alerts/trigger")
def trigger() -> Any:
    """Something fails on an agent; opens or updates its alert and sends the webhook if one is due.

    {"agent_id", "type"?, "severity"?, "message"?, "check_id"?, "check_type"?, "task_id"?,
    "description"?, "stdout"?, "stderr"?, "retcode"?, "more_info"?}
    """
    data = fields()
    wanted = _trigger_from(data)
    with lab().lock:
        if wanted.kind == "custom" and not data.get("agent_id"):
            alert = open_custom(lab(), None, wanted.severity, wanted.message or "Custom alert")
            return {"alert_id": alert.id, "fired": False, "delivery": None}
        alert, firing = fail(lab(), lab().agent(data["agent_id"]), wanted)
    details = {"alert_id": alert.id, "check_id": alert.check_id, "task_id": alert.task_id}
    return {**details, **_sent(firing)}


@command("/api/alerts/<int:alert_id>/resolve")
def resolve(alert_id: int) -> Any:
    """The condition goes away, as when a check passes again: fires the resolved webhook.

    {"stdout"?, "stderr"?, "retcode"?}: the result of the passing run.
    """
    data = fields()
    with lab().lock:
        if alert_id not in lab().alerts:
            raise missing("Alert")
        alert = lab().alerts[alert_id]
        owner = lab().checks.get(alert.check_id or 0) or lab().tasks.get(alert.task_id or 0)
        if owner is not None and data:
            owner.result = data
        agent = lab().fleet.agents.get(alert.agent_pk or 0)
        if agent is None:
            raise BadCommand("an alert without an agent is resolved through the vendor's API")
        firing = recover(lab(), agent, alert)
    return {"alert_id": alert_id, "resolved": alert.resolved, **_sent(firing)}


@command("/api/alerts/<int:alert_id>/prune")
def prune(alert_id: int) -> Any:
    """Delete the row, as the server does with old resolved alerts."""
    with lab().lock:
        return {"deleted": lab().alerts.pop(alert_id, None) is not None}


@command("/api/cycle")
def cycle() -> Any:
    """One round of the periodic work: whatever still fails fails again, whoever is back is resolved."""
    with lab().lock:
        failed, resolved, firings = run_cycle(lab())
    statuses = [deliver(lab(), firing).retcode for firing in firings]
    return {
        "failed": [alert.id for alert in failed],
        "resolved": [alert.id for alert in resolved],
        "fired": len(firings),
        "statuses": statuses,
    }
