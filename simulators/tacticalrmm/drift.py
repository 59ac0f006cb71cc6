"""Changes of the fleet between, or in the middle of, two crawls."""

from __future__ import annotations

from dataclasses import replace

from simulators.tacticalrmm.fleet import new_agent, new_agent_id
from simulators.tacticalrmm.lab import Lab, ScheduledDrift
from simulators.tacticalrmm.models import Agent


def delete_agent(lab: Lab, agent: Agent) -> None:
    """Remove the row with its alerts, checks, tasks and history."""
    pk = agent.pk
    del lab.fleet.agents[pk]
    lab.alerts = {key: alert for key, alert in lab.alerts.items() if alert.agent_pk != pk}
    lab.checks = {key: check for key, check in lab.checks.items() if check.agent_pk != pk}
    lab.tasks = {key: task for key, task in lab.tasks.items() if task.agent_pk != pk}
    lab.conditions = [condition for condition in lab.conditions if condition.agent_pk != pk]
    lab.history = [row for row in lab.history if row.agent_pk != pk]


def reinstall_agent(lab: Lab, agent: Agent) -> Agent:
    """A new row with a new agent_id for the same machine; the old row stays and goes silent."""
    fresh = replace(
        agent, pk=_next_pk(lab), agent_id=new_agent_id(lab.picker), created=lab.clock.now(), custom={}
    )
    fresh.silent_since, fresh.never_seen = None, False
    agent.silent_since = lab.clock.now()
    lab.fleet.agents[fresh.pk] = fresh
    return fresh


def add_agent(lab: Lab, site_id: int, plat: str, hostname: str | None) -> Agent:
    """A newly installed agent that is online."""
    agent = new_agent(lab.fleet, lab.picker, _next_pk(lab), lab.clock.now(), plat)
    agent.site_id = site_id
    agent.silent_since, agent.maintenance_mode = None, False
    agent.hostname = hostname or agent.hostname
    lab.fleet.agents[agent.pk] = agent
    return agent


def _next_pk(lab: Lab) -> int:
    lab.next_ids["agent"] = max(lab.next_ids["agent"], max(lab.fleet.agents, default=0)) + 1
    return lab.next_ids["agent"]


def run_scheduled(lab: Lab, path: str) -> None:
    """Count an answered request; change what has its moment now."""
    for plan in list(lab.scheduled):
        if not path.startswith(plan.prefix):
            continue
        plan.remaining -= 1
        if plan.remaining <= 0:
            lab.scheduled.remove(plan)
            _carry_out(lab, plan)


def _carry_out(lab: Lab, plan: ScheduledDrift) -> None:
    if not plan.agent_id and plan.site_id is not None:
        add_agent(lab, plan.site_id, "windows", None)
    for agent in [one for one in lab.agents() if one.agent_id == plan.agent_id]:
        if plan.site_id is None:
            delete_agent(lab, agent)
        else:
            agent.site_id = plan.site_id
