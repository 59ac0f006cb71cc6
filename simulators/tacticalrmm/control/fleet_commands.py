"""Looking at agents and changing them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import request

from simulators.tacticalrmm.alerting import deliver
from simulators.tacticalrmm.control.blueprint import BadCommand, command, fields, flag, lab, query
from simulators.tacticalrmm.cycle import run_cycle
from simulators.tacticalrmm.drift import add_agent, delete_agent, reinstall_agent
from simulators.tacticalrmm.lab import ScheduledDrift
from simulators.tacticalrmm.models import Agent
from simulators.tacticalrmm.nats import STATES
from simulators.tacticalrmm.show_agents import serial_of

EDITABLE: dict[str, Callable[[Any], Any]] = {
    "description": str,
    "needs_reboot": flag,
    "has_patches_pending": flag,
    "maintenance_mode": flag,
    "logged_in_username": str,
    "last_logged_in_user": str,
    "operating_system": str,
    "public_ip": str,
    "total_ram": int,
    "offline_time": int,
    "overdue_time": int,
    "monitoring_type": str,
    "version": str,
}


def agent_summary(agent: Agent) -> dict[str, Any]:
    """The agent as the control page shows it."""
    client, site = lab().client_of(agent), lab().site_of(agent)
    return {
        "pk": agent.pk,
        "agent_id": agent.agent_id,
        "hostname": agent.hostname,
        "client": client.name,
        "client_id": client.id,
        "site": site.name,
        "site_id": site.id,
        "plat": agent.plat,
        "monitoring_type": agent.monitoring_type,
        "status": lab().status(agent),
        "serial": serial_of(agent),
        "maintenance_mode": agent.maintenance_mode,
        "nats": agent.nats,
        "open_alerts": [alert.id for alert in lab().open_alerts(agent)],
    }


def search_agents(text: str, limit: int) -> list[dict[str, Any]]:
    """Agents whose name, id, serial, client, site or platform contains the text."""
    needle = text.lower()
    found = []
    for agent in lab().agents():
        row = agent_summary(agent)
        keys = ("hostname", "agent_id", "serial", "client", "site", "plat", "status")
        if any(needle in str(row[key]).lower() for key in keys):
            found.append(row)
            if len(found) >= limit:
                break
    return found


@query("/api/agents")
def list_agents() -> Any:
    """?search= and ?limit= (default 500)."""
    return search_agents(request.args.get("search", ""), int(request.args.get("limit", "500")))


@query("/api/agents/<agent_id>")
def show_agent(agent_id: str) -> Any:
    """One agent."""
    return agent_summary(lab().agent(agent_id))


@query("/api/clients")
def list_clients() -> Any:
    """Clients with their sites."""
    sites = lab().fleet.sites.values()
    return [
        {
            "id": c.id,
            "name": c.name,
            "sites": [{"id": s.id, "name": s.name} for s in sites if s.client_id == c.id],
        }
        for c in lab().fleet.clients.values()
    ]


@command("/api/agents")
def add() -> Any:
    """{"site_id", "plat"?, "hostname"?}: a newly installed agent; with "after_requests" one for later."""
    data = fields()
    with lab().lock:
        site_id = _known_site(data["site_id"])
        if data.get("after_requests"):
            return {"scheduled": _schedule(data, site_id=site_id)}
        return agent_summary(add_agent(lab(), site_id, data.get("plat", "windows"), data.get("hostname")))


def _known_site(value: Any) -> int:
    if int(value) not in lab().fleet.sites:
        raise BadCommand(f"no site {value}")
    return int(value)


def _cycle_for(agent: Agent) -> dict[str, Any]:
    """Let the server notice at once, and send what has to be sent."""
    with lab().lock:
        failed, resolved, firings = run_cycle(lab(), agent)
    for firing in firings:
        deliver(lab(), firing)
    return {"failed": [a.id for a in failed], "resolved": [a.id for a in resolved], "fired": len(firings)}


@command("/api/agents/<agent_id>/offline")
def offline(agent_id: str) -> Any:
    """{"minutes"?, "alert"?}: silent for that long (default: past overdue); alert false skips the cycle."""
    data = fields()
    with lab().lock:
        agent = lab().agent(agent_id)
        minutes = float(data.get("minutes", max(agent.overdue_time, agent.offline_time) + 1))
        agent.silent_since = lab().clock.now() - timedelta(minutes=minutes)
        agent.never_seen = False
    noticed = _cycle_for(agent) if flag(data.get("alert", True)) else {}
    return {"status": lab().status(agent), **noticed}


@command("/api/agents/<agent_id>/online")
def online(agent_id: str) -> Any:
    """{"alert"?}: checks in again, which resolves its availability alert; alert false skips the cycle."""
    data = fields()
    with lab().lock:
        agent = lab().agent(agent_id)
        agent.silent_since, agent.never_seen = None, False
        lab().conditions = [
            c for c in lab().conditions if (c.agent_pk, c.alert_type) != (agent.pk, "availability")
        ]
    noticed = _cycle_for(agent) if flag(data.get("alert", True)) else {}
    return {"status": lab().status(agent), **noticed}


@command("/api/agents/<agent_id>/delete")
def delete(agent_id: str) -> Any:
    """{} now; {"after_requests": n, "prefix"?} after n more answered requests below the prefix."""
    data = fields()
    with lab().lock:
        agent = lab().agent(agent_id)
        if data.get("after_requests"):
            return {"deleted": False, "scheduled": _schedule(data, agent_id)}
        delete_agent(lab(), agent)
    return {"deleted": True, "scheduled": False}


def _schedule(data: dict[str, Any], agent_id: str = "", site_id: int | None = None) -> bool:
    """Have it happen after so many more answered requests below the prefix."""
    prefix = data.get("prefix", "/beta/v1/agent/")
    lab().scheduled.append(ScheduledDrift(prefix, int(data["after_requests"]), agent_id, site_id))
    return True


@command("/api/agents/<agent_id>/reinstall")
def reinstall(agent_id: str) -> Any:
    """A new row with a new agent_id and the same serial; the old row stays, silent from now on."""
    with lab().lock:
        return agent_summary(reinstall_agent(lab(), lab().agent(agent_id)))


@command("/api/agents/<agent_id>/move")
def move(agent_id: str) -> Any:
    """{"site_id"}: to another site, perhaps of another client; "after_requests" and "prefix" as above."""
    data = fields()
    with lab().lock:
        agent, site_id = lab().agent(agent_id), _known_site(data["site_id"])
        if data.get("after_requests"):
            return {**agent_summary(agent), "scheduled": _schedule(data, agent_id, site_id)}
        agent.site_id = site_id
        return agent_summary(agent)


@command("/api/agents/<agent_id>/rename")
def rename(agent_id: str) -> Any:
    """{"hostname"}."""
    with lab().lock:
        agent = lab().agent(agent_id)
        agent.hostname = str(fields()["hostname"])
        return agent_summary(agent)


@command("/api/agents/<agent_id>/set")
def set_fields(agent_id: str) -> Any:
    """Any of the EDITABLE columns, and "custom": {name: value}; null clears a column."""
    data = fields()
    with lab().lock:
        agent = lab().agent(agent_id)
        agent.custom.update(data.pop("custom", {}))
        for name, value in data.items():
            if name.startswith("_"):
                continue
            setattr(agent, name, None if value is None else EDITABLE[name](value))
        return agent_summary(agent)


@command("/api/agents/<agent_id>/nats")
def set_agent_nats(agent_id: str) -> Any:
    """{"state"}: how this one agent answers; null follows the server."""
    state = fields().get("state")
    if state not in (None, *STATES):
        raise BadCommand(f"state is one of {', '.join(STATES)}")
    with lab().lock:
        lab().agent(agent_id).nats = state
    return {"agent_id": agent_id, "state": state}


@command("/api/clients/<int:client_id>/rename")
def rename_client(client_id: int) -> Any:
    """{"name"}."""
    with lab().lock:
        lab().fleet.clients[client_id].name = str(fields()["name"])
    return {"id": client_id, "name": lab().fleet.clients[client_id].name}


@command("/api/sites/<int:site_id>/rename")
def rename_site(site_id: int) -> Any:
    """{"name"}."""
    with lab().lock:
        lab().fleet.sites[site_id].name = str(fields()["name"])
    return {"id": site_id, "name": lab().fleet.sites[site_id].name}
