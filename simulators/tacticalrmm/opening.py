"""The alerts a freshly generated server starts with."""

from __future__ import annotations

import random
from datetime import timedelta

from simulators.tacticalrmm.alerting import SEVERITIES, Trigger, fail, open_custom, resolve
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.models import Agent, Alert


def open_initial_alerts(lab: Lab, count: int) -> None:
    """`count` alerts of all types and states. No webhook is configured yet, so nothing fires."""
    picker = random.Random(lab.options.seed + 2)
    agents = [agent for agent in lab.agents() if not agent.maintenance_mode]
    if not agents or count <= 0:
        return
    overdue = [agent for agent in agents if lab.status(agent) == "overdue"]
    for agent in overdue[: count // 3]:
        _age(lab, picker, fail(lab, agent, Trigger())[0])
    while len(lab.alerts) < count - 1:
        _age(lab, picker, _random_alert(lab, picker, picker.choice(agents)))
    _age(lab, picker, open_custom(lab, None, "error", "Backup vendor reports a failed job"))


def _random_alert(lab: Lab, picker: random.Random, agent: Agent) -> Alert:
    severity = picker.choice(SEVERITIES)
    if picker.random() < 0.2:
        return open_custom(lab, agent, severity, "Raised by hand")
    if picker.random() < 0.3:
        result = {"stdout": "", "stderr": "no space left", "retcode": 1}
        return fail(lab, agent, Trigger("task", severity, result=result))[0]
    text = "Disk Space Check: Drive C: -  Warning Threshold: 20% Error Threshold: 8%"
    result = {"more_info": "Total: 465.3GB, Free: 9.1GB"}
    return fail(
        lab, agent, Trigger("check", severity, check_type="diskspace", description=text, result=result)
    )[0]


def _age(lab: Lab, picker: random.Random, alert: Alert) -> None:
    """Put the alert into the past and give it one of the states alerts are found in."""
    alert.alert_time -= timedelta(hours=picker.randint(1, 24 * 40), seconds=picker.randint(0, 3600))
    state = picker.random()
    if state < 0.25 and alert.alert_type != "availability":
        resolve(lab, alert)
        alert.resolved_on = alert.alert_time + timedelta(minutes=40)
        lab.conditions = [
            c for c in lab.conditions if (c.check_id, c.task_id) != (alert.check_id, alert.task_id)
        ]
    elif state < 0.35:
        alert.snoozed, alert.snooze_until = True, lab.clock.now() + timedelta(days=3)
    elif state < 0.42:
        alert.hidden = True
