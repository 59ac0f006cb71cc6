"""/agents/: the lists and the detail the web interface uses, and /software/."""

from __future__ import annotations

import zlib
from typing import Any

from flask import Response, request

from simulators.tacticalrmm.endpoints import Action, Endpoint, current_role, lab
from simulators.tacticalrmm.models import Agent
from simulators.tacticalrmm.replies import ApiError, denied
from simulators.tacticalrmm.show_agents import detail, short_row, table_row
from simulators.tacticalrmm.software import software_row, stream


def allowed_agent(agent_id: str) -> Agent:
    """The agent, if it is inside the scope of the caller's role."""
    agent = lab().agent(agent_id)
    role = current_role()
    if role is None or not role.sees_client(lab().site_of(agent).client_id):
        raise denied()
    return agent


def _unordered(rows: list[Agent]) -> list[Agent]:
    """The real list comes in no order; this one is mixed up, but the same each time."""
    return sorted(rows, key=lambda agent: zlib.crc32(agent.agent_id.encode()))


def _selected() -> list[Agent]:
    """Agents by site, else client, and by monitoring type."""
    rows = lab().visible_agents(current_role())
    site, client = request.args.get("site"), request.args.get("client")
    if site:
        rows = [agent for agent in rows if str(agent.site_id) == site]
    elif client:
        rows = [agent for agent in rows if str(lab().site_of(agent).client_id) == client]
    kind = request.args.get("monitoring_type")
    if kind is None:
        return rows
    if kind not in ("server", "workstation"):
        raise ApiError(400, "monitoring type does not exist")
    return [agent for agent in rows if agent.monitoring_type == kind]


def listing() -> list[dict[str, Any]]:
    """A bare list; every `detail` other than lower-case "true" gives the short form."""
    show = table_row if request.args.get("detail", "true") == "true" else short_row
    return [show(lab(), agent) for agent in _unordered(_selected())]


def one(agent_id: str) -> dict[str, Any]:
    """One agent."""
    return detail(lab(), allowed_agent(agent_id))


def software() -> Response:
    """One row per agent that has software, keyed by the integer key."""
    length, pieces = stream(_unordered(lab().visible_agents(current_role())))
    return Response(pieces, content_type="application/json", headers={"Content-Length": str(length)})


def software_of(agent_id: str) -> Any:
    """An object, or an empty list when the agent has no row."""
    return software_row(allowed_agent(agent_id)) or []


ENDPOINTS = [
    Endpoint("/agents/", "GET, HEAD, OPTIONS", {"GET": Action(listing, "can_list_agents")}),
    Endpoint(
        "/agents/<agent_id:agent_id>/",
        "GET, PUT, DELETE, HEAD, OPTIONS",
        {"GET": Action(one, "can_list_agents")},
    ),
    Endpoint("/software/", "GET, POST, PUT, HEAD, OPTIONS", {"GET": Action(software, "can_list_software")}),
    Endpoint(
        "/software/<agent_id:agent_id>/",
        "GET, POST, PUT, HEAD, OPTIONS",
        {"GET": Action(software_of, "can_list_software")},
    ),
]
