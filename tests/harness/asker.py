"""A process that asks Huntress as workers do, at the pace they share.

``python -m tests.harness.asker TENANT CONNECTION INTERVAL BURST`` opens the connection and prints ``ready``.
For each number on its standard input it asks so often, one by one, and prints how many were answered.
INTERVAL (seconds) and BURST stand in place of the real pace.
"""

from __future__ import annotations

import os
import sys
from uuid import UUID

from reference_psa import create_app
from rmm_extension.domain.pace import Rate
from rmm_extension.providers.huntress import client
from rmm_extension.services.inventory.load import open_connection
from rmm_extension.services.unit import unit
from tests.harness.schema import app_config


def main(tenant_id: str, integration_id: str, interval: str, burst: str) -> None:
    """Ask until the input ends."""
    client.RATE = Rate(interval=float(interval), burst=int(burst))
    app = create_app(app_config(os.environ["DATABASE_URL"], os.environ["RMM_REDIS_URL"]))
    rmm = app.extensions["rmm"].services
    with app.app_context():
        with unit(rmm) as session:
            _, connection, provider = open_connection(rmm, session, tenant_id, UUID(integration_id))
        print("ready", flush=True)
        with client.open_client(provider.runtime, connection) as one:
            for line in sys.stdin:
                statuses = [one.read("/v1/account").status for _ in range(int(line))]
                print(len(statuses), flush=True)
        rmm.db.engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
