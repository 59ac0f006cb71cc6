"""The statements of the inventory, written for psycopg: a page is one parameter, whatever its length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.models.device import AGEING_SQL


def rows(session: Session, statement: str, values: Mapping[str, Any]) -> Sequence[Any]:
    """The rows of a statement, in the session's transaction."""
    return session.connection().exec_driver_sql(statement, dict(values)).all()


def rows_planned_anew(
    session: Session, statement: str, values: Mapping[str, Any]
) -> Sequence[tuple[Any, ...]]:
    """As :func:`rows`, past the prepared statements.

    A prepared statement may keep the plan it got while its table was empty, and then read the whole table
    once for every id of a first sync.
    """
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor(binary=True) as cursor:
        found: Sequence[tuple[Any, ...]] = cursor.execute(statement, values, prepare=False).fetchall()
    return found


def execute(session: Session, statement: str, values: Mapping[str, Any]) -> int:
    """Run a statement in the session's transaction; how many rows it touched."""
    return session.connection().exec_driver_sql(statement, dict(values)).rowcount


WRITE_ORGANIZATIONS = """
WITH listed AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb)
        AS l(id uuid, external_id text, name text, parent text, metadata jsonb)
), changed AS (
    SELECT l.* FROM listed l
    LEFT JOIN rmm_organization_mappings m
        ON m.tenant_id = %(tenant)s AND m.integration_id = %(integration)s AND m.external_id = l.external_id
    WHERE m.id IS NULL OR m.missing_since IS NOT NULL OR m.name <> l.name OR m.vendor_metadata <> l.metadata
        OR m.parent_external_id IS DISTINCT FROM l.parent
), written AS (
    INSERT INTO rmm_organization_mappings AS m
        (tenant_id, id, integration_id, external_id, name, parent_external_id, vendor_metadata, auto_sync,
         created_at, updated_at)
    SELECT %(tenant)s, c.id, %(integration)s, c.external_id, c.name, c.parent, c.metadata, true, %(now)s,
        %(now)s
    FROM changed c ORDER BY c.external_id
    ON CONFLICT (tenant_id, integration_id, external_id) DO UPDATE SET
        name = excluded.name,
        parent_external_id = excluded.parent_external_id,
        vendor_metadata = excluded.vendor_metadata,
        missing_since = NULL,
        updated_at = excluded.updated_at
    RETURNING m.id
), vanished AS (
    UPDATE rmm_organization_mappings m SET missing_since = %(now)s, updated_at = %(now)s
    WHERE m.tenant_id = %(tenant)s AND m.integration_id = %(integration)s AND m.missing_since IS NULL
        AND NOT EXISTS (SELECT FROM listed l WHERE l.external_id = m.external_id)
    RETURNING m.id
)
SELECT (SELECT count(*) FROM written WHERE id IN (SELECT id FROM listed)),
    (SELECT count(*) FROM written WHERE id NOT IN (SELECT id FROM listed)),
    (SELECT count(*) FROM vanished)
"""

TARGETS = """
SELECT m.id, m.external_id, m.client_id, m.auto_sync, m.missing_since IS NOT NULL,
    m.inherited_from IS NOT NULL
FROM rmm_organization_mappings m
WHERE m.tenant_id = %(tenant)s AND m.integration_id = %(integration)s
ORDER BY m.external_id
"""
"""Mappings of a connection."""

_OPEN = """CASE WHEN d.asset_id IS NULL THEN d.facts -> 'adoption_proposal' END,
    CASE WHEN d.asset_id IS NULL THEN d.facts -> 'adoption_declined' END"""

KNOWN = f"""
SELECT d.external_id, d.id, d.core_hash, d.hardware_hash, d.last_seen_at, d.asset_id,
    d.external_organization_id, d.missing_since IS NOT NULL, d.deleted_at IS NOT NULL, d.status, {_OPEN}
FROM jsonb_array_elements_text(%(ids)s::jsonb) AS w(external_id)
CROSS JOIN LATERAL (
    SELECT * FROM rmm_devices r
    WHERE r.tenant_id = %(tenant)s AND r.integration_id = %(integration)s AND r.external_id = w.external_id
    LIMIT 1
) d
"""  # noqa: S608 - our own text
"""LATERAL with its limit means one look into the unique index for each id."""

