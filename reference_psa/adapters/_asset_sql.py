"""The statements behind :mod:`reference_psa.adapters.assets`, put together once at import."""

from __future__ import annotations

from ._asset_columns import ASSET_COLUMNS, CPU_COLUMN, VITAL_COLUMNS

# Each IN is a hashed set, whatever the planner believes about the number of rows: a thousand keys meet ten
# thousand assets in one pass, also on tables that were filled a moment ago and have no statistics yet. The
# addresses are looked at apart from the assets' rows: inside, their set would be made anew for every asset.
FIND = """WITH wanted AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset(%(keys)s::jsonb) AS k(client_id text, serial text, macs jsonb, name text)
), wanted_mac AS MATERIALIZED (
  SELECT w.client_id, upper(translate(m.mac, ':-.', '')) AS mac
  FROM wanted w, jsonb_array_elements_text(w.macs) AS m(mac)
)
SELECT a.id, a.client_id, a.serial_number, a.mac_addresses, a.name FROM assets a
WHERE a.tenant_id = %(tenant)s AND a.client_id = ANY(ARRAY(SELECT DISTINCT client_id FROM wanted)) AND (
  (a.client_id, lower(a.serial_number)) IN
    (SELECT client_id, lower(serial) FROM wanted WHERE serial IS NOT NULL)
  OR (a.client_id, lower(a.name)) IN (SELECT client_id, lower(name) FROM wanted)
  OR a.id IN (
    SELECT s.id FROM assets s, jsonb_array_elements_text(s.mac_addresses) AS m(mac)
    WHERE s.tenant_id = %(tenant)s AND s.client_id = ANY(ARRAY(SELECT DISTINCT client_id FROM wanted))
      AND ((s.client_id, upper(translate(m.mac, ':-.', ''))) IN (SELECT client_id, mac FROM wanted_mac))
        IS TRUE))
ORDER BY a.id"""

GET_MANY = "SELECT id, name, client_id FROM assets WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s)"

# Held in the order of their ids, as READ holds them, before any is written.
MARK_INACTIVE = """WITH held AS MATERIALIZED (
  SELECT id FROM assets
  WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s) AND status <> 'inactive'
  ORDER BY id FOR NO KEY UPDATE
), gone AS (
  UPDATE assets a SET status = 'inactive', status_reason = %(reason)s
  FROM held WHERE a.tenant_id = %(tenant)s AND a.id = held.id RETURNING a.id)
INSERT INTO asset_history (tenant_id, id, asset_id, at, source, kind, changes)
SELECT %(tenant)s, gen_random_uuid()::text, id, clock_timestamp(), 'rmm', 'status',
  jsonb_build_object('status', jsonb_build_array('active', 'inactive'),
                     'reason', jsonb_build_array(NULL, %(reason)s::text))
FROM gone"""


def _vital(column: str, sql_type: str) -> str:
    work, serve = (
        CPU_COLUMN[kind] if column == "cpu_percent" else column for kind in ("workstation", "server")
    )
    cast = "::float8" if sql_type == "float8" else ""
    return f'coalesce(w."{work}", s."{serve}"){cast} AS "{column}"'


# Locked in the order of their ids, so that two runs over the same assets queue instead of deadlocking.
READ = f"""SELECT a.id, {", ".join(f"a.{column}" for column in ASSET_COLUMNS)},
  a.status, a.status_reason, a.kept_fields, a.review,
  CASE WHEN w.asset_id IS NOT NULL THEN 'workstation'
       WHEN s.asset_id IS NOT NULL THEN 'server' END AS vital_kind,
  {", ".join(_vital(column, sql_type) for column, (sql_type, _) in VITAL_COLUMNS.items())}
FROM assets a
LEFT JOIN workstation_assets w ON w.tenant_id = a.tenant_id AND w.asset_id = a.id
LEFT JOIN server_assets s ON s.tenant_id = a.tenant_id AND s.asset_id = a.id
WHERE a.tenant_id = %(tenant)s AND a.id = ANY(ARRAY(SELECT jsonb_array_elements_text(%(ids)s::jsonb)))
ORDER BY a.id FOR NO KEY UPDATE OF a"""  # noqa: S608 - our own column names

