"""The demonstration's RMM connection: prepared for the simulated vendor, with its rule, not yet connected."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from reference_psa.seed import tenant_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import Integration
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
    with app.app_context(), unit(app.extensions["rmm"].services) as session:
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
    return True
