"""Installing, upgrading and removing software on agents, so that it has a history."""

from __future__ import annotations

from typing import Any

from simulators.tacticalrmm import software
from simulators.tacticalrmm.control.blueprint import command, fields, lab, query


@query("/api/agents/<agent_id>/software")
def list_software(agent_id: str) -> Any:
    """What the agent tells now."""
    row = software.software_row(lab().agent(agent_id))
    return row["software"] if row else []


@command("/api/agents/<agent_id>/software/install")
def install_software(agent_id: str) -> Any:
    """{"name", "version", "publisher"?}: put it on the agent, in place of its other versions."""
    data = fields()
    with lab().lock:
        agent = lab().agent(agent_id)
        software.install(agent, str(data["name"]), str(data["version"]), str(data.get("publisher", "")))
        return {"agent_id": agent_id, "products": len(software.items_of(agent))}


@command("/api/agents/<agent_id>/software/remove")
def remove_software(agent_id: str) -> Any:
    """{"name"}: take all its versions off the agent."""
    with lab().lock:
        agent = lab().agent(agent_id)
        software.remove(agent, str(fields()["name"]))
        return {"agent_id": agent_id, "products": len(software.items_of(agent))}


@command("/api/agents/<agent_id>/software/clear")
def clear_software(agent_id: str) -> Any:
    """Tell an empty list from now on, as an agent does that cannot read its software."""
    with lab().lock:
        software.clear(lab().agent(agent_id))
    return {"agent_id": agent_id, "products": 0}
