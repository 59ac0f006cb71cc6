"""The statements of maintenance at the vendor, written for psycopg: a tick looks at all tenants at once."""

LOOK = """
WITH windows AS (
    SELECT * FROM jsonb_to_recordset(%(windows)s::jsonb) AS w(
        tenant_id text, id uuid, until timestamptz, integration_id uuid, client_id text, asset_id text,
        providers jsonb)
), wished AS (
    SELECT DISTINCT ON (d.tenant_id, d.id)
        d.tenant_id, d.id AS device_id, d.integration_id, w.id AS window_id, w.until
    FROM windows w
    JOIN rmm_devices d ON d.tenant_id = w.tenant_id AND d.deleted_at IS NULL
        AND (w.integration_id IS NULL OR d.integration_id = w.integration_id)
        AND (w.client_id IS NULL OR d.client_id = w.client_id)
        AND (w.asset_id IS NULL OR d.asset_id = w.asset_id)
    JOIN rmm_integrations i ON i.tenant_id = d.tenant_id AND i.id = d.integration_id
        AND w.providers ? i.provider
    ORDER BY d.tenant_id, d.id, w.until DESC, w.id DESC
), held AS (
    SELECT * FROM rmm_vendor_maintenance WHERE tenant_id = ANY(%(tenants)s)
)
SELECT coalesce(h.tenant_id, w.tenant_id) AS tenant_id, coalesce(h.device_id, w.device_id) AS device_id,
    i.id AS integration_id, i.name AS connection, i.provider, i.state AS connection_state,
    w.window_id AS wished_id, w.until AS wished_until,
    h.id, h.window_id, h.window_name, h.state, h.until, h.told_until
FROM wished w
FULL JOIN held h ON h.tenant_id = w.tenant_id AND h.device_id = w.device_id
JOIN rmm_integrations i ON i.tenant_id = coalesce(h.tenant_id, w.tenant_id)
    AND i.id = coalesce(h.integration_id, w.integration_id)
WHERE (h.id IS NULL AND i.state = ANY(%(working)s) AND w.until >= %(now)s + %(shortest)s)
    OR (w.window_id IS NULL AND (h.state <> 'ending' OR h.told_until IS NULL OR h.told_until <= %(now)s))
    OR (h.id IS NOT NULL AND w.window_id IS NOT NULL AND (h.state = 'ending' OR h.until <> w.until
        OR h.window_id <> w.window_id OR h.window_name <> (%(names)s::jsonb ->> w.window_id::text)))
ORDER BY 1, 2
LIMIT %(limit)s
"""
"""Where the windows of now and what the vendor was told differ: of several windows the latest end counts."""

CHANGE = """
UPDATE rmm_vendor_maintenance m SET window_id = c.window_id, window_name = c.window_name, state = c.state,
    until = c.until, error = c.error, updated_at = %(now)s,
    attempts = CASE WHEN c.is_due THEN 0 ELSE m.attempts END,
    due_at = CASE WHEN c.is_due THEN %(now)s ELSE m.due_at END
FROM jsonb_to_recordset(%(changes)s::jsonb) AS c(
    tenant_id text, id uuid, window_id uuid, window_name text, state text, until timestamptz, error text,
    is_due boolean, seen_state text, seen_until timestamptz, seen_told timestamptz)
WHERE m.tenant_id = c.tenant_id AND m.id = c.id AND m.state = c.seen_state AND m.until = c.seen_until
    AND m.told_until IS NOT DISTINCT FROM c.seen_told
"""
"""Only what is still as it was seen: a run may have heard from the vendor meanwhile."""

FORGET = """
DELETE FROM rmm_vendor_maintenance m
USING jsonb_to_recordset(%(gone)s::jsonb) AS c(
    tenant_id text, id uuid, seen_state text, seen_told timestamptz)
WHERE m.tenant_id = c.tenant_id AND m.id = c.id AND m.state = c.seen_state
    AND m.told_until IS NOT DISTINCT FROM c.seen_told
"""

