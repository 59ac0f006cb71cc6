"""The parts of a connection, as tabs."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request, url_for

from rmm_extension.models import Integration
from rmm_extension.providers.contract import Provider

from .abilities import has_part
from .context import allows


@dataclass(frozen=True, slots=True)
class Tab:
    """One part: its label, address, and whether it is shown now."""

    label: str
    url: str
    current: bool


_TABS = (
    ("Overview", "connection", "rmm.view"),
    ("Organizations", "organizations", "rmm.view"),
    ("Rules", "connection_rules", "rmm.view"),
    ("Routing", "connection_routing", "rmm.configure"),
    ("Maintenance", "connection_maintenance", "rmm.view"),
    ("Proposals", "connection_proposals", "rmm.view"),
    ("Webhook", "connection_webhook", "rmm.configure"),
    ("Bot", "connection_bot", "rmm.configure"),
    ("Users", "connection_users", "rmm.configure"),
    ("Sync", "sync_settings", "rmm.configure"),
    ("Health", "connection_health", "rmm.view"),
    ("Permissions", "connection_permissions", "rmm.configure"),
    ("Settings", "connection_settings", "rmm.configure"),
    ("Activity", "connection_activity", "rmm.configure"),
)


def tabs(row: Integration, provider: Provider | None) -> list[Tab]:
    """The parts this person may open and this vendor has."""
    return [
        Tab(label, url_for(f"rmm.{endpoint}", integration_id=row.id), request.endpoint == f"rmm.{endpoint}")
        for label, endpoint, permission in _TABS
        if allows(permission) and has_part(f"rmm.{endpoint}", provider)
    ]