_NO_STRANGER = "NOT EXISTS (SELECT 1 FROM stranger)"


def _targets(kind: str) -> list[str]:
    return [f'"{CPU_COLUMN[kind] if column == "cpu_percent" else column}"' for column in VITAL_COLUMNS]


def _vitals(kind: str) -> str:
    sources = ", ".join(f'"{column}"' for column in VITAL_COLUMNS)
    types = ", ".join(f'"{column}" {sql_type}' for column, (sql_type, _) in VITAL_COLUMNS.items())
    return f"""INSERT INTO {kind}_assets AS v (tenant_id, asset_id, {", ".join(_targets(kind))})
  SELECT %(tenant)s, asset_id, {sources}
  FROM json_to_recordset(%({kind})s::json) AS r(asset_id text, {types}) WHERE {_NO_STRANGER}"""  # noqa: S608 - our own column names


def _or_change(kind: str) -> str:
    updates = ", ".join(f"{name} = coalesce(excluded.{name}, v.{name})" for name in _targets(kind))
    return f"ON CONFLICT (tenant_id, asset_id) DO UPDATE SET {updates}"


_COLUMNS = [*ASSET_COLUMNS, "status", "status_reason", "review"]
_TYPES = {column: sql_type for column, (sql_type, _) in ASSET_COLUMNS.items()} | {"review": "jsonb"}

# All tables of a batch in one statement; a client that is not the tenant's stops it before it writes. Rows
# come as json: unlike jsonb it is read only once on its way into columns.
_INPUT = f"""WITH input AS MATERIALIZED (
  SELECT * FROM json_to_recordset(%(assets)s::json)
  AS r(id text, made boolean, {", ".join(f"{column} {_TYPES.get(column, 'text')}" for column in _COLUMNS)})
), stranger AS MATERIALIZED (
  SELECT i.name FROM input i LEFT JOIN clients c ON c.tenant_id = %(tenant)s AND c.id = i.client_id
  WHERE i.client_id IS NOT NULL AND c.id IS NULL
), asset AS (
  INSERT INTO assets (tenant_id, id, {", ".join(_COLUMNS)}, notes, custom_attributes, kept_fields,
                      last_rmm_sync_at, created_at)
  SELECT %(tenant)s, id, {", ".join(_COLUMNS)}, '', '{{}}', '[]', now(), now()
  FROM input WHERE {_NO_STRANGER}"""  # noqa: S608 - our own column names
_CREATED = (
    "SELECT id AS asset_id, rmm_provider AS source, 'created' AS kind, '{}'::jsonb AS changes FROM input"
)


def _history(told: str) -> str:
    return f"""INSERT INTO asset_history (tenant_id, id, asset_id, at, source, kind, changes)
  SELECT %(tenant)s, gen_random_uuid()::text, asset_id, clock_timestamp(), source, kind, changes
  FROM ({told}) told WHERE {_NO_STRANGER}"""  # noqa: S608 - our own text


# Assets that are all new, as in a first sync.
CREATE = f"""{_INPUT}
), workstation AS ({_vitals("workstation")}
), server AS ({_vitals("server")}
), history AS ({_history(_CREATED)}
)
SELECT name FROM stranger LIMIT 1"""  # noqa: S608 - our own column names

WRITE = f"""{_INPUT}
  ON CONFLICT (tenant_id, id) DO UPDATE SET last_rmm_sync_at = now(),
    {", ".join(f"{column} = excluded.{column}" for column in _COLUMNS)}
), workstation AS ({_vitals("workstation")} {_or_change("workstation")}
), server AS ({_vitals("server")} {_or_change("server")}
), left_workstation AS (
  DELETE FROM workstation_assets WHERE tenant_id = %(tenant)s AND asset_id = ANY(%(no_workstation)s)
), left_server AS (
  DELETE FROM server_assets WHERE tenant_id = %(tenant)s AND asset_id = ANY(%(no_server)s)
), history AS ({
    _history(f'''{_CREATED} WHERE made UNION ALL
    SELECT * FROM json_to_recordset(%(history)s::json)
      AS r(asset_id text, source text, kind text, changes jsonb)''')
})
SELECT name FROM stranger LIMIT 1"""  # noqa: S608 - our own column names
