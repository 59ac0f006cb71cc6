"""A fleet of two made-up vendors, one of which lists the patches of its devices."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from rmm_extension.models import Integration, utc_now
from rmm_extension.services.unit import unit
from tests.harness.patches import SECOND_TUESDAY, Listed, give

from .conftest import World

HOUR = timedelta(hours=1)
TELLS = {
    "os_patches_pending": 0,
    "os_patches_failed": 0,
    "software_patches_pending": 0,
    "software_patches_failed": 0,
    "has_pending_patches": False,
    "needs_reboot": False,
    "antivirus": "protected",
    "threats": 0,
}
"""Facts of a device whose vendor tells everything, and of which nothing is wrong."""


def put(world: World, device: UUID, *patches: Listed, tenant: str = "one", age: timedelta = HOUR) -> None:
    """Let a device, scanned so long ago, have these patches."""
    with world.app.app_context(), unit(world.rmm) as session:
        give(session, tenant, device, patches, scanned_at=utc_now() - age)


def synced(world: World, integration_id: UUID) -> None:
    """Let the connection have synced its patches three hours ago."""
    with world.app.app_context(), unit(world.rmm) as session:
        row = session.get(Integration, ("one", integration_id))
        assert row is not None
        row.last_patch_sync_at = utc_now() - 3 * HOUR


def fleet(world: World) -> tuple[UUID, list[UUID]]:
    """Four devices whose vendor lists patches, of three clients, and one whose vendor tells nothing."""
    connection, silent = world.connect("Head office"), world.connect("Branch", provider="single")
    synced(world, connection)
    told = (
        ("PC-A", "one-c0", {"os_patches_pending": 2, "has_pending_patches": True, "os_patches_failed": 1}),
        ("PC-B", "one-c0", {"software_patches_pending": 1, "has_pending_patches": True}),
        ("PC-C", "one-c1", {"antivirus": "at_risk", "threats": 2, "needs_reboot": True}),
        ("PC-D", "one-c2", {"antivirus": "unknown"}),
    )
    ids = [
        world.devices(
            connection, 1, name=name, client_id=client, facts={**TELLS, **facts}, asset_id=f"a-{name}"
        )[0]
        for name, client, facts in told
    ]
    world.devices(silent, 1, name="PC-E", client_id="one-c1", status="overdue")
    put(
        world,
        ids[0],
        Listed(SECOND_TUESDAY, kb="KB5034441"),
        Listed("Security Update (KB5030001)", "approved", severity="IMPORTANT", kb="KB5030001"),
        Listed("Driver", "failed", severity=None, changed_at=utc_now() - 5 * HOUR),
        Listed("Definition Update", "installed", severity="low", changed_at=utc_now() - 2 * HOUR),
    )
    put(world, ids[1], Listed("Chrome 131", kind="software", severity="Critical"), age=timedelta(days=20))
    put(world, ids[2], Listed(SECOND_TUESDAY, "installed", kb="KB5034441"))
    put(world, ids[3], Listed("Silverlight", "rejected", kb="KB4481252"))
    return connection, ids
