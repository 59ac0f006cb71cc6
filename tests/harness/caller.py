"""A process that works with a connection as a job does: ``python -m tests.harness.caller TENANT CONNECTION``.

It reads the connection, prints ``ready``, waits for a line on its standard input, asks the vendor for its
organizations, and prints ``ok`` or the kind of the error.
"""

from __future__ import annotations

import os
import sys
from uuid import UUID

from reference_psa import create_app
from rmm_extension.domain.errors import ProviderError
from rmm_extension.providers.capabilities import ListsOrganizations
from rmm_extension.services.inventory.load import open_connection
from rmm_extension.services.unit import unit
from tests.harness.schema import app_config


def main(tenant_id: str, integration_id: str) -> None:
    """Ask once."""
    app = create_app(app_config(os.environ["DATABASE_URL"]))
    rmm = app.extensions["rmm"].services
    with app.app_context():
        with unit(rmm) as session:
            _, connection, provider = open_connection(rmm, session, tenant_id, UUID(integration_id))
        assert isinstance(provider, ListsOrganizations)
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            provider.organizations(connection)
        except ProviderError as error:
            print(error.kind, flush=True)
        else:
            print("ok", flush=True)
        rmm.db.engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
