"""One reconciliation: ask the vendor first, and only with its whole answer change anything here."""

from __future__ import annotations

from rmm_extension.domain.errors import ConfigError
from rmm_extension.providers.capabilities import FollowsAlerts, ListsAlerts
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory import events
from rmm_extension.services.inventory.load import open_connection
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from .cycle import Cycle
from .follow import Following
from .work import SYNC_TYPE


def reconcile_alerts(rmm: Rmm, run: Run) -> dict[str, int]:
    """Bring this connection's alerts in line with what the vendor says; the counts by what happened.

    A fetch that is not complete changes no alert: it raises, and the connection keeps the reason.
    """
    assert run.taken_at is not None
    with unit(rmm) as session:
        row, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
        if not isinstance(provider, (ListsAlerts, FollowsAlerts)):
            raise ConfigError(f"{provider.manifest.label} has no list of alerts.")
        events.started(session, run, row, SYNC_TYPE)
    kind = Cycle if isinstance(provider, ListsAlerts) else Following
    return kind(rmm, run, row, connection, provider, run.taken_at).go()
