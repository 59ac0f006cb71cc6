"""Looking at agents and organizations, and changing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from simulators.huntress import isolation
from simulators.huntress.control.blueprint import (
    agent_of,
    command,
    fields,
    flag,
    lab,
    organization_of,
    query,
)
from simulators.huntress.enums import HOST_PLATFORMS
from simulators.huntress.fleet import FIRST_AGENT, FIRST_ORGANIZATION, new_agent, new_organization
from simulators.huntress.lab import Lab
from simulators.huntress.models import Agent
from simulators.huntress.names import OSES

EDITABLE: dict[str, Callable[[Any], Any]] = {
    "hostname": str,
    "serial": lambda given: given,
    "organization_id": int,
    "os": str,
    "ipv4": lambda given: given,
    "external_ip": lambda given: given,
    "macs": list,
    "tags": list,
    "defender": lambda given: given,
    "edr_version": lambda given: given,
    "isolatable": flag,
}


def agent_summary(one: Agent) -> dict[str, Any]:
    """The agent as the control page shows it."""
    open_incidents = [
        each.id for each in lab().incidents.values() if each.agent_id == one.id and each.status == "sent"
    ]
    return {
        "id": one.id,
        "hostname": one.hostname,
        "organization": lab().fleet.organizations[one.organization_id].name,
        "organization_id": one.organization_id,
        "platform": one.platform,
        "serial": one.serial,
        "silent": one.silent_since is not None,
        "firewall": isolation.status_of(lab(), one),
        "incidents": open_incidents,
    }


def search_agents(text: str, limit: int) -> list[dict[str, Any]]:
    """Agents whose name, serial, platform or organization contains the text."""
    keys = ("hostname", "organization", "platform", "serial")
    rows = (agent_summary(one) for one in lab().fleet.agents.values())
    found = [row for row in rows if any(text.lower() in str(row[key]).lower() for key in keys)]
    return found[:limit]


@query("/api/agents")
def list_agents() -> Any:
    """?search= and ?limit= (default 500)."""
    return search_agents(request.args.get("search", ""), int(request.args.get("limit", "500")))


@query("/api/organizations")
def list_organizations() -> Any:
    """Ids, names and keys."""
    return [{"id": one.id, "name": one.name, "key": one.key} for one in lab().fleet.organizations.values()]


def _when(data: dict[str, Any], change: Callable[[], Any]) -> Any:
    """Now, or after so many answered requests below a prefix."""
    if not data.get("after_requests"):
        return change()
    lab().schedule.add(str(data.get("prefix", "/v1/agents")), int(data["after_requests"]), change)
    return {"scheduled": True}


@command("/api/agents/add")
def add_agent() -> Any:
    """{"organization_id", "hostname"?, "platform"?, "serial"?, "after_requests"?, "prefix"?}."""
    data = fields()
    kind = data.get("platform", "windows")
    if kind not in OSES:
        raise ValueError(f"platform is one of {', '.join(HOST_PLATFORMS)}, or server")

    with lab().lock:
        home, server = organization_of(data["organization_id"]).id, lab()
        return _when(data, lambda: {"id": _add(server, home, kind, data).id})


def _add(server: Lab, organization_id: int, kind: str, data: dict[str, Any]) -> Agent:
    agent_id = server.next_id(server.fleet.agents, FIRST_AGENT)
    made = new_agent(server.picker, agent_id, organization_id, kind, server.now())
    made.created = made.updated = server.now()
    made.silent_since = None
    made.hostname = data.get("hostname", made.hostname)
    made.serial = data.get("serial", made.serial)
    server.fleet.agents[agent_id] = made
    return made


@command("/api/agents/<int:agent_id>/remove")
def remove_agent(agent_id: int) -> Any:
    """{"after_requests"?, "prefix"?}; its incidents stay."""
    data = fields()
    with lab().lock:
        agent_of(agent_id)
        server = lab()
        return _when(data, lambda: {"removed": server.fleet.agents.pop(agent_id, None) is not None})


@command("/api/agents/<int:agent_id>/edit")
def edit_agent(agent_id: int) -> Any:
    """Any of hostname, serial, organization_id, os, addresses, tags, defender, edr_version, isolatable."""
    data = fields()
    with lab().lock:
        found = agent_of(agent_id)
        for name, cast in EDITABLE.items():
            if name in data:
                setattr(found, name, cast(data[name]))
        found.updated = lab().now()
        return agent_summary(found)


@command("/api/agents/<int:agent_id>/silent")
def silence_agent(agent_id: int) -> Any:
    """{"silent"?}: it calls back no more, or does again."""
    silent = flag(fields().get("silent", True))
    with lab().lock:
        agent_of(agent_id).silent_since = lab().now() if silent else None
        return agent_summary(agent_of(agent_id))


@command("/api/agents/<int:agent_id>/settle")
def settle_agent(agent_id: int) -> Any:
    """Let a pending isolation or release take hold now."""
    with lab().lock:
        found = agent_of(agent_id)
        if found.settles is not None:
            found.settles = (lab().now(), found.settles[1])
        isolation.settle(found)
        return agent_summary(found)


@command("/api/organizations/add")
def add_organization() -> Any:
    """{"name"}."""
    name = str(fields()["name"])
    with lab().lock:
        organization_id = lab().next_id(lab().fleet.organizations, FIRST_ORGANIZATION)
        made = new_organization(organization_id, name, lab().now())
        made.created = made.updated = lab().now()
        lab().fleet.organizations[organization_id] = made
        return {"id": organization_id}


@command("/api/organizations/<int:organization_id>/rename")
def rename_organization(organization_id: int) -> Any:
    """{"name"}."""
    name = str(fields()["name"])
    with lab().lock:
        found = organization_of(organization_id)
        found.name, found.updated = name, lab().now()
        return {"id": found.id, "name": found.name}


@command("/api/organizations/<int:organization_id>/remove")
def remove_organization(organization_id: int) -> Any:
    """With its agents; its incidents stay."""
    with lab().lock:
        del lab().fleet.organizations[organization_of(organization_id).id]
        for one in lab().fleet.agents_of(organization_id):
            del lab().fleet.agents[one.id]
        return {"removed": organization_id}
