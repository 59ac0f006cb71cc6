"""A tenant with devices whose vendor lists their software."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from rmm_extension.domain.types import InstalledSoftware
from rmm_extension.models import DeviceSoftware, Software, SoftwareList
from rmm_extension.services import runs
from rmm_extension.services.software import refresh_software, sync_software
from rmm_extension.services.unit import unit
from tests.services.inventory.conftest import World, device
from tests.services.inventory.conftest import world as inventory_world  # noqa: F401 - a fixture


def item(name: str, version: str = "1.0", **values: Any) -> InstalledSoftware:
    return InstalledSoftware(name=name, version=version, **values)


@dataclass(frozen=True)
class Row:
    """A row of a device's software, with the product's name."""

    name: str
    version: str
    removed: bool
    key: list[int]
    first_seen_at: datetime


@dataclass
class Scene:
    """A world and what its devices have."""

    world: World

    def devices(self, *external_ids: str) -> None:
        """Devices that are here, of a mapped organization."""
        self.world.script.devices += [device(one) for one in external_ids]
        self.world.sync()

    def tell(self, external_id: str, *items: InstalledSoftware) -> None:
        """What the vendor lists for a device from now on."""
        self.world.script.software[external_id] = items

    def sync(self) -> dict[str, int]:
        """A whole software sync; the counts that are not zero."""
        run = self.world.run("software_sync")
        counts = sync_software(self.world.rmm, run)
        self.world.finish(run)
        return {name: count for name, count in counts.items() if count}

    def refresh(self, external_id: str) -> dict[str, int]:
        """One device's refresh; the counts that are not zero."""
        run = self.start_refresh(external_id)
        counts = refresh_software(self.world.rmm, run)
        self.world.finish(run)
        return {name: count for name, count in counts.items() if count}

    def start_refresh(self, external_id: str) -> runs.Run:
        """A refresh in the hands of a worker."""
        return self.world.run("software_refresh", external_id=external_id)

    def software(self, external_id: str) -> list[Row]:
        """All rows of a device, by name and version."""
        device_id = self.world.device(external_id).id
        names = {row.id: row.name for row in self.world._all(Software)}
        found = [
            Row(
                names[one.software_id],
                one.version,
                one.removed_at is not None,
                one.version_key,
                one.first_seen_at,
            )
            for one in self.world._all(DeviceSoftware)
            if one.device_id == device_id
        ]
        return sorted(found, key=lambda row: (row.name, row.version))

    def present(self, external_id: str) -> list[str]:
        """``name version`` of what is installed now."""
        return [f"{row.name} {row.version}" for row in self.software(external_id) if not row.removed]

    def gone(self, external_id: str) -> list[str]:
        """``name version`` of what was installed."""
        return [f"{row.name} {row.version}" for row in self.software(external_id) if row.removed]

    def removed_at(self) -> list[datetime]:
        """When each row that is gone went."""
        return [row.removed_at for row in self.world._all(DeviceSoftware) if row.removed_at is not None]

    def list_of(self, external_id: str) -> SoftwareList | None:
        device_id = self.world.device(external_id).id
        return next((row for row in self.world._all(SoftwareList) if row.id == device_id), None)

    def stamps(self) -> set[str]:
        """The transactions that wrote the rows of software and the catalog last."""
        statement = text(
            "SELECT xmin::text FROM rmm_device_software UNION SELECT xmin::text FROM rmm_software_catalog"
            " UNION SELECT xmin::text FROM rmm_software_lists"
        )
        with unit(self.world.rmm) as session:
            return set(session.scalars(statement))


@pytest.fixture
def scene(inventory_world: World) -> Scene:  # noqa: F811 - the fixture
    inventory_world.map()
    return Scene(inventory_world)