_PAGE = """json_to_recordset(%(rows)s::json) AS p(
    id uuid, external_id text, organization text, asset_id text, client_id text, name text, kind text,
    status text, last_seen_at timestamptz, serial text, macs text[], facts jsonb, core_hash bytea,
    hardware_hash bytea, offline_after int, overdue_after int, known_asset_id text,
    known_deleted boolean
)"""
"""Json, not jsonb: it is read once on its way into columns, which takes a third less time."""

INSERT_DEVICES = f"""
INSERT INTO rmm_devices (
    tenant_id, id, integration_id, external_id, external_organization_id, asset_id, client_id, name, kind,
    status, last_seen_at, serial, macs, facts, core_hash, hardware_hash, offline_after_minutes,
    overdue_after_minutes, missing_count, last_synced_at, created_at, updated_at
)
SELECT %(tenant)s, p.id, %(integration)s, p.external_id, p.organization, p.asset_id, p.client_id, p.name,
    p.kind, p.status, p.last_seen_at, p.serial, coalesce(p.macs, '{{}}'), p.facts, p.core_hash,
    p.hardware_hash, p.offline_after, p.overdue_after, 0, %(now)s, %(now)s, %(now)s
FROM {_PAGE}
"""  # noqa: S608 - our own text

UPDATE_DEVICES = f"""
UPDATE rmm_devices d SET
    external_organization_id = p.organization,
    asset_id = coalesce(p.asset_id, d.asset_id),
    client_id = coalesce(p.client_id, d.client_id),
    name = p.name,
    kind = CASE p.kind WHEN 'unknown' THEN d.kind ELSE p.kind END,
    status = p.status,
    last_seen_at = coalesce(p.last_seen_at, d.last_seen_at),
    serial = coalesce(p.serial, d.serial),
    macs = coalesce(p.macs, d.macs),
    facts = CASE
        WHEN d.asset_id IS NULL AND p.asset_id IS NOT NULL
        THEN d.facts - '{{adoption_proposal,adoption_declined}}'::text[]
        ELSE d.facts
    END || p.facts || CASE WHEN p.facts ? 'hardware' THEN jsonb_build_object(
        'hardware', coalesce(nullif(d.facts -> 'hardware', 'null'), '{{}}') || (p.facts -> 'hardware')
    ) ELSE '{{}}' END,
    core_hash = p.core_hash,
    hardware_hash = coalesce(p.hardware_hash, d.hardware_hash),
    offline_after_minutes = coalesce(p.offline_after, d.offline_after_minutes),
    overdue_after_minutes = coalesce(p.overdue_after, d.overdue_after_minutes),
    missing_since = NULL,
    missing_count = 0,
    deleted_at = NULL,
    last_error = NULL,
    last_synced_at = %(now)s,
    updated_at = %(now)s
FROM {_PAGE}
WHERE d.tenant_id = %(tenant)s AND d.id = p.id AND d.asset_id IS NOT DISTINCT FROM p.known_asset_id
    AND (d.deleted_at IS NOT NULL) = p.known_deleted
"""  # noqa: S608 - our own text
"""Leaves out devices that got another asset or were removed since the page was begun: what it told of their
assets is then wrong."""

KNOWN_ALONE = f"""
SELECT d.id, d.core_hash, d.hardware_hash, d.last_seen_at, d.asset_id, d.external_organization_id,
    d.missing_since IS NOT NULL, d.deleted_at IS NOT NULL, d.status, {_OPEN},
    d.name, d.kind, d.serial, d.offline_after_minutes, d.overdue_after_minutes, d.facts
FROM rmm_devices d
WHERE d.tenant_id = %(tenant)s AND d.integration_id = %(integration)s AND d.external_id = %(id)s
"""  # noqa: S608 - our own text

MOVE_LAST_SEEN = """
UPDATE rmm_devices d SET last_seen_at = v.seen
FROM json_to_recordset(%(moved)s::json) AS v(id uuid, seen timestamptz)
WHERE d.tenant_id = %(tenant)s AND d.id = v.id
"""

