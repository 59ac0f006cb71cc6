"""The statements of the software sync, written for psycopg: a page is one parameter, whatever its length.

Locks are taken in one order everywhere: the lists by device, then the catalog by name, then the rows of the
devices whose lists are held. So syncs of two connections that meet in the catalog wait, and never in a ring.
"""

KNOWN = """
SELECT d.external_id, d.id, l.digest, l.changed_at, l.empty_since
FROM jsonb_array_elements_text(%(ids)s::jsonb) AS w(external_id)
CROSS JOIN LATERAL (
    SELECT * FROM rmm_devices r
    WHERE r.tenant_id = %(tenant)s AND r.integration_id = %(integration)s AND r.external_id = w.external_id
    LIMIT 1
) d
LEFT JOIN rmm_software_lists l ON l.tenant_id = %(tenant)s AND l.id = d.id
WHERE d.deleted_at IS NULL
"""
"""The devices that are here, with what was last listed for each."""

NOTE_LISTS = """
INSERT INTO rmm_software_lists AS l (tenant_id, id, digest, changed_at)
SELECT %(tenant)s, t.id, t.digest, %(now)s
FROM jsonb_to_recordset(%(lists)s::jsonb) AS t(id uuid, digest bytea)
ORDER BY t.id
ON CONFLICT (tenant_id, id) DO UPDATE SET
    digest = excluded.digest, changed_at = excluded.changed_at, empty_since = NULL
"""

NOTE_EMPTY = """
UPDATE rmm_software_lists l SET empty_since = %(since)s
FROM (
    SELECT o.id FROM rmm_software_lists o
    WHERE o.tenant_id = %(tenant)s AND o.id = ANY(%(devices)s::uuid[])
    ORDER BY o.id FOR NO KEY UPDATE
) held
WHERE l.tenant_id = %(tenant)s AND l.id = held.id
"""
"""Since when lists that were full are empty, or that they are full again."""

ADD_PRODUCTS = """
INSERT INTO rmm_software_catalog (tenant_id, id, normalized_name, publisher, name, first_seen_at)
SELECT %(tenant)s, p.id, p.key, p.publisher, p.name, %(now)s
FROM jsonb_to_recordset(%(products)s::jsonb) AS p(id uuid, key text, publisher text, name text)
WHERE NOT EXISTS (
    SELECT FROM rmm_software_catalog c
    WHERE c.tenant_id = %(tenant)s AND c.normalized_name = p.key AND c.publisher = p.publisher
)
ORDER BY p.key, p.publisher
ON CONFLICT (tenant_id, normalized_name, publisher) DO NOTHING
"""

PRODUCTS = """
SELECT p.number, c.id
FROM jsonb_to_recordset(%(products)s::jsonb) AS p(number int, key text, publisher text)
JOIN rmm_software_catalog c
    ON c.tenant_id = %(tenant)s AND c.normalized_name = p.key AND c.publisher = p.publisher
FOR KEY SHARE OF c
"""
"""The products' ids, held so that the nightly cleaning leaves them."""

WRITE = """
WITH told AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS t(
        id uuid, device_id uuid, software_id uuid, version text, version_key bigint[], installed_on date,
        size_bytes bigint, location text
    )
), due AS MATERIALIZED (
    SELECT t.*, k.id IS NULL AS is_new, k.removed_at IS NOT NULL AS is_back
    FROM told t
    LEFT JOIN rmm_device_software k ON k.tenant_id = %(tenant)s AND k.device_id = t.device_id
        AND k.software_id = t.software_id AND k.version = t.version
    WHERE k.id IS NULL OR k.removed_at IS NOT NULL
        OR coalesce(t.installed_on <> k.installed_on, t.installed_on IS NOT NULL)
        OR coalesce(t.size_bytes <> k.size_bytes, t.size_bytes IS NOT NULL)
        OR coalesce(t.location <> k.location, t.location IS NOT NULL)
), written AS (
    INSERT INTO rmm_device_software AS s (
        tenant_id, id, device_id, software_id, version, version_key, installed_on, size_bytes, location,
        first_seen_at
    )
    SELECT %(tenant)s, d.id, d.device_id, d.software_id, d.version, d.version_key, d.installed_on,
        d.size_bytes, d.location, %(now)s
    FROM due d ORDER BY d.device_id, d.software_id, d.version
    ON CONFLICT (tenant_id, device_id, software_id, version) DO UPDATE SET
        installed_on = coalesce(excluded.installed_on, s.installed_on),
        size_bytes = coalesce(excluded.size_bytes, s.size_bytes),
        location = coalesce(excluded.location, s.location),
        removed_at = NULL
), gone AS (
    UPDATE rmm_device_software s SET removed_at = %(now)s
    WHERE s.tenant_id = %(tenant)s AND s.device_id = ANY(%(devices)s::uuid[]) AND s.removed_at IS NULL
        AND NOT EXISTS (
            SELECT FROM told t
            WHERE t.device_id = s.device_id AND t.software_id = s.software_id AND t.version = s.version
        )
    RETURNING 1
)
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE is_back), (SELECT count(*) FROM gone)
FROM due
"""
"""Make the rows of these devices what was told: how many are new, how many are back, how many are gone."""
