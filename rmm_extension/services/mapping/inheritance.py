"""Nested organizations: one that has no client of its own is its nearest ancestor's that has.

What it takes over stands in its own row, so that nobody who asks for an organization's client needs to know
of ancestors. Whoever changes mappings of a connection holds all of them first: what follows from a change
reaches other rows, and two changes must not each miss what the other one did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import exists, insert, or_, select
from sqlalchemy.orm import Session

from rmm_extension.models import OrganizationMapping, Outbox, new_id, utc_now
from rmm_extension.services import outbox
from rmm_extension.services.registration import mapping_changed

_Row = OrganizationMapping

# From those that have a client of their own downwards, as far as the next one that has. None has two
# parents, so each is reached once at most, and a ring of parents, should a vendor tell one, is entered only
# from one of its own that has a client, where the walk ends.
_INHERIT = """
WITH RECURSIVE known AS MATERIALIZED (
    SELECT m.*, m.client_id IS NOT NULL AND m.inherited_from IS NULL AS is_own
    FROM rmm_organization_mappings m
    WHERE m.tenant_id = %(tenant)s AND m.integration_id = %(integration)s
), heirs AS (
    SELECT k.external_id, k.external_id AS source, k.client_id, k.default_contact_id, k.auto_sync,
        k.auto_tickets
    FROM known k WHERE k.is_own
    UNION ALL
    SELECT k.external_id, h.source, h.client_id, h.default_contact_id, h.auto_sync, h.auto_tickets
    FROM heirs h JOIN known k ON k.parent_external_id = h.external_id AND NOT k.is_own
), due AS (
    SELECT k.id, k.client_id AS former, h.source, h.client_id, h.default_contact_id,
        coalesce(h.auto_sync, k.auto_sync) AS auto_sync,
        coalesce(h.auto_tickets, k.auto_tickets) AS auto_tickets
    FROM known k LEFT JOIN heirs h ON h.external_id = k.external_id
    WHERE NOT k.is_own AND (
        (k.inherited_from, k.client_id, k.default_contact_id)
            IS DISTINCT FROM (h.source, h.client_id, h.default_contact_id)
        OR k.auto_sync <> h.auto_sync OR k.auto_tickets <> h.auto_tickets
    )
)
UPDATE rmm_organization_mappings m SET
    client_id = d.client_id,
    default_contact_id = d.default_contact_id,
    auto_sync = d.auto_sync,
    auto_tickets = d.auto_tickets,
    inherited_from = d.source,
    last_error = CASE WHEN d.client_id IS NOT DISTINCT FROM d.former THEN m.last_error END,
    updated_at = %(now)s
FROM due d
WHERE m.tenant_id = %(tenant)s AND m.id = d.id
RETURNING m.external_id, m.client_id IS NOT NULL, m.client_id IS DISTINCT FROM d.former
"""


def hold(session: Session, tenant_id: str, integration_id: UUID) -> bool:
    """Lock all mappings of a connection, in the order of their ids; whether any of them is nested.

    That is asked once they are held: whoever had them until then may have written the first nested one.
    """
    ours = (_Row.tenant_id == tenant_id, _Row.integration_id == integration_id)
    session.execute(select(_Row.id).where(*ours).order_by(_Row.id).with_for_update())
    nested = or_(_Row.parent_external_id.is_not(None), _Row.inherited_from.is_not(None))
    return session.scalar(select(exists().where(*ours, nested))) is True


def inherit(session: Session, tenant_id: str, integration_id: UUID) -> int:
    """Have every organization without a client of its own follow its nearest ancestor; how many changed.

    For whoever holds the mappings (:func:`hold`). What got a client by it is told as mapped; a row that has
    what it should have costs no write.
    """
    values = {"tenant": tenant_id, "integration": integration_id, "now": utc_now()}
    session.flush()
    rows = session.connection().exec_driver_sql(_INHERIT, values).all()
    moved = [(external_id, is_mapped) for external_id, is_mapped, is_another in rows if is_another]
    tell_mapped(session, tenant_id, integration_id, sorted(known for known, is_mapped in moved if is_mapped))
    if moved:
        mapping_changed(session, tenant_id, integration_id)
    return len(rows)


def tell_mapped(session: Session, tenant_id: str, integration_id: UUID, organizations: Iterable[str]) -> None:
    """Alerts that waited for a client are to be looked at again."""
    rows = _told(tenant_id, integration_id, list(organizations))
    if rows:
        session.execute(insert(Outbox).values(rows))
        outbox.mark_written(session)


def _told(tenant_id: str, integration_id: UUID, organizations: Sequence[str]) -> list[dict[str, object]]:
    now = utc_now()
    return [
        {
            "tenant_id": tenant_id,
            "id": new_id(),
            "topic": "organization_mapped",
            "payload": {
                "integration_id": str(integration_id),
                "external_organization_id": organization,
            },
            "created_at": now,
            "due_at": now,
            "attempts": 0,
        }
        for organization in organizations
    ]
