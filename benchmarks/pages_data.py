"""A large tenant for the page figures: 200 clients, 100,000 devices, a million alerts, a million patches.

Written by SQL alone, the same every time: 97 % of the alerts are resolved, those that are open are young, one
connection in four belongs to another vendor and has 5 % of everything. Two devices in three tell numbers of
patches and their antivirus; each has ten patches of 3,000, seven of them installed.
"""

from __future__ import annotations

import psycopg
from sqlalchemy import Engine

from rmm_extension.models import Base
from rmm_extension.services import text_index

CLIENTS, DEVICES, ALERTS = 200, 100_000, 1_000_000

_STATEMENTS = (
    "SELECT setseed(0.42)",
    """
INSERT INTO clients (tenant_id, id, name, is_active, created_at)
SELECT %(tenant)s, 'bench-' || n, 'Bench client ' || lpad(n::text, 3, '0'), true, now()
FROM generate_series(1, %(clients)s) n
""",
    """
INSERT INTO rmm_integrations
    (tenant_id, id, provider, name, instance_url, auth_mode, state, settings, config_version, webhook_enabled)
SELECT %(tenant)s, md5('connection ' || n)::uuid, CASE n WHEN 4 THEN 'ninjaone' ELSE 'tacticalrmm' END,
       'Bench ' || n, 'https://rmm.example.com', 'api_key', 'connected', '{}', 1, true
FROM generate_series(1, 4) n
""",
    """
INSERT INTO rmm_organization_mappings
    (tenant_id, id, integration_id, external_id, name, client_id, auto_sync, vendor_metadata)
SELECT %(tenant)s, gen_random_uuid(), md5('connection ' || c)::uuid, n::text, 'Organization ' || n,
       'bench-' || n, true, '{}'
FROM generate_series(1, %(clients)s) n CROSS JOIN generate_series(1, 4) c
""",
    """
CREATE TEMP TABLE bench_devices AS
SELECT n, gen_random_uuid() AS id, 1 + (power(random(), 2) * (%(clients)s - 1))::int AS client,
       CASE WHEN n %% 20 = 0 THEN 4 ELSE 1 + n %% 3 END AS connection,
       (ARRAY['PC', 'LAPTOP', 'SRV', 'WS'])[1 + n %% 4] AS kind
FROM generate_series(0, %(devices)s - 1) n
""",
    """
INSERT INTO rmm_devices
    (tenant_id, id, integration_id, external_id, external_organization_id, asset_id, client_id, name, kind,
     status, last_seen_at, missing_since, missing_count, kept, facts)
SELECT %(tenant)s, id, md5('connection ' || connection)::uuid, 'agent' || n, client::text,
       CASE WHEN n %% 400 <> 7 THEN 'asset-' || n END, CASE WHEN n %% 1000 <> 7 THEN 'bench-' || client END,
       kind || '-' || lpad(client::text, 3, '0') || '-' || lpad(n::text, 6, '0'),
       CASE kind WHEN 'SRV' THEN 'server' ELSE 'workstation' END,
       (ARRAY['online', 'online', 'online', 'offline', 'overdue'])[1 + n %% 5],
       CASE WHEN n %% 500 = 3 THEN now() - interval '40 days' ELSE now() - random() * interval '3 days' END,
       CASE WHEN n %% 700 = 3 THEN now() - interval '1 day' END,
       CASE WHEN n %% 700 = 3 THEN 1 + n / 700 %% 2 ELSE 0 END, n %% 3000 = 5,
       jsonb_build_object(
           'os_name', 'Windows 11 Pro', 'os_version', 'Windows 11 Pro, 64 bit v24H2 (build 26100.4946)',
           'agent_version', '2.' || (8 + n %% 3) || '.' || n %% 4, 'current_user', 'user' || n %% 900,
           'lan_ip', '10.0.' || n %% 250 || '.' || n %% 249, 'wan_ip', '203.0.113.' || n %% 250,
           'boot_at', now() - random() * interval '30 days', 'cpu_model', 'Intel(R) Core(TM) i7-10700',
           'model', 'Dell Inc. OptiPlex 7080', 'needs_reboot', n %% 11 = 0)
       || CASE WHEN n %% 20 <> 0 THEN jsonb_build_object('has_pending_patches', n %% 4 = 0) ELSE '{}' END
       || CASE WHEN n %% 3 <> 0 THEN jsonb_build_object(
           'os_patches_pending', CASE WHEN n %% 4 = 0 THEN 1 + n %% 7 ELSE 0 END,
           'os_patches_failed', CASE WHEN n %% 50 = 4 THEN 1 ELSE 0 END,
           'software_patches_pending', n %% 5 / 3, 'software_patches_failed', 0,
           'antivirus', (ARRAY['at_risk', 'unknown', 'protected'])[least(1 + n %% 40 / 2, 3)],
           'threats', CASE WHEN n %% 900 = 4 THEN 2 ELSE 0 END) ELSE '{}' END
       || CASE WHEN n %% 800 = 40 THEN '{"approval": "pending"}' ELSE '{}'::jsonb END
       || jsonb_build_object(
           'custom_fields', jsonb_build_object('Warranty until', '2027-01-0' || 1 + n %% 9, 'Room', n %% 300),
           'hardware', jsonb_build_object(
               'memory_gb', 16 + n %% 3 * 16, 'manufacturer', 'Dell Inc.',
               'disks', '[{"name": "C:", "total_gb": 475.3, "free_gb": 120.25, "utilization_percent": 74.7},
                   {"name": "D:", "total_gb": 931.5, "free_gb": 310.5, "utilization_percent": 66.7}]'::jsonb))
FROM bench_devices
""",
    """
INSERT INTO rmm_patch_lists (tenant_id, id, os_digest, software_digest, changed_at, scanned_at)
SELECT %(tenant)s, id, '\\x00', '\\x00', now(),
       now() - CASE WHEN n %% 40 = 9 THEN interval '30 days' ELSE random() * interval '7 days' END
FROM bench_devices
""",
    """
INSERT INTO rmm_device_patches
    (tenant_id, id, device_id, kind, external_id, name, status, severity, kb, changed_at, first_seen_at)
SELECT %(tenant)s, gen_random_uuid(), id, CASE WHEN patch %% 4 = 0 THEN 'software' ELSE 'os' END,
       'patch-' || patch,
       CASE WHEN patch %% 4 = 0 THEN 'Application ' || patch %% 300 || ' 12.' || patch
            ELSE '2026-' || lpad((1 + patch %% 12)::text, 2, '0') || ' Cumulative Update for Windows 11 (KB'
                || 5030000 + patch || ')' END,
       CASE WHEN place >= 3 THEN 'installed' WHEN place = 2 THEN CASE n %% 9 WHEN 0 THEN 'failed'
            WHEN 1 THEN 'rejected' ELSE 'installed' END WHEN n %% 3 = 0 THEN 'approved' ELSE 'pending' END,
       (ARRAY['critical', 'important', 'moderate', 'low'])[1 + patch %% 4],
       CASE WHEN patch %% 4 <> 0 THEN 'KB' || 5030000 + patch END, now() - random() * interval '90 days',
       now() - interval '90 days'
FROM (
    SELECT n, id, place, (300 * place + power(random(), 2) * 299)::int AS patch
    FROM bench_devices CROSS JOIN generate_series(0, 9) place
) given
""",
    "CREATE UNIQUE INDEX ON bench_devices (n)",
    """
CREATE TEMP TABLE bench_alerts AS
SELECT a.n, d.id AS device, d.client, d.connection, random() AS dice, random() AS grade, a.message, a.open,
       d.kind || '-' || lpad(d.client::text, 3, '0') || '-' || lpad(d.n::text, 6, '0') AS device_name,
       now() - (CASE WHEN a.open THEN power(a.age, 2) * interval '30 days'
                ELSE a.age * interval '730 days' END) AS at
FROM (
    SELECT n, (power(random(), 1.5) * (%(devices)s - 1))::int AS device, random() < 0.03 AS open,
           random() AS age,
           (ARRAY['Disk C: is at ' || (70 + (random() * 30)::int) || ' %% capacity',
                  'CPU load above ' || (80 + (random() * 20)::int) || ' %% for '
                      || (random() * 60)::int || ' min',
                  'Service ' || (ARRAY['Spooler', 'MSSQLSERVER', 'W32Time', 'wuauserv', 'Netlogon'])
                      [1 + (random() * 4)::int] || ' is stopped',
                  'Backup job ' || (ARRAY['nightly', 'weekly', 'Veeam', 'offsite'])[1 + (random() * 3)::int]
                      || ' failed with error ' || (1000 + (random() * 8999)::int),
                  'Ping check failed: no answer from 10.' || (random() * 255)::int || '.'
                      || (random() * 255)::int || '.1',
                  'Memory usage at ' || (85 + (random() * 15)::int) || ' %%',
                  'Script check printer queue returned ' || (random() * 5)::int,
                  'Event log: ' || (random() * 999)::int || ' errors from source '
                      || (ARRAY['disk', 'Ntfs', 'DNS Client', 'Kerberos'])[1 + (random() * 3)::int]
                 ])[1 + (random() * 7)::int] AS message
    FROM generate_series(1, %(alerts)s) n
) a JOIN bench_devices d ON d.n = a.device
ORDER BY at
""",
    """
INSERT INTO tickets
    (tenant_id, id, number, title, description, client_id, board_id, status_id, source, opened_at)
SELECT %(tenant)s, 'bench-' || n, 1000000 + n, message, '', 'bench-' || client, s.board_id, s.id,
       'tacticalrmm', at
FROM bench_alerts CROSS JOIN (
    SELECT board_id, id FROM ticket_statuses WHERE tenant_id = %(tenant)s AND is_default LIMIT 1) s
WHERE open AND dice < 0.8
""",
    """
INSERT INTO rmm_alerts
    (tenant_id, id, integration_id, external_id, synthesized, external_device_id, external_organization_id,
     device_id, client_id, device_name, status, severity, alert_class, activity_type, source_type, dedup_key,
     message, ticket_id, auto_ticket_created, first_channel, episode, triggered_at, last_event_at,
     resolved_at, resolved_here, raw)
SELECT %(tenant)s, md5(n::text)::uuid, md5('connection ' || connection)::uuid, n::text, false, NULL,
       client::text, device, 'bench-' || client, device_name,
       CASE WHEN NOT open THEN 'resolved' WHEN dice < 0.85 THEN 'active' WHEN dice < 0.95 THEN 'acknowledged'
            ELSE 'suppressed' END,
       (ARRAY['critical', 'major', 'moderate', 'moderate', 'minor', 'minor', 'none'])
           [1 + floor(grade * 7)::int],
       'check', 'check_failure', 'check', 'agent' || n %% 50000 || '|check:' || n %% 50, message,
       CASE WHEN open AND dice < 0.8 THEN 'bench-' || n END, open AND dice < 0.8, 'webhook', 1, at, at,
       CASE WHEN NOT open THEN at + interval '20 minutes' END, false,
       jsonb_build_object('alert_id', n, 'event', 'failure', 'check_id', n %% 400)
FROM bench_alerts
""",
    """
INSERT INTO rmm_alert_conditions (tenant_id, id, integration_id, dedup_key, ticket_id, occurrence_count)
SELECT %(tenant)s, gen_random_uuid(), md5('connection ' || c)::uuid,
       'agent' || n || '|check:' || n %% 50, NULL, 1 + n %% 9
FROM generate_series(0, 49999) n CROSS JOIN generate_series(1, 4) c
""",
    """
INSERT INTO rmm_alert_events
    (tenant_id, id, alert_id, integration_id, at, occurred_at, channel, kind, outcome, steps)
SELECT %(tenant)s, gen_random_uuid(), md5(n::text)::uuid, md5('connection ' || connection)::uuid,
       at + part * interval '5 minutes', at, 'webhook', 'triggered',
       CASE part WHEN 1 THEN 'ticket_created' ELSE 'updated' END,
       jsonb_build_array(
           jsonb_build_object('code', 'received', 'channel', 'webhook', 'provider', 'tacticalrmm',
                              'severity', 'critical'),
           jsonb_build_object('code', 'no_window'),
           jsonb_build_object('code', 'rule_matched', 'rule', 'Disks', 'reason', 'keyword disk'),
           jsonb_build_object('code', 'ticket_created', 'number', 'T-' || n))
FROM bench_alerts CROSS JOIN generate_series(1, 4) part
WHERE open OR n %% 20 = 0
""",
)


def fill(conninfo: str, engine: Engine, tenant: str) -> None:
    """Write it all, the indexes last, and let PostgreSQL look at it as autovacuum would."""
    values = {"tenant": tenant, "clients": CLIENTS, "devices": DEVICES, "alerts": ALERTS}
    indexes = sorted(Base.metadata.tables["rmm_alerts"].indexes, key=lambda index: str(index.name))
    with psycopg.connect(conninfo) as connection:
        for name in (*text_index.INDEXES, *(index.name for index in indexes)):
            connection.execute(f"DROP INDEX IF EXISTS {name}")
        for statement in _STATEMENTS:
            connection.execute(statement, values)
    for index in indexes:
        index.create(engine)
    text_index.ensure(engine)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