DUE = """
SELECT DISTINCT m.tenant_id, m.integration_id, i.provider
FROM rmm_vendor_maintenance m
JOIN rmm_integrations i ON i.tenant_id = m.tenant_id AND i.id = m.integration_id
WHERE m.tenant_id = ANY(%(tenants)s) AND i.state = ANY(%(working)s) AND i.provider = ANY(%(able)s)
    AND m.due_at <= %(now)s AND m.until > %(now)s + %(shortest)s
ORDER BY 1, 2
"""
"""Connections whose vendor has to be told something now."""

WAITING = """
SELECT count(*) AS number FROM rmm_vendor_maintenance
WHERE tenant_id = %(tenant)s AND integration_id = %(integration)s AND due_at <= %(now)s
    AND until > %(now)s + %(shortest)s
"""

CLAIM = """
WITH next AS (
    SELECT tenant_id, id, told_until AS told_before FROM rmm_vendor_maintenance
    WHERE tenant_id = %(tenant)s AND integration_id = %(integration)s AND due_at <= %(now)s
        AND until > %(now)s + %(shortest)s
    ORDER BY attempts, due_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE rmm_vendor_maintenance m SET attempts = m.attempts + 1,
    told_until = CASE WHEN m.state = 'ending' THEN m.told_until ELSE greatest(m.told_until, m.until) END
FROM next, rmm_devices d
WHERE m.tenant_id = next.tenant_id AND m.id = next.id AND d.tenant_id = m.tenant_id AND d.id = m.device_id
RETURNING m.id, m.device_id, d.external_id, d.name AS device_name, m.window_id, m.window_name, m.state,
    m.until, m.attempts, next.told_before
"""
"""The next device of a connection; from here on the vendor may know the end. One that was asked about in vain
comes after those that were not asked about."""

WAS_SET = """
UPDATE rmm_vendor_maintenance SET told_until = %(until)s, updated_at = %(now)s,
    state = CASE WHEN state = %(state)s AND until = %(until)s THEN 'set' ELSE state END,
    error = CASE WHEN state = %(state)s AND until = %(until)s THEN NULL ELSE error END,
    attempts = CASE WHEN state = %(state)s AND until = %(until)s THEN 0 ELSE attempts END,
    due_at = CASE WHEN state = %(state)s AND until = %(until)s THEN NULL ELSE due_at END
WHERE tenant_id = %(tenant)s AND id = %(id)s
"""
"""What a tick wanted meanwhile stays wanted, but what the vendor knows is noted."""

WAS_ENDED = """
WITH gone AS (
    DELETE FROM rmm_vendor_maintenance WHERE tenant_id = %(tenant)s AND id = %(id)s AND state = 'ending'
    RETURNING id
)
UPDATE rmm_vendor_maintenance SET told_until = NULL
WHERE tenant_id = %(tenant)s AND id = %(id)s AND NOT EXISTS (SELECT FROM gone)
"""

IN_VAIN = """
UPDATE rmm_vendor_maintenance SET updated_at = %(now)s, error = %(error)s,
    told_until = CASE WHEN %(surely_not)s THEN %(told_before)s ELSE told_until END,
    state = CASE WHEN state = 'wanted' AND %(counts)s THEN 'failed' ELSE state END,
    attempts = CASE WHEN %(counts)s THEN attempts ELSE attempts - 1 END,
    due_at = CASE WHEN %(counts)s THEN %(again_at)s ELSE due_at END
WHERE tenant_id = %(tenant)s AND id = %(id)s AND state = %(state)s AND until = %(until)s
"""

PUT_OFF = """
UPDATE rmm_vendor_maintenance SET updated_at = %(now)s, error = %(error)s, due_at = %(again_at)s,
    state = CASE WHEN state = 'wanted' THEN 'failed' ELSE state END
WHERE tenant_id = %(tenant)s AND integration_id = %(integration)s AND due_at <= %(now)s
"""
"""All that waits on a connection: what stands in the way concerns every device of it."""
