"""/alerts/: PATCH reads, PUT changes one, POST makes a custom one, /bulk/ changes many."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from simulators.tacticalrmm.alerting import open_custom, resolve, touch
from simulators.tacticalrmm.clock import iso
from simulators.tacticalrmm.endpoints import Action, Endpoint, body, current_role, lab
from simulators.tacticalrmm.models import Alert
from simulators.tacticalrmm.replies import ApiError, Crash, denied, missing, need
from simulators.tacticalrmm.show_templates import template_row

FILTERS = ("timeFilter", "clientFilter", "severityFilter", "resolvedFilter", "snoozedFilter")


def show(alert: Alert) -> dict[str, Any]:
    """An alert. One without an agent lacks the keys hostname, agent_id, client and site altogether."""
    failure, recovery = alert.failure, alert.recovery
    return {
        "id": alert.id,
        **_place(alert),
        "alert_time": iso(alert.alert_time),
        "alert_type": alert.alert_type,
        "message": alert.message,
        "snoozed": alert.snoozed,
        "snooze_until": iso(alert.snooze_until),
        "resolved": alert.resolved,
        "resolved_on": iso(alert.resolved_on),
        "severity": alert.severity,
        "email_sent": None,
        "resolved_email_sent": None,
        "sms_sent": None,
        "resolved_sms_sent": None,
        "hidden": alert.hidden,
        "action_run": iso(failure.run),
        "action_stdout": failure.stdout,
        "action_stderr": None,
        "action_retcode": failure.retcode,
        "action_execution_time": None,
        "resolved_action_run": iso(recovery.run),
        "resolved_action_stdout": recovery.stdout,
        "resolved_action_stderr": None,
        "resolved_action_retcode": recovery.retcode,
        "resolved_action_execution_time": None,
        "agent": alert.agent_pk,
        "assigned_check": alert.check_id,
        "assigned_task": alert.task_id,
    }


def _place(alert: Alert) -> dict[str, Any]:
    agent = lab().fleet.agents.get(alert.agent_pk or 0)
    if agent is None:
        return {}
    return {
        "hostname": agent.hostname,
        "agent_id": agent.agent_id,
        "client": lab().client_of(agent).name,
        "site": lab().site_of(agent).name,
    }


def _client_id(alert: Alert) -> int | None:
    agent = lab().fleet.agents.get(alert.agent_pk or 0)
    return lab().client_of(agent).id if agent else None


def _sees(alert: Alert) -> bool:
    role, client_id = current_role(), _client_id(alert)
    return role is not None and (client_id is None or role.sees_client(client_id))


def listing() -> Any:
    """The read. `{"top": n}` gives an object of open alerts, any filter a bare list, else everything."""
    data = body()
    rows = [alert for alert in lab().alerts.values() if _sees(alert)]
    if "top" in data:
        return _top(rows, int(data["top"]))
    if any(name in data for name in FILTERS):
        rows = _filtered(rows, data)
    return [show(alert) for alert in rows]


def _top(rows: list[Alert], count: int) -> dict[str, Any]:
    """Open, unsnoozed and visible alerts, oldest first."""
    shown = sorted((a for a in rows if not (a.resolved or a.snoozed or a.hidden)), key=lambda a: a.alert_time)
    return {"alerts_count": len(shown), "alerts": [show(alert) for alert in shown[:count]]}


def _filtered(rows: list[Alert], data: dict[str, Any]) -> list[Alert]:
    """Filters are ANDed. True in resolvedFilter or snoozedFilter means no filter at all."""
    if "timeFilter" in data:
        since = lab().clock.now() - timedelta(days=_days(data["timeFilter"]))
        rows = [alert for alert in rows if alert.alert_time >= since]
    if "clientFilter" in data:
        rows = [alert for alert in rows if _client_id(alert) in data["clientFilter"]]
    if "severityFilter" in data:
        rows = [alert for alert in rows if alert.severity in data["severityFilter"]]
    if not data.get("resolvedFilter", True):
        rows = [alert for alert in rows if not alert.resolved]
    if not data.get("snoozedFilter", True):
        rows = [alert for alert in rows if not alert.snoozed]
    return rows


def _days(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise Crash("timeFilter") from error


def create() -> str:
    """A custom alert; the answer does not carry its id."""
    data = body()
    agent = lab().fleet.agents.get(data.get("agent") or 0)
    if data.get("agent") and agent is None:
        raise ApiError(400, {"agent": [f'Invalid pk "{data["agent"]}" - object does not exist.']})
    open_custom(lab(), agent, data.get("severity", "info"), data.get("message", ""))
    return "ok"


def _find(pk: int) -> Alert:
    if pk not in lab().alerts:
        raise missing("Alert")
    if not _sees(lab().alerts[pk]):
        raise denied()
    return lab().alerts[pk]


def one(pk: int) -> dict[str, Any]:
    """One alert."""
    return show(_find(pk))


def change(pk: int) -> str:
    """Resolve, snooze, unsnooze, or set plain fields (which leaves resolved_on null)."""
    alert, data = _find(pk), body()
    if "type" not in data:
        for name in ("resolved", "snoozed", "hidden", "severity", "message"):
            setattr(alert, name, data.get(name, getattr(alert, name)))
    elif data["type"] == "resolve":
        resolve(lab(), alert)
    elif data["type"] == "snooze":
        if not data.get("snooze_days"):
            raise ApiError(400, "Missing 'snoozed_days' when trying to snooze alert")
        _snooze(alert, int(data["snooze_days"]))
    elif data["type"] == "unsnooze":
        alert.snoozed, alert.snooze_until = False, None
    else:
        raise ApiError(400, "There was an error in the request data")
    touch(lab(), alert)
    return "ok"


def _snooze(alert: Alert, days: int) -> None:
    alert.snoozed = True
    alert.snooze_until = lab().clock.now() + timedelta(days=days)
    touch(lab(), alert)


def bulk() -> str:
    """Resolve or snooze many; ids that do not exist are ignored."""
    data = body()
    action = need(data, "bulk_action")
    chosen = [lab().alerts[pk] for pk in data.get("alerts", []) if pk in lab().alerts]
    if action == "resolve":
        for alert in chosen:
            resolve(lab(), alert)
    elif action == "snooze" and data.get("snooze_days"):
        for alert in chosen:
            _snooze(alert, int(data["snooze_days"]))
    else:
        raise ApiError(400, "The request was invalid")
    return "ok"


def templates() -> list[dict[str, Any]]:
    """The one alert template."""
    return [template_row(lab())]


def template(pk: int) -> dict[str, Any]:
    """The alert template."""
    if pk != lab().template.id:
        raise missing("AlertTemplate")
    return template_row(lab())


def change_template(pk: int) -> str:
    """Set which URL actions run, and the switches of the three kinds of alert."""
    template(pk)
    for name, value in body().items():
        if name in ("name", "action_type", "action_rest", "resolved_action_type", "resolved_action_rest"):
            setattr(lab().template, name, value)
        else:
            lab().template.options[name] = value
    return "ok"


ENDPOINTS = [
    Endpoint(
        "/alerts/",
        "POST, PATCH, OPTIONS",
        {"PATCH": Action(listing, "can_list_alerts"), "POST": Action(create, "can_manage_alerts")},
    ),
    Endpoint(
        "/alerts/<int:pk>/",
        "GET, PUT, DELETE, HEAD, OPTIONS",
        {"GET": Action(one, "can_list_alerts"), "PUT": Action(change, "can_manage_alerts")},
    ),
    Endpoint("/alerts/bulk/", "POST, OPTIONS", {"POST": Action(bulk, "can_manage_alerts")}),
    Endpoint(
        "/alerts/templates/",
        "GET, POST, HEAD, OPTIONS",
        {"GET": Action(templates, "can_list_alerttemplates")},
    ),
    Endpoint(
        "/alerts/templates/<int:pk>/",
        "GET, PUT, DELETE, HEAD, OPTIONS",
        {
            "GET": Action(template, "can_list_alerttemplates"),
            "PUT": Action(change_template, "can_manage_alerttemplates"),
        },
    ),
]