OCCUPANTS = """
SELECT d.asset_id, d.external_id, d.external_organization_id, d.serial, d.last_seen_at,
    d.missing_since IS NOT NULL OR d.deleted_at IS NOT NULL
FROM jsonb_array_elements_text(%(assets)s::jsonb) AS w(asset_id)
JOIN rmm_devices d ON d.tenant_id = %(tenant)s AND d.asset_id = w.asset_id
WHERE d.integration_id = %(integration)s
"""
"""The connection's own devices on these assets."""

OTHERS_SEEN = """
SELECT w.asset_id, w.external_id, max(d.last_seen_at)
FROM jsonb_to_recordset(%(devices)s::jsonb) AS w(asset_id text, external_id text)
JOIN rmm_devices d ON d.tenant_id = %(tenant)s AND d.asset_id = w.asset_id
WHERE (d.integration_id <> %(integration)s OR d.external_id <> w.external_id)
    AND d.missing_since IS NULL AND d.deleted_at IS NULL AND d.last_seen_at IS NOT NULL
GROUP BY w.asset_id, w.external_id
"""
"""When the other devices of these assets were last seen."""

_UNTOLD = "decode(repeat('00', 16), 'hex') || substr(h.core_hash, 17)"
"""A digest that no device has, with the owner's behind it: the next look takes the device for changed."""

REPORTING = """
SELECT h.id FROM jsonb_array_elements_text(%(assets)s::jsonb) AS w(asset_id)
JOIN rmm_devices h ON h.tenant_id = %(tenant)s AND h.asset_id = w.asset_id
WHERE h.status = 'online' AND h.missing_since IS NULL AND h.deleted_at IS NULL
"""
"""The devices that still report on these assets."""

HOLD = """
WITH held AS MATERIALIZED (
    SELECT d.id FROM rmm_devices d
    WHERE d.tenant_id = %(tenant)s
        AND d.id = ANY(ARRAY(SELECT jsonb_array_elements_text(%(ids)s::jsonb)::uuid))
    ORDER BY d.id FOR NO KEY UPDATE
)
SELECT count(*) FROM held
"""
"""Whoever writes several devices holds them first, in the order of their ids, so that two of them never wait
for each other in a ring: an update takes its rows in whatever order its plan finds them."""

TELL_ANEW = f"""
UPDATE rmm_devices h SET core_hash = {_UNTOLD}
WHERE h.tenant_id = %(tenant)s AND h.id = ANY(%(ids)s)
"""  # noqa: S608 - our own text
"""Has these devices fill their assets again."""

AGEING = f"""
SELECT d.tenant_id, d.id, d.external_id, d.external_organization_id, d.serial, d.last_seen_at, i.provider,
    CASE WHEN NOT EXISTS (
        SELECT FROM rmm_devices o
        WHERE o.tenant_id = d.tenant_id AND o.asset_id = d.asset_id AND o.id <> d.id
            AND o.last_seen_at > d.last_seen_at AND o.missing_since IS NULL AND o.deleted_at IS NULL
    ) THEN d.asset_id END
FROM rmm_devices d
JOIN rmm_integrations i ON i.tenant_id = d.tenant_id AND i.id = d.integration_id
WHERE d.tenant_id = ANY(%(tenants)s) AND i.state = ANY(%(states)s)
    AND d.{AGEING_SQL} AND d.missing_since IS NULL AND d.deleted_at IS NULL
    AND d.last_seen_at + make_interval(mins => greatest(d.overdue_after_minutes, 0)) < now()
    AND d.last_synced_at <= d.last_seen_at + make_interval(mins => greatest(d.overdue_after_minutes, 0))
ORDER BY d.tenant_id, d.name, d.id
LIMIT %(limit)s
"""  # noqa: S608 - our own text
"""Devices that were offline at the last look and whose silence has become overdue since, by our clock.

Where the last look itself came after that time, the vendor's clock differs from ours, and its word stands.
The asset is given only where this device, seen last of all on it, fills it.
"""

