"""A host in memory and a vendor that says what it is told to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import HostRejected
from rmm_extension.domain.matching import normalize_macs
from rmm_extension.domain.patches import Patch, PatchesOfDevice, PatchKind, PatchPage
from rmm_extension.domain.types import (
    Connection,
    Device,
    DevicePage,
    InstalledSoftware,
    Organization,
    SoftwareOfDevice,
    SoftwarePage,
)
from rmm_extension.host import (
    AssetApplied,
    AssetChange,
    AssetKey,
    AssetMatch,
    AssetRef,
    Client,
    Contact,
    Tenant,
)
from rmm_extension.providers.contract import AuthMode, Manifest, Provider


@dataclass
class StoredAsset:
    """An asset of the host in memory; ``writes`` counts how often it was written."""

    id: str
    client_id: str | None
    name: str | None
    serial: str | None = None
    macs: tuple[str, ...] = ()
    asset_type: str | None = None
    active: bool = True
    agent_status: str | None = None
    device: str | None = None
    vitals: dict[str, Any] = field(default_factory=dict)
    writes: int = 0


class FakeAssets:
    """Assets by tenant. ``refused`` are device names that the host rejects."""

    def __init__(self) -> None:
        self.by_tenant: dict[str, dict[str, StoredAsset]] = {}
        self.refused: set[str] = set()
        self.inactive_reasons: list[str] = []

    def of(self, tenant_id: str) -> dict[str, StoredAsset]:
        return self.by_tenant.setdefault(tenant_id, {})

    def add(self, tenant_id: str, **values: Any) -> StoredAsset:
        asset = StoredAsset(id=f"asset-{len(self.of(tenant_id)) + 1}", **values)
        self.of(tenant_id)[asset.id] = asset
        return asset

    def find(self, session: Session, tenant_id: str, keys: Sequence[AssetKey]) -> Sequence[AssetMatch]:
        return [
            AssetMatch(a.id, a.client_id or "", a.serial, a.macs, a.name or "")
            for a in self.of(tenant_id).values()
            if any(_is_like(a, key) for key in keys)
        ]

    def apply(
        self, session: Session, tenant_id: str, changes: Sequence[AssetChange]
    ) -> Sequence[AssetApplied]:
        for change in changes:
            if change.name in self.refused:
                raise HostRejected(f"The PSA refuses {change.name}.")
        return [self._apply_one(tenant_id, change) for change in changes]

    def _apply_one(self, tenant_id: str, change: AssetChange) -> AssetApplied:
        known = self.of(tenant_id).get(change.asset_id or "")
        asset = known or self.add(tenant_id, client_id=None, name=None)
        asset.client_id = change.client_id or asset.client_id
        asset.name = change.name or asset.name
        asset.serial = change.serial or asset.serial
        asset.asset_type = change.asset_type or asset.asset_type
        asset.macs = tuple(change.vitals.get("mac_addresses", asset.macs))
        asset.agent_status, asset.device = change.agent_status, change.rmm_device_id
        asset.active = asset.active or change.reactivate
        asset.vitals |= change.vitals
        asset.writes += 1
        return AssetApplied(asset.id, created=known is None)

    def mark_inactive(
        self, session: Session, tenant_id: str, asset_ids: Collection[str], reason: str
    ) -> None:
        self.inactive_reasons.append(reason)
        for asset_id in asset_ids:
            self.of(tenant_id)[asset_id].active = False

    def get_many(self, session: Session, tenant_id: str, ids: Collection[str]) -> Mapping[str, AssetRef]:
        found = self.of(tenant_id)
        return {i: AssetRef(i, found[i].name or "", found[i].client_id) for i in ids if i in found}


def _is_like(asset: StoredAsset, key: AssetKey) -> bool:
    if asset.client_id != key.client_id:
        return False
    same_serial = bool(key.serial and asset.serial and asset.serial.lower() == key.serial.lower())
    same_name = (asset.name or "").lower() == key.name.lower()
    return same_serial or same_name or bool(normalize_macs(asset.macs) & normalize_macs(key.macs))


class FakeClients:
    def __init__(self) -> None:
        self.by_tenant: dict[str, dict[str, Client]] = {}

    def add(self, tenant_id: str, *names: str) -> None:
        """Clients whose id is their name in lower case with dashes."""
        for name in names:
            client = Client(name.lower().replace(" ", "-"), name)
            self.by_tenant.setdefault(tenant_id, {})[client.id] = client

    def search(self, session: Session, tenant_id: str, text: str = "", limit: int = 1000) -> Sequence[Client]:
        known = self.by_tenant.get(tenant_id, {}).values()
        found = [c for c in known if c.is_active and text.lower() in c.name.lower()]
        return sorted(found, key=lambda c: c.name)[:limit]

    def get_many(self, session: Session, tenant_id: str, ids: Collection[str]) -> Mapping[str, Client]:
        return {i: c for i, c in self.by_tenant.get(tenant_id, {}).items() if i in ids}


class FakeContacts:
    def __init__(self) -> None:
        self.contacts: list[Contact] = []

    def for_clients(
        self, session: Session, tenant_id: str, client_ids: Collection[str]
    ) -> Mapping[str, Sequence[Contact]]:
        return {c: [x for x in self.contacts if x.client_id == c] for c in client_ids}

    def for_ticket(
        self, session: Session, tenant_id: str, client_id: str, preferred_id: str | None
    ) -> str | None:
        return preferred_id


class FakeTenants:
    def __init__(self) -> None:
        self.suspended: set[str] = set()
        self.active: list[str] = []

    def get(self, session: Session, tenant_id: str) -> Tenant | None:
        return Tenant(tenant_id, tenant_id, tenant_id not in self.suspended)

    def active_ids(self, session: Session) -> Sequence[str]:
        return self.active


@dataclass
class Script:
    """What the vendor answers. ``devices`` come in pages of ``page_size``, organization by organization.

    ``fails_after`` raises ``error`` after so many pages; ``row_errors`` come with the first page. ``on_page``
    is called before each page is handed out. ``software`` and ``patches`` are told by device, with when the
    latter were looked for in ``scanned`` and those of the kinds ``unread`` left out; ``strangers`` come with
    the first page.
    """

    organizations: list[Organization] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    page_size: int = 100
    error: Exception | None = None
    fails_after: int = 0
    row_errors: tuple[str, ...] = ()
    on_page: Any = None
    asked: list[tuple[tuple[str, ...], bool]] = field(default_factory=list)
    software: dict[str, tuple[InstalledSoftware, ...]] = field(default_factory=dict)
    patches: dict[str, tuple[Patch, ...]] = field(default_factory=dict)
    scanned: dict[str, datetime] = field(default_factory=dict)
    strangers: int = 0
    unread: dict[PatchKind, str] = field(default_factory=dict)

    def replace(self, external_id: str, **values: Any) -> None:
        """Change what the vendor says of one device."""
        self.devices = [
            device if device.external_id != external_id else msgspec.structs.replace(device, **values)
            for device in self.devices
        ]

    def drop(self, *external_ids: str) -> None:
        """Let the vendor forget devices."""
        self.devices = [device for device in self.devices if device.external_id not in external_ids]


SCRIPTS: dict[str, Script] = {}
"""What each connection's vendor says, by the connection's address."""


class FakeProvider(Provider):
    manifest = Manifest("fake", "Fake", "A vendor for tests.", (AuthMode("api_key", "Key", "", ()),))

    def organizations(self, connection: Connection) -> Sequence[Organization]:
        script = SCRIPTS[connection.instance_url]
        if script.error:
            raise script.error
        return script.organizations

    def devices(
        self, connection: Connection, organization_ids: Sequence[str], *, full: bool
    ) -> Iterator[DevicePage]:
        script = SCRIPTS[connection.instance_url]
        script.asked.append((tuple(organization_ids), full))
        pages = list(_pages(script, organization_ids))
        for number, page in enumerate(pages):
            if script.error and number >= script.fails_after:
                raise script.error
            if script.on_page:
                script.on_page(number)
            yield page
        if script.error:
            raise script.error

    def device(self, connection: Connection, external_id: str) -> Device | None:
        script = SCRIPTS[connection.instance_url]
        return next((d for d in script.devices if d.external_id == external_id), None)

    def software(self, connection: Connection) -> Iterator[SoftwarePage]:
        script = SCRIPTS[connection.instance_url]
        errors, strangers = script.row_errors, script.strangers
        for part in _parts(script, list(script.software.items())):
            devices = tuple(SoftwareOfDevice(external_device_id=id_, items=items) for id_, items in part)
            yield SoftwarePage(devices=devices, errors=errors, strangers=strangers)
            errors, strangers = (), 0

    def device_software(self, connection: Connection, external_id: str) -> SoftwareOfDevice | None:
        script = SCRIPTS[connection.instance_url]
        if script.error:
            raise script.error
        if external_id not in script.software:
            return None
        return SoftwareOfDevice(external_device_id=external_id, items=script.software[external_id])

    def patches(self, connection: Connection) -> Iterator[PatchPage]:
        script = SCRIPTS[connection.instance_url]
        errors, strangers = script.row_errors, script.strangers
        yield PatchPage(devices=(), unread=script.unread)
        for part in _parts(script, list(script.patches)):
            devices = tuple(_patches(script, external_id) for external_id in part)
            yield PatchPage(devices=devices, errors=errors, strangers=strangers)
            errors, strangers = (), 0

    def device_patches(self, connection: Connection, external_id: str) -> PatchesOfDevice | None:
        script = SCRIPTS[connection.instance_url]
        if script.error:
            raise script.error
        if external_id not in script.patches:
            return None
        return msgspec.structs.replace(_patches(script, external_id), unread=script.unread)


class OtherProvider(FakeProvider):
    manifest = replace(FakeProvider.manifest, key="other", label="Other")


class NamingProvider(FakeProvider):
    """Tells of machines that are assets already, and knows them by their names."""

    manifest = replace(
        FakeProvider.manifest, key="naming", label="Naming", makes_assets=False, matches_by_name=True
    )


def _patches(script: Script, external_id: str) -> PatchesOfDevice:
    return PatchesOfDevice(
        external_device_id=external_id,
        items=tuple(item for item in script.patches[external_id] if item.kind not in script.unread),
        scanned_at=script.scanned.get(external_id),
    )


def _parts(script: Script, told: list[Any]) -> Iterator[list[Any]]:
    """What is told, page by page, up to the script's error."""
    for number, start in enumerate(range(0, len(told), script.page_size)):
        if script.error and number >= script.fails_after:
            raise script.error
        if script.on_page:
            script.on_page(number)
        yield told[start : start + script.page_size]
    if script.error:
        raise script.error


def _pages(script: Script, organization_ids: Sequence[str]) -> Iterator[DevicePage]:
    errors = script.row_errors
    for organization in organization_ids:
        mine = [d for d in script.devices if d.external_organization_id == organization]
        starts = range(0, max(len(mine), 1), script.page_size)
        for start in starts:
            yield DevicePage(
                devices=tuple(mine[start : start + script.page_size]),
                errors=errors,
                completed_organizations=(organization,) if start == starts[-1] else (),
                total=len(script.devices),
            )
            errors = ()
