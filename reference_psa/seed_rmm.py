"""The demonstration's RMM connection: prepared for the simulated vendor, with its rule, not yet connected;
and the windows in which clients are maintained."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from reference_psa.seed import demo_client, tenant_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import Integration, utc_now
from rmm_extension.services import maintenance
from rmm_extension.services.catch_all import add_catch_all
from rmm_extension.services.unit import unit

NAME = "Simulated fleet"


def seed_connection(app: Flask) -> bool:
    """Add it where ``PSA_SIMULATOR_TACTICAL_URL`` names a simulator; whether it was added.

    The address of the one that is there follows the simulator, whose port may differ from run to run.
    """
    url, tenant = app.config.get("PSA_SIMULATOR_TACTICAL_URL"), tenant_id(NORTHBEAM)
    if not url:
        return False
    actor = SYSTEM_ACTOR(tenant)
    rmm = app.extensions["rmm"].services
    with app.app_context(), unit(rmm) as session:
        mine = select(Integration).where(Integration.tenant_id == tenant)
        found = session.scalar(mine.where(Integration.name == NAME))
        if found is not None:
            found.instance_url = url
            return False
        if session.scalar(select(mine.exists())):
            return False
        row = Integration(tenant_id=tenant, provider="tacticalrmm", name=NAME, instance_url=url)
        session.add(row)
        session.flush()
        add_catch_all(session, actor, row)
        for value in _windows():
            maintenance.create(rmm, session, actor, value)
    return True


def _windows() -> list[dict[str, Any]]:
    """A move that is over, and a night on which servers are patched."""
    moved = (utc_now() - timedelta(days=9)).replace(hour=19, minute=0, second=0, microsecond=0)
    night = {"type": "weekly", "days": [2], "startTime": "22:00", "endTime": "02:00"}
    return [
        {
            "name": "Move to the new office",
            "clientId": demo_client(NORTHBEAM, "Kestrel Architects LLP"),
            "startsAt": moved.isoformat(),
            "endsAt": (moved + timedelta(hours=5)).isoformat(),
        },
        {
            "name": "Patch night",
            "clientId": demo_client(NORTHBEAM, "Cedar Ridge Schools"),
            "recurrence": {**night, "timezone": "America/Chicago"},
        },
    ]
