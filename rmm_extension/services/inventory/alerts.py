"""Alerts that came before their devices, or the assets of these, were known here, and their tickets."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.errors import HostRejected
from rmm_extension.domain.logline import line
from rmm_extension.host import TicketAsset
from rmm_extension.models import ASSETLESS_SQL
from rmm_extension.services import outbox
from rmm_extension.services.context import Rmm

from . import sql

log = logging.getLogger("rmm_extension")

TOPIC = "ticket_assets"
AT_ONCE = 200
"""Tickets that one transaction locks."""

_LINK = f"""
WITH mine AS (
    SELECT waiting.tenant_id, waiting.id, d.id AS device_id, d.asset_id
    FROM (SELECT * FROM rmm_alerts
          WHERE tenant_id = %(tenant)s AND integration_id = %(integration)s AND {ASSETLESS_SQL}) waiting
    JOIN rmm_devices d ON d.tenant_id = waiting.tenant_id AND d.integration_id = waiting.integration_id
        AND d.external_id = waiting.external_device_id
    WHERE waiting.device_id IS NULL OR d.asset_id IS NOT NULL
    FOR UPDATE OF waiting SKIP LOCKED
)
UPDATE rmm_alerts a SET device_id = mine.device_id, asset_id = mine.asset_id
FROM mine WHERE a.tenant_id = mine.tenant_id AND a.id = mine.id
RETURNING a.ticket_id, a.asset_id
"""  # noqa: S608 - a constant of the models


def link(session: Session, tenant_id: str, integration_id: UUID) -> int:
    """Give the connection's open alerts the device and asset that are known by now; how many got one.

    One that is being decided on at this moment is left to the next sync. Their tickets get the asset after
    the commit: a ticket is locked before its alerts, never after them.
    """
    found = sql.rows(session, _LINK, {"tenant": tenant_id, "integration": integration_id})
    links = sorted({(row.ticket_id, row.asset_id) for row in found if row.ticket_id and row.asset_id})
    batches = (links[start : start + AT_ONCE] for start in range(0, len(links), AT_ONCE))
    outbox.put_many(session, tenant_id, TOPIC, ({"links": batch} for batch in batches))
    return len(found)


def link_tickets(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Handler of the outbox: give tickets the assets of their alerts, where the host takes them."""
    if rmm.host.ticket_assets is None:
        return
    links: Sequence[TicketAsset] = [TicketAsset(ticket, asset) for ticket, asset in payload["links"]]
    try:
        with session.begin_nested():
            rmm.host.ticket_assets.link(session, tenant_id, links)
    except HostRejected as error:
        log.warning(
            "%s", line("ticket_assets.refused", tenant=tenant_id, tickets=len(links), error=str(error))
        )
