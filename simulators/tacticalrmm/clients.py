"""/clients/ and /clients/sites/: scoped by role, unlike their beta counterparts."""

from __future__ import annotations

from typing import Any

from simulators.tacticalrmm.endpoints import Action, Endpoint, current_role, lab
from simulators.tacticalrmm.models import Agent, Client, Site
from simulators.tacticalrmm.replies import denied, missing
from simulators.tacticalrmm.show_agents import custom_values


def _sees(client_id: int) -> bool:
    role = current_role()
    return role is not None and role.sees_client(client_id)


def _policies() -> dict[str, Any]:
    return {"server_policy": None, "workstation_policy": None, "alert_template": None}


def _counted(agents: list[Agent]) -> dict[str, Any]:
    """The annotations that only lists and nested sites carry."""
    return {"agent_count": len(agents), "maintenance_mode": any(agent.maintenance_mode for agent in agents)}


def _site_row(site: Site, nested: bool = False) -> dict[str, Any]:
    agents = [agent for agent in lab().agents() if agent.site_id == site.id] if nested else []
    return {
        "id": site.id,
        "name": site.name,
        **_policies(),
        "client_name": lab().fleet.clients[site.client_id].name,
        "client": site.client_id,
        "custom_fields": custom_values(lab(), "site", site.id, site.custom),
        "block_policy_inheritance": False,
        "failing_checks": {"error": False, "warning": False},
        **(_counted(agents) if nested else {}),
    }


def _client_row(client: Client, listed: bool) -> dict[str, Any]:
    sites = sorted((s for s in lab().fleet.sites.values() if s.client_id == client.id), key=lambda s: s.name)
    agents = (
        [agent for agent in lab().agents() if lab().site_of(agent).client_id == client.id] if listed else []
    )
    return {
        "id": client.id,
        "name": client.name,
        **_policies(),
        "block_policy_inheritance": False,
        "sites": [_site_row(site, nested=True) for site in sites],
        "custom_fields": custom_values(lab(), "client", client.id, client.custom),
        "failing_checks": {"error": False, "warning": False},
        **(_counted(agents) if listed else {}),
    }


def clients() -> list[dict[str, Any]]:
    """Clients inside the scope, by name, with their sites nested."""
    rows = sorted((c for c in lab().fleet.clients.values() if _sees(c.id)), key=lambda c: c.name)
    return [_client_row(client, listed=True) for client in rows]


def client(pk: int) -> dict[str, Any]:
    """One client."""
    if pk not in lab().fleet.clients:
        raise missing("Client")
    if not _sees(pk):
        raise denied()
    return _client_row(lab().fleet.clients[pk], listed=False)


def sites() -> list[dict[str, Any]]:
    """Sites inside the scope, by name."""
    rows = sorted((s for s in lab().fleet.sites.values() if _sees(s.client_id)), key=lambda s: s.name)
    return [_site_row(site) for site in rows]


def site(pk: int) -> dict[str, Any]:
    """One site."""
    if pk not in lab().fleet.sites:
        raise missing("Site")
    if not _sees(lab().fleet.sites[pk].client_id):
        raise denied()
    return _site_row(lab().fleet.sites[pk])


LIST, ONE = "GET, POST, HEAD, OPTIONS", "GET, PUT, DELETE, HEAD, OPTIONS"
ENDPOINTS = [
    Endpoint("/clients/", LIST, {"GET": Action(clients, "can_list_clients")}),
    Endpoint("/clients/<int:pk>/", ONE, {"GET": Action(client, "can_list_clients")}),
    Endpoint("/clients/sites/", LIST, {"GET": Action(sites, "can_list_sites")}),
    Endpoint("/clients/sites/<int:pk>/", ONE, {"GET": Action(site, "can_list_sites")}),
]