AGE = f"""
WITH held AS MATERIALIZED (
    SELECT d.id FROM rmm_devices d WHERE d.tenant_id = %(tenant)s AND d.id = ANY(%(ids)s)
    ORDER BY d.id FOR NO KEY UPDATE
)
UPDATE rmm_devices h SET status = 'overdue', core_hash = {_UNTOLD}, updated_at = now()
FROM unnest(%(ids)s::uuid[], %(seen)s::timestamptz[], %(assets)s::text[]) AS v(id, seen, asset_id)
WHERE h.tenant_id = %(tenant)s AND h.id = v.id AND h.status = 'offline' AND h.last_seen_at = v.seen
    AND h.deleted_at IS NULL AND (v.asset_id IS NULL OR h.asset_id = v.asset_id)
    AND (SELECT count(*) FROM held) > 0
"""  # noqa: S608 - our own text
"""Its digest goes too: whatever the vendor says next is a change and is written."""

NOTE_DEVICE_ERROR = """
UPDATE rmm_devices SET last_error = %(error)s
WHERE tenant_id = %(tenant)s AND integration_id = %(integration)s AND external_id = %(id)s
"""

MARK_MISSING = f"""
WITH unnamed AS MATERIALIZED (
    SELECT d.id, d.asset_id, d.missing_count FROM rmm_devices d
    WHERE d.tenant_id = %(tenant)s AND d.integration_id = %(integration)s AND d.deleted_at IS NULL
        AND d.missing_count < %(listings)s AND d.external_organization_id = ANY(%(organizations)s)
        AND NOT EXISTS (
            SELECT FROM jsonb_array_elements_text(%(seen)s::jsonb) AS s(id) WHERE s.id = d.external_id
        )
), held AS MATERIALIZED (
    SELECT d.id FROM rmm_devices d
    WHERE d.tenant_id = %(tenant)s AND d.id IN (
        SELECT u.id FROM unnamed u
        UNION
        SELECT h.id FROM unnamed u
        JOIN rmm_devices h ON h.tenant_id = %(tenant)s AND h.asset_id = u.asset_id
        WHERE u.missing_count = 0 AND h.missing_since IS NULL AND h.deleted_at IS NULL
    )
    ORDER BY d.id FOR NO KEY UPDATE
), gone AS (
    UPDATE rmm_devices d
    SET missing_since = coalesce(d.missing_since, %(now)s), missing_count = d.missing_count + 1
    FROM unnamed u
    WHERE d.tenant_id = %(tenant)s AND d.id = u.id AND d.deleted_at IS NULL
        AND d.missing_count < %(listings)s AND (SELECT count(*) FROM held) > 0
    RETURNING d.id, d.asset_id, d.missing_count
), heirs AS (
    UPDATE rmm_devices h SET core_hash = {_UNTOLD}
    FROM gone WHERE h.tenant_id = %(tenant)s AND h.asset_id = gone.asset_id AND gone.missing_count = 1
        AND h.missing_since IS NULL AND h.deleted_at IS NULL AND h.id NOT IN (SELECT id FROM gone)
)
SELECT count(*) FROM gone
"""  # noqa: S608 - our own text
"""Counts a complete listing that did not name a device; a count that says enough is not moved on.

Where another device stands for the asset, that one tells it anew.
"""

MARK_ONE_MISSING = """
UPDATE rmm_devices SET missing_since = %(now)s
WHERE tenant_id = %(tenant)s AND integration_id = %(integration)s AND external_id = %(id)s
    AND missing_since IS NULL
"""

_GONE = "NOT d.kept AND d.missing_count >= %(listings)s"

REMOVABLE = f"""
SELECT d.external_organization_id, count(*), count(*) FILTER (WHERE {_GONE})
FROM rmm_devices d
WHERE d.tenant_id = %(tenant)s AND d.integration_id = %(integration)s AND d.deleted_at IS NULL
    AND d.external_organization_id = ANY(%(organizations)s)
GROUP BY d.external_organization_id
HAVING count(*) FILTER (WHERE {_GONE}) > 0
"""  # noqa: S608 - our own text
"""Organizations with devices that enough complete listings did not name: all devices, and those.

What a person keeps is not among them.
"""

