"""A tenant with devices whose vendor lists their patches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from rmm_extension.domain.patches import Patch, PatchKind, PatchStatus
from rmm_extension.models import DevicePatch, PatchList
from rmm_extension.services import runs
from rmm_extension.services.patches import refresh_patches, sync_patches
from rmm_extension.services.unit import unit
from tests.services.inventory.conftest import World, device
from tests.services.inventory.conftest import world as inventory_world  # noqa: F401 - a fixture
from tests.services.inventory.fakes import FakeProvider
from tests.services.inventory.ninja import start_ninja as start_ninja


def patch(name: str, status: str = "pending", **values: Any) -> Patch:
    """A patch whose id is its name; of the system unless something else is said."""
    basic: dict[str, Any] = {"kind": PatchKind.OS, "external_id": name}
    return Patch(name=name, status=PatchStatus(status), **(basic | values))


def of_program(name: str, status: str = "pending", **values: Any) -> Patch:
    return patch(name, status, kind=PatchKind.SOFTWARE, **values)


@dataclass
class Scene:
    """A world and what its devices wait for."""

    world: World

    def devices(self, *external_ids: str) -> None:
        """Devices that are here, of a mapped organization."""
        self.world.script.devices += [device(one) for one in external_ids]
        self.world.sync()

    def tell(self, external_id: str, *items: Patch, scanned_at: datetime | None = None) -> None:
        """What the vendor lists for a device from now on."""
        self.world.script.patches[external_id] = items
        if scanned_at is not None:
            self.world.script.scanned[external_id] = scanned_at

    def silence(self, *external_ids: str) -> None:
        """Let the vendor's list not name these devices any more."""
        for external_id in external_ids:
            del self.world.script.patches[external_id]

    def sync(self) -> dict[str, int]:
        """A whole patch sync; the counts that are not zero."""
        run = self.world.run("patch_sync")
        counts = sync_patches(self.world.rmm, run)
        self.world.finish(run)
        return {name: count for name, count in counts.items() if count}

    def refresh(self, external_id: str) -> dict[str, int]:
        """One device's refresh; the counts that are not zero."""
        run = self.start_refresh(external_id)
        counts = refresh_patches(self.world.rmm, run)
        self.world.finish(run)
        return {name: count for name, count in counts.items() if count}

    def start_refresh(self, external_id: str) -> runs.Run:
        """A refresh in the hands of a worker."""
        return self.world.run("patch_refresh", external_id=external_id)

    def rows(self, external_id: str) -> list[DevicePatch]:
        """All rows of a device, by kind and name."""
        device_id = self.world.device(external_id).id
        found = [one for one in self.world._all(DevicePatch) if one.device_id == device_id]
        return sorted(found, key=lambda row: (row.kind, row.name))

    def patches(self, external_id: str) -> list[str]:
        """``name status`` of each."""
        return [f"{row.name} {row.status}" for row in self.rows(external_id)]

    def list_of(self, external_id: str) -> PatchList:
        device_id = self.world.device(external_id).id
        (found,) = [row for row in self.world._all(PatchList) if row.id == device_id]
        return found

    def facts(self, external_id: str) -> dict[str, Any]:
        """The device's facts that have to do with patches."""
        found = self.world.device(external_id).facts
        return {name: value for name, value in found.items() if "patches" in name}

    def stamps(self) -> set[str]:
        """The transactions that wrote the rows of devices, patches and lists last."""
        statement = text(
            "SELECT xmin::text FROM rmm_device_patches UNION SELECT xmin::text FROM rmm_patch_lists"
            " UNION SELECT xmin::text FROM rmm_devices"
        )
        with unit(self.world.rmm) as session:
            return set(session.scalars(statement))


@pytest.fixture
def scene(inventory_world: World) -> Scene:  # noqa: F811 - the fixture
    inventory_world.map()
    return Scene(inventory_world)


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor whose devices come with their numbers of patches."""
    monkeypatch.setattr(FakeProvider, "manifest", replace(FakeProvider.manifest, tells_patch_numbers=True))
