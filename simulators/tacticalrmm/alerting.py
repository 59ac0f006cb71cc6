"""When alerts open and close, and when a webhook fires: once per alert and direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulators.tacticalrmm.lab import Condition, Lab
from simulators.tacticalrmm.models import ActionResult, Agent, Alert, Check, Task
from simulators.tacticalrmm.placeholders import alert_scope
from simulators.tacticalrmm.webhooks import Outcome, Outgoing, prepare, send

KINDS = ("availability", "check", "task", "custom")
SEVERITIES = ("info", "warning", "error")


@dataclass
class Firing:
    """A webhook that has to be sent now for an alert."""

    alert: Alert
    result: ActionResult
    outgoing: Outgoing
    kind: str


@dataclass
class Trigger:
    """What goes wrong on an agent. Without a check or task id a new check or task is made."""

    kind: str = "availability"
    severity: str = "error"
    message: str | None = None
    check_id: int | None = None
    check_type: str = "script"
    description: str | None = None
    task_id: int | None = None
    result: dict[str, Any] | None = None


def fail(lab: Lab, agent: Agent, trigger: Trigger) -> tuple[Alert, Firing | None]:
    """Something failed: open an alert or update the open one, and say whether the webhook fires.

    Custom alerts are plain rows of the API: they never fire.
    """
    if trigger.kind == "custom":
        return _open(lab, agent, trigger, None, None), None
    check, task = _subject(lab, agent, trigger)
    _remember(lab, agent, trigger, check, task)
    alert = find_open(lab, agent, trigger.kind, check, task)
    if alert is None:
        alert = _open(lab, agent, trigger, check, task)
    elif alert.severity != trigger.severity:
        alert.severity = trigger.severity
        touch(lab, alert)
    return alert, _failure_firing(lab, agent, alert)


def recover(lab: Lab, agent: Agent, alert: Alert) -> Firing | None:
    """The condition went away: resolve the alert. In maintenance nothing happens, nor is anything sent."""
    forget_condition(lab, alert)
    if agent.maintenance_mode or alert.resolved:
        return None
    resolve(lab, alert)
    return _recovery_firing(lab, agent, alert)


def resolve(lab: Lab, alert: Alert) -> None:
    """What resolving through the API does: no webhook, and the condition stays as it is."""
    alert.resolved = True
    alert.resolved_on = lab.clock.now()
    alert.snoozed, alert.snooze_until = False, None
    touch(lab, alert)


def touch(lab: Lab, alert: Alert) -> None:
    """An updated row moves to the end of the (unordered) list."""
    lab.alerts[alert.id] = lab.alerts.pop(alert.id)


def deliver(lab: Lab, firing: Firing) -> Outcome:
    """Send a webhook and keep its result on the alert. Call without holding the lock."""
    outcome = send(lab, firing.outgoing, firing.kind, firing.alert.id)
    with lab.lock:
        firing.result.run = lab.clock.now()
        firing.result.retcode = outcome.retcode
        firing.result.stdout = outcome.text
    return outcome


def find_open(lab: Lab, agent: Agent, kind: str, check: Check | None, task: Task | None) -> Alert | None:
    """The one open alert of that agent and kind, check or task."""
    wanted = (kind, check.id if check else None, task.id if task else None)
    for alert in lab.open_alerts(agent):
        if (alert.alert_type, alert.check_id, alert.task_id) == wanted:
            return alert
    return None


def forget_condition(lab: Lab, alert: Alert) -> None:
    """The thing the alert is about works again."""
    gone = (alert.agent_pk, alert.alert_type, alert.check_id, alert.task_id)
    lab.conditions = [c for c in lab.conditions if (c.agent_pk, c.alert_type, c.check_id, c.task_id) != gone]


def _remember(lab: Lab, agent: Agent, trigger: Trigger, check: Check | None, task: Task | None) -> None:
    """Keep the condition, so that the next cycle finds it still failing. Being overdue needs no note."""
    if trigger.kind == "availability" and lab.status(agent) == "overdue":
        return
    key = (agent.pk, trigger.kind, check.id if check else None, task.id if task else None)
    for condition in lab.conditions:
        if (condition.agent_pk, condition.alert_type, condition.check_id, condition.task_id) == key:
            condition.severity = trigger.severity
            return
    lab.conditions.append(Condition(agent.pk, trigger.kind, trigger.severity, key[2], key[3]))


def _subject(lab: Lab, agent: Agent, trigger: Trigger) -> tuple[Check | None, Task | None]:
    """The check or task the trigger is about, with its latest result."""
    if trigger.kind == "check":
        check = lab.checks.get(trigger.check_id or 0) or _new_check(lab, agent, trigger)
        check.result = trigger.result or check.result
        return check, None
    if trigger.kind == "task":
        task = lab.tasks.get(trigger.task_id or 0) or _new_task(lab, agent, trigger)
        task.result = trigger.result or task.result
        return None, task
    return None, None


def _new_check(lab: Lab, agent: Agent, trigger: Trigger) -> Check:
    text = trigger.description or f"{trigger.check_type.title()} Check: Nightly test"
    check = Check(lab.take_id("check"), agent.pk, trigger.check_type, text, lab.clock.now())
    lab.checks[check.id] = check
    return check


def _new_task(lab: Lab, agent: Agent, trigger: Trigger) -> Task:
    task = Task(lab.take_id("task"), agent.pk, trigger.description or "Nightly backup")
    lab.tasks[task.id] = task
    return task


def _open(lab: Lab, agent: Agent | None, trigger: Trigger, check: Check | None, task: Task | None) -> Alert:
    alert = Alert(
        id=lab.take_id("alert"),
        agent_pk=agent.pk if agent else None,
        alert_type=trigger.kind,
        severity=trigger.severity,
        message=trigger.message or _message(lab, agent, check, task),
        alert_time=lab.clock.now(),
        check_id=check.id if check else None,
        task_id=task.id if task else None,
    )
    lab.alerts[alert.id] = alert
    return alert


def open_custom(lab: Lab, agent: Agent | None, severity: str, message: str) -> Alert:
    """An alert of type custom, with or without an agent."""
    return _open(lab, agent, Trigger("custom", severity, message), None, None)


def _message(lab: Lab, agent: Agent | None, check: Check | None, task: Task | None) -> str:
    if agent is None:
        return "Custom alert"
    if check is not None:
        return f"{agent.hostname} has a {check.check_type} check: {check.readable_desc} that failed."
    if task is not None:
        return f"{agent.hostname} has task: {task.name} that failed."
    return f"{agent.hostname} in {lab.client_of(agent).name}, {lab.site_of(agent).name} is overdue."


def _failure_firing(lab: Lab, agent: Agent, alert: Alert) -> Firing | None:
    """Fires while no attempt was made yet, outside of maintenance, for a severity that notifies."""
    if agent.maintenance_mode or alert.failure.run is not None or not _notifies(lab, alert):
        return None
    template = lab.template
    return _firing(lab, agent, alert, alert.failure, template.action_type, template.action_rest, "failure")


def _recovery_firing(lab: Lab, agent: Agent, alert: Alert) -> Firing | None:
    """Fires even if the failure never did, or the alert is snoozed."""
    if alert.recovery.run is not None:
        return None
    kind, action = lab.template.resolved_action_type, lab.template.resolved_action_rest
    return _firing(lab, agent, alert, alert.recovery, kind, action, "resolved")


def _notifies(lab: Lab, alert: Alert) -> bool:
    switches = {"info": lab.notify_on_info_alerts, "warning": lab.notify_on_warning_alerts, "error": True}
    return switches[alert.severity]


def _firing(
    lab: Lab,
    agent: Agent,
    alert: Alert,
    result: ActionResult,
    action_type: str,
    action_id: int | None,
    kind: str,
) -> Firing | None:
    action = lab.url_actions.get(action_id or 0)
    switch = f"{'agent' if alert.alert_type == 'availability' else alert.alert_type}_script_actions"
    if action_type != "rest" or action is None or lab.template.options.get(switch) is False:
        return None
    result.run = lab.clock.now()
    scope = alert_scope(lab, alert, agent)
    outgoing = prepare(action.rest_method, action.pattern, action.rest_headers, action.rest_body, scope)
    return Firing(alert, result, outgoing, kind)