REMOVED = f"""
SELECT d.id, d.asset_id, EXISTS (
    SELECT FROM rmm_devices o
    WHERE o.tenant_id = d.tenant_id AND o.asset_id = d.asset_id AND o.id <> d.id
        AND (o.kept OR o.missing_since IS NULL) AND o.deleted_at IS NULL
)
FROM rmm_devices d
WHERE d.tenant_id = %(tenant)s AND d.integration_id = %(integration)s AND d.deleted_at IS NULL
    AND d.external_organization_id = ANY(%(organizations)s) AND {_GONE}
"""  # noqa: S608 - our own text
"""The devices to be removed: their ids, their assets, and whether another device stands for the asset."""

REMOVE = f"""
WITH held AS MATERIALIZED (
    SELECT d.id FROM rmm_devices d WHERE d.tenant_id = %(tenant)s AND d.id = ANY(%(ids)s)
    ORDER BY d.id FOR NO KEY UPDATE
)
UPDATE rmm_devices d SET deleted_at = %(now)s, updated_at = %(now)s
WHERE d.tenant_id = %(tenant)s AND d.id = ANY(%(ids)s) AND d.deleted_at IS NULL AND {_GONE}
    AND (SELECT count(*) FROM held) > 0
"""  # noqa: S608 - our own text
"""Marks these devices deleted, but for those that came back or are kept meanwhile."""

NOTE_MAPPINGS = """
WITH held AS MATERIALIZED (
    SELECT m.id FROM rmm_organization_mappings m
    WHERE m.tenant_id = %(tenant)s AND m.id = ANY(%(ids)s::uuid[])
    ORDER BY m.id FOR NO KEY UPDATE
)
UPDATE rmm_organization_mappings m
SET last_synced_at = coalesce(v.synced, m.last_synced_at),
    last_error = CASE WHEN v.is_earlier THEN coalesce(v.error, m.last_error) ELSE v.error END
FROM unnest(%(ids)s::uuid[], %(synced)s::timestamptz[], %(errors)s::text[], %(earlier)s::bool[])
    AS v(id, synced, error, is_earlier)
WHERE m.tenant_id = %(tenant)s AND m.id = v.id AND (SELECT count(*) FROM held) > 0
"""
"""Held in the order of their ids first, as whoever changes the mapping does."""

SEEN = f"""
UPDATE rmm_devices h SET status = coalesce(%(status)s, h.status), last_seen_at = %(at)s,
    facts = h.facts || %(facts)s::jsonb, core_hash = {_UNTOLD}, updated_at = %(now)s
WHERE h.tenant_id = %(tenant)s AND h.id = %(id)s AND h.deleted_at IS NULL
    AND h.asset_id IS NOT DISTINCT FROM %(asset)s AND (h.last_seen_at IS NULL OR h.last_seen_at <= %(at)s)
"""  # noqa: S608 - our own text
"""What a device told between two looks. Its digest goes: whatever the next look says is a change."""

DELETED_AT_VENDOR = f"""
WITH held AS MATERIALIZED (
    SELECT d.id FROM rmm_devices d
    WHERE d.tenant_id = %(tenant)s AND (d.id = %(id)s OR d.asset_id = %(asset)s) AND d.deleted_at IS NULL
    ORDER BY d.id FOR NO KEY UPDATE
), gone AS (
    UPDATE rmm_devices d SET deleted_at = %(now)s, updated_at = %(now)s
    WHERE d.tenant_id = %(tenant)s AND d.id = %(id)s AND d.deleted_at IS NULL
        AND d.asset_id IS NOT DISTINCT FROM %(asset)s AND (SELECT count(*) FROM held) > 0
    RETURNING d.id
), heirs AS (
    UPDATE rmm_devices h SET core_hash = {_UNTOLD}
    FROM gone WHERE h.tenant_id = %(tenant)s AND h.asset_id = %(asset)s AND h.id <> gone.id
        AND h.missing_since IS NULL AND h.deleted_at IS NULL
)
SELECT count(*) FROM gone
"""  # noqa: S608 - our own text
"""Marks one device deleted; where another one stands for the asset, that one tells it anew."""
