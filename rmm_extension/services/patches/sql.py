"""The statements of the patch sync, written for psycopg: a page is one parameter, whatever its length.

Locks are taken in one order everywhere: devices by id, then their lists by id, then the rows of the devices
whose lists are held.
"""

KNOWN = """
SELECT d.external_id, d.id, l.os_digest, l.software_digest, l.changed_at, l.scanned_at, l.empty_since,
    jsonb_build_object(
        'os_patches_pending', d.facts -> 'os_patches_pending',
        'os_patches_failed', d.facts -> 'os_patches_failed',
        'software_patches_pending', d.facts -> 'software_patches_pending',
        'software_patches_failed', d.facts -> 'software_patches_failed'
    )
FROM jsonb_array_elements_text(%(ids)s::jsonb) AS w(external_id)
CROSS JOIN LATERAL (
    SELECT * FROM rmm_devices r
    WHERE r.tenant_id = %(tenant)s AND r.integration_id = %(integration)s AND r.external_id = w.external_id
    LIMIT 1
) d
LEFT JOIN rmm_patch_lists l ON l.tenant_id = %(tenant)s AND l.id = d.id
WHERE d.deleted_at IS NULL
"""
"""The devices that are here, with what was last listed for each, and their numbers of patches."""

FILLERS = """
SELECT d.id, d.asset_id, d.external_id, d.external_organization_id, d.serial, d.status
FROM rmm_devices d
WHERE d.tenant_id = %(tenant)s AND d.id = ANY(%(ids)s) AND d.asset_id IS NOT NULL
    AND d.missing_since IS NULL AND d.deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM rmm_devices o
        WHERE o.tenant_id = d.tenant_id AND o.asset_id = d.asset_id AND o.id <> d.id
            AND o.last_seen_at > coalesce(d.last_seen_at, '-infinity')
            AND o.missing_since IS NULL AND o.deleted_at IS NULL
    )
ORDER BY d.id
"""
"""Those of the devices that fill their assets: the one that was seen last of all on it."""

NOTE_NUMBERS = """
WITH told AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(numbers)s::jsonb) AS t(id uuid, facts jsonb)
), held AS MATERIALIZED (
    SELECT d.id FROM rmm_devices d JOIN told t ON t.id = d.id
    WHERE d.tenant_id = %(tenant)s AND NOT d.facts @> t.facts
    ORDER BY d.id FOR NO KEY UPDATE OF d
)
UPDATE rmm_devices d SET facts = d.facts || t.facts, updated_at = %(now)s
FROM told t JOIN held h ON h.id = t.id
WHERE d.tenant_id = %(tenant)s AND d.id = t.id
"""
"""The devices' numbers of patches, where their vendor tells lists alone. Its own words leave them alone."""

NOTE_LISTS = """
INSERT INTO rmm_patch_lists AS l (
    tenant_id, id, os_digest, software_digest, changed_at, scanned_at
)
SELECT %(tenant)s, t.id, t.os_digest, t.software_digest, %(now)s, t.scanned_at
FROM jsonb_to_recordset(%(lists)s::jsonb) AS t(
    id uuid, os_digest bytea, software_digest bytea, scanned_at timestamptz
)
ORDER BY t.id
ON CONFLICT (tenant_id, id) DO UPDATE SET
    os_digest = coalesce(excluded.os_digest, l.os_digest),
    software_digest = coalesce(excluded.software_digest, l.software_digest),
    changed_at = excluded.changed_at, scanned_at = greatest(excluded.scanned_at, l.scanned_at),
    empty_since = NULL
WHERE l.changed_at <= %(asked)s
"""
"""Leaves out the lists that somebody has written since the vendor was asked. What is known of a kind of which
nothing was said stays."""

NOTE_SEEN = """
WITH told AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(seen)s::jsonb)
        AS t(id uuid, scanned_at timestamptz, empty_since timestamptz)
), held AS MATERIALIZED (
    SELECT l.id FROM rmm_patch_lists l JOIN told t ON t.id = l.id
    WHERE l.tenant_id = %(tenant)s ORDER BY l.id FOR NO KEY UPDATE OF l
)
UPDATE rmm_patch_lists l
SET scanned_at = greatest(t.scanned_at, l.scanned_at), empty_since = t.empty_since
FROM told t JOIN held h ON h.id = t.id
WHERE l.tenant_id = %(tenant)s AND l.id = t.id
"""
"""When lists that stay as they are were looked through, and since when full ones are told as empty."""

WRITE = """
WITH told AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS t(
        id uuid, device_id uuid, kind text, external_id text, name text, status text, severity text,
        category text, kb text, changed_at timestamptz
    )
), due AS MATERIALIZED (
    SELECT t.*, k.id IS NULL AS is_new
    FROM told t
    LEFT JOIN rmm_device_patches k ON k.tenant_id = %(tenant)s AND k.device_id = t.device_id
        AND k.kind = t.kind AND k.external_id = t.external_id
    WHERE k.id IS NULL OR (t.name, t.status, t.severity, t.category, t.kb, t.changed_at)
        IS DISTINCT FROM (k.name, k.status, k.severity, k.category, k.kb, k.changed_at)
), written AS (
    INSERT INTO rmm_device_patches (
        tenant_id, id, device_id, kind, external_id, name, status, severity, category, kb, changed_at,
        first_seen_at
    )
    SELECT %(tenant)s, d.id, d.device_id, d.kind, d.external_id, d.name, d.status, d.severity, d.category,
        d.kb, d.changed_at, %(now)s
    FROM due d ORDER BY d.device_id, d.kind, d.external_id
    ON CONFLICT (tenant_id, device_id, kind, external_id) DO UPDATE SET
        name = excluded.name, status = excluded.status, severity = excluded.severity,
        category = excluded.category, kb = excluded.kb, changed_at = excluded.changed_at
), gone AS (
    DELETE FROM rmm_device_patches p
    WHERE p.tenant_id = %(tenant)s AND p.device_id = ANY(%(devices)s::uuid[])
        AND p.kind = ANY(%(kinds)s) AND NOT EXISTS (
            SELECT FROM told t
            WHERE t.device_id = p.device_id AND t.kind = p.kind AND t.external_id = p.external_id
        )
    RETURNING 1
)
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new), (SELECT count(*) FROM gone)
FROM due
"""
"""Make the rows of these devices and kinds what was told: how many are new, how many changed, how many are
gone."""

UNNAMED = """
SELECT d.external_id FROM rmm_patch_lists l
JOIN rmm_devices d ON d.tenant_id = l.tenant_id AND d.id = l.id
WHERE l.tenant_id = %(tenant)s AND (
        'os' = ANY(%(kinds)s) AND l.os_digest IS DISTINCT FROM %(nothing)s
        OR 'software' = ANY(%(kinds)s) AND l.software_digest IS DISTINCT FROM %(nothing)s
    )
    AND d.integration_id = %(integration)s AND d.deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM jsonb_array_elements_text(%(named)s::jsonb) AS n(external_id)
        WHERE n.external_id = d.external_id
    )
ORDER BY d.id
"""
"""The devices that a complete listing did not name, though they have patches of these kinds, or may have."""
