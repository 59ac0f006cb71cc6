"""The parts of a connection, as tabs."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request, url_for

from rmm_extension.models import Integration
from rmm_extension.providers.contract import Provider, capabilities

from .context import allows


@dataclass(frozen=True, slots=True)
class Tab:
    """One part: its label, address, and whether it is shown now."""

    label: str
    url: str
    current: bool


_TABS = (
    ("Overview", "connection", "rmm.view", None),
    ("Organizations", "organizations", "rmm.view", "organizations"),
    ("Rules", "connection_rules", "rmm.view", None),
    ("Maintenance", "connection_maintenance", "rmm.view", None),
    ("Proposals", "connection_proposals", "rmm.view", "devices"),
    ("Webhook", "connection_webhook", "rmm.configure", "webhook"),
    ("Sync", "sync_settings", "rmm.configure", None),
    ("Health", "connection_health", "rmm.view", None),
    ("Permissions", "connection_permissions", "rmm.configure", "permissions"),
    ("Settings", "connection_settings", "rmm.configure", None),
    ("Activity", "connection_activity", "rmm.configure", None),
)


def tabs(row: Integration, provider: Provider | None) -> list[Tab]:
    """The parts this person may open and this vendor has."""
    able = capabilities(provider) if provider else frozenset()
    return [
        Tab(label, url_for(f"rmm.{endpoint}", integration_id=row.id), request.endpoint == f"rmm.{endpoint}")
        for label, endpoint, permission, capability in _TABS
        if allows(permission) and (capability is None or capability in able)
    ]
