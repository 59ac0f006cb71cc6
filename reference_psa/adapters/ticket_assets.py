"""Assets of tickets that were made before they were known."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from rmm_extension.host.types import TicketAsset

from ._sql import run

# Its own statement: the next one's snapshot then sees what a person linked or closed during the wait.
_LOCK = """SELECT 1 FROM tickets
WHERE tenant_id = %(tenant)s AND id = ANY(%(tickets)s) AND closed_at IS NULL ORDER BY id FOR NO KEY UPDATE"""

_LINK = """INSERT INTO ticket_assets (tenant_id, ticket_id, asset_id)
SELECT DISTINCT ON (t.id) t.tenant_id, t.id, a.id
FROM unnest(%(tickets)s::text[], %(assets)s::text[]) WITH ORDINALITY AS l(ticket_id, asset_id, place)
JOIN tickets t ON t.tenant_id = %(tenant)s AND t.id = l.ticket_id AND t.closed_at IS NULL
JOIN assets a ON a.tenant_id = %(tenant)s AND a.id = l.asset_id AND a.client_id = t.client_id
WHERE NOT EXISTS (SELECT 1 FROM ticket_assets k WHERE k.tenant_id = t.tenant_id AND k.ticket_id = t.id)
ORDER BY t.id, l.place
ON CONFLICT DO NOTHING"""


class SqlTicketAssets:
    """Links by two statements, whatever their number."""

    def link(self, session: Session, tenant_id: str, links: Sequence[TicketAsset]) -> None:
        """Link open tickets without an asset to one of their client."""
        params = {
            "tenant": tenant_id,
            "tickets": [one.ticket_id for one in links],
            "assets": [one.asset_id for one in links],
        }
        run(session, _LOCK, params)
        run(session, _LINK, params)
