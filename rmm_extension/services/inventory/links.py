"""Telling the host of a device's status alone, leaving everything else of its asset as it is."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from rmm_extension.host import AssetChange


class Linked(Protocol):
    """A device as its row has it."""

    @property
    def external_id(self) -> str: ...
    @property
    def external_organization_id(self) -> str: ...
    @property
    def serial(self) -> str | None: ...
    @property
    def status(self) -> str: ...
    @property
    def last_seen_at(self) -> datetime | None: ...


def link(device: Linked, asset_id: str, provider: str) -> AssetChange:
    """The asset is this device's, which has this status; a later look fills the rest."""
    return AssetChange(
        asset_id=asset_id,
        client_id=None,
        name=None,
        asset_type=None,
        serial=device.serial,
        location=None,
        rmm_provider=provider,
        rmm_device_id=device.external_id,
        rmm_organization_id=device.external_organization_id,
        agent_status=device.status,
        last_seen_at=device.last_seen_at,
    )
