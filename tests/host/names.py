"""Ids of the demonstration data by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reference_psa import seed_data
from reference_psa.seed import demo_id, tenant_id
from rmm_extension.host import AssetChange, TicketDraft

TENANT = tenant_id(seed_data.NORTHBEAM)
OTHER = tenant_id(seed_data.HARBOR)


def known(table: str, name: str, tenant: str = seed_data.NORTHBEAM) -> str:
    """The id of a demonstration row."""
    return demo_id(tenant, table, name)


CLIENT = known("clients", "Harbour Dental Care")
OTHER_CLIENT = known("clients", "Rivera Freight", seed_data.HARBOR)
PRIMARY = known("contacts", "Harbour Dental Care/Nadia Brook")
SECOND = known("contacts", "Harbour Dental Care/Owen Pike")
BOARD = known("boards", "Service desk")
NAS = known("assets", "HDC-NAS")
TECHNICIAN = known("users", "tech@northbeam.example")
ADMIN = known("users", "admin@northbeam.example")
OPEN_TICKET = known("tickets", "Wi-Fi drops in the waiting room")

DRAFT = TicketDraft(
    idempotency_key="alert-1",
    title="Disk full on HDC-NAS",
    description="C: has 1 GB left.",
    client_id=CLIENT,
    source="tacticalrmm",
    source_reference="42",
    asset_id=NAS,
    note="Created by an alert.",
)


def draft(**changes: Any) -> TicketDraft:
    """The usual draft with some values changed."""
    return replace(DRAFT, **changes)


def status(name: str, board: str = "Service desk") -> str:
    """The id of a status of a board."""
    return known("ticket_statuses", f"{board}/{name}")


def change(number: int = 1, asset_id: str | None = None, **values: Any) -> AssetChange:
    """A device as the sync reports it."""
    usual = {
        "asset_id": asset_id,
        "client_id": CLIENT,
        "name": f"PC-{number}",
        "asset_type": "workstation",
        "serial": f"SERIAL-{number}",
        "location": "Main office",
        "rmm_provider": "tacticalrmm",
        "rmm_device_id": f"agent-{number}",
        "rmm_organization_id": "1",
        "agent_status": "online",
        "last_seen_at": None,
    }
    return AssetChange(**{**usual, **values})
