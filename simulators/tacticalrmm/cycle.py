"""The periodic work of the server: overdue agents open alerts, recovered ones resolve theirs."""

from __future__ import annotations

from simulators.tacticalrmm.alerting import Firing, Trigger, fail, recover
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.models import Agent, Alert


def run_cycle(lab: Lab, only: Agent | None = None) -> tuple[list[Alert], list[Alert], list[Firing]]:
    """One round over the fleet (or one agent): alerts that failed, alerts resolved, webhooks to send."""
    agents = [only] if only else list(lab.agents())
    failed: list[Alert] = []
    resolved: list[Alert] = []
    firings: list[Firing | None] = []
    for agent in agents:
        for alert in _recoveries(lab, agent):
            firings.append(recover(lab, agent, alert))
            if alert.resolved:
                resolved.append(alert)
        for trigger in _failures(lab, agent):
            alert, firing = fail(lab, agent, trigger)
            failed.append(alert)
            firings.append(firing)
    return failed, resolved, [firing for firing in firings if firing]


def _recoveries(lab: Lab, agent: Agent) -> list[Alert]:
    """Open availability alerts of an agent that is back."""
    if lab.status(agent) != "online":
        return []
    forced = {(c.agent_pk, c.alert_type) for c in lab.conditions}
    open_ones = [alert for alert in lab.open_alerts(agent) if alert.alert_type == "availability"]
    return [alert for alert in open_ones if (agent.pk, "availability") not in forced]


def _failures(lab: Lab, agent: Agent) -> list[Trigger]:
    """Being overdue, and every condition that still holds."""
    conditions = [c for c in lab.conditions if c.agent_pk == agent.pk]
    triggers = [Trigger(c.alert_type, c.severity, check_id=c.check_id, task_id=c.task_id) for c in conditions]
    overdue = lab.status(agent) == "overdue"
    if overdue and not any(trigger.kind == "availability" for trigger in triggers):
        triggers.append(Trigger("availability"))
    return triggers
