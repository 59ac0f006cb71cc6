"""The beta API: /beta/v1/. Off on a stock server; role scopes (`can_view_clients`) are not applied by it."""

from __future__ import annotations

from typing import Any

from flask import request

from simulators.tacticalrmm.clock import iso
from simulators.tacticalrmm.endpoints import Action, Endpoint, body, lab
from simulators.tacticalrmm.filters import filter_agents
from simulators.tacticalrmm.models import Client, Site
from simulators.tacticalrmm.paging import paginate
from simulators.tacticalrmm.replies import ApiError, Crash, missing
from simulators.tacticalrmm.show_agents import beta_detail, beta_row


def root() -> dict[str, str]:
    """Addresses of the three lists."""
    base = f"{request.scheme}://{request.host}/beta/v1"
    return {name: f"{base}/{name}/" for name in ("agent", "client", "site")}


def _group(row: Client | Site) -> dict[str, Any]:
    created = iso(row.created)
    return {
        "id": row.id,
        "created_by": None,
        "created_time": created,
        "modified_by": None,
        "modified_time": created,
        "name": row.name,
        "block_policy_inheritance": False,
        "failing_checks": {"error": False, "warning": False},
        **({"client": row.client_id} if isinstance(row, Site) else {}),
        "workstation_policy": None,
        "server_policy": None,
        "alert_template": None,
    }


def clients() -> list[dict[str, Any]]:
    """A bare list, not paginated, ordered by name."""
    return [_group(client) for client in sorted(lab().fleet.clients.values(), key=lambda c: c.name)]


def sites() -> dict[str, Any]:
    """Paginated; `search` in the name works, `client` is ignored."""
    wanted = request.args.get("search", "").lower()
    rows = [site for site in lab().fleet.sites.values() if wanted in site.name.lower()]
    shown, envelope = paginate(_ordered(rows, "id"))
    return envelope | {"results": [_group(site) for site in shown]}


def agents() -> dict[str, Any]:
    """Paginated; every Windows row carries its services and wmi_detail."""
    rows = _ordered(filter_agents(lab(), request.args), "pk")
    shown, envelope = paginate(rows)
    return envelope | {"results": [beta_row(lab(), agent) for agent in shown]}


def _ordered(rows: list[Any], key: str) -> list[Any]:
    """By id; `-id` turns it round and any other ordering is ignored."""
    return sorted(rows, key=lambda row: getattr(row, key), reverse=request.args.get("ordering") == "-id")


def _find(rows: dict[int, Any], pk: str, model: str) -> Any:
    """An integer key that is unknown and text that is no integer give different 404s."""
    if not pk.isdigit():
        raise ApiError(404, {"detail": "Not found."})
    if int(pk) not in rows:
        raise missing(model)
    return rows[int(pk)]


def client(pk: str) -> dict[str, Any]:
    """One client."""
    return _group(_find(lab().fleet.clients, pk, "Client"))


def site(pk: str) -> dict[str, Any]:
    """One site."""
    return _group(_find(lab().fleet.sites, pk, "Site"))


def agent(pk: str) -> dict[str, Any]:
    """One agent by integer key; the agent_id gives a 404."""
    return beta_detail(lab(), _find(lab().fleet.agents, pk, "Agent"))


def put_agent(pk: str) -> None:
    """Broken on the real server for every body."""
    _find(lab().fleet.agents, pk, "Agent")
    raise Crash("agent_id")


def put_client(pk: str) -> dict[str, Any]:
    """Rename a client."""
    row: Client = _find(lab().fleet.clients, pk, "Client")
    row.name = _name_of(body())
    return _group(row)


def put_site(pk: str) -> dict[str, Any]:
    """Rename a site."""
    row: Site = _find(lab().fleet.sites, pk, "Site")
    row.name = _name_of(body())
    return _group(row)


def _name_of(data: dict[str, Any]) -> str:
    if not data.get("name"):
        raise ApiError(400, {"name": ["This field is required."]})
    return str(data["name"])


ENDPOINTS = [
    Endpoint("/beta/v1/", "GET, HEAD, OPTIONS", {"GET": Action(root)}),
    Endpoint("/beta/v1/client/", "GET", {"GET": Action(clients, "can_list_clients")}),
    Endpoint("/beta/v1/site/", "GET", {"GET": Action(sites, "can_list_sites")}),
    Endpoint("/beta/v1/agent/", "GET", {"GET": Action(agents, "can_list_agents")}),
    Endpoint(
        "/beta/v1/client/<pk>/",
        "GET, PUT",
        {"GET": Action(client, "can_list_clients"), "PUT": Action(put_client, "can_manage_clients")},
    ),
    Endpoint(
        "/beta/v1/site/<pk>/",
        "GET, PUT",
        {"GET": Action(site, "can_list_sites"), "PUT": Action(put_site, "can_manage_sites")},
    ),
    Endpoint(
        "/beta/v1/agent/<pk>/",
        "GET, PUT",
        {"GET": Action(agent, "can_list_agents"), "PUT": Action(put_agent, "can_edit_agent")},
    ),
]
