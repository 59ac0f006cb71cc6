"""The statements behind :mod:`reference_psa.adapters.tickets`."""

from __future__ import annotations

# Everything a new ticket is, in one statement: where it belongs, its number, the row, its note, its asset.
# A key is asked for by the index that begins with it: where a table was never analyzed, PostgreSQL may take
# one that begins with the tenant and read all its tickets. The number is taken only when nothing is missing,
# and as late as possible, because its row is what all new tickets of a tenant queue for. Always answers one
# row that says what was found.
CREATE = """WITH wish AS MATERIALIZED (
  SELECT c.id AS client_id, b.id AS board_id, s.id AS status_id FROM (SELECT 1) one
  LEFT JOIN clients c ON c.tenant_id = %(tenant)s AND c.id = %(client)s
  LEFT JOIN boards b ON b.tenant_id = %(tenant)s AND b.is_active
    AND CASE WHEN %(board)s::text IS NULL THEN b.is_default ELSE b.id = %(board)s END
  LEFT JOIN ticket_statuses s ON s.tenant_id = %(tenant)s AND s.board_id = b.id AND NOT s.is_closed
    AND CASE WHEN %(status)s::text IS NULL THEN s.is_default ELSE s.id = %(status)s END
), known AS (
  SELECT id, number FROM tickets WHERE idempotency_key = %(key)s AND tenant_id || '' = %(tenant)s
), numbered AS (
  UPDATE ticket_counters n SET last_number = n.last_number + 1 FROM wish w
  WHERE n.tenant_id = %(tenant)s AND w.client_id IS NOT NULL AND w.status_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM known)
  RETURNING n.last_number, w.client_id, w.board_id, w.status_id
), ticket AS (
  INSERT INTO tickets (tenant_id, id, number, title, description, client_id, contact_id, board_id, status_id,
                       priority_id, category_id, subcategory_id, assignee_id, source, source_reference,
                       idempotency_key, opened_at)
  SELECT %(tenant)s, %(id)s, n.last_number, %(title)s, %(description)s, n.client_id,
    (SELECT id FROM contacts WHERE tenant_id = %(tenant)s AND id = %(contact)s AND client_id = n.client_id),
    n.board_id, n.status_id,
    (SELECT id FROM priorities WHERE tenant_id = %(tenant)s AND id = %(priority)s),
    (SELECT id FROM categories WHERE tenant_id = %(tenant)s AND id = %(category)s AND parent_id IS NULL),
    (SELECT id FROM categories
     WHERE tenant_id = %(tenant)s AND id = %(subcategory)s AND parent_id = %(category)s),
    (SELECT id FROM users WHERE tenant_id = %(tenant)s AND id = %(assignee)s AND is_enabled),
    %(source)s, %(reference)s, %(key)s, clock_timestamp()
  FROM numbered n
  ON CONFLICT (tenant_id, idempotency_key) DO NOTHING RETURNING id, number
), note AS (
  INSERT INTO comments (tenant_id, id, ticket_id, body, is_internal, is_system_generated, at)
  SELECT %(tenant)s, %(note_id)s, t.id, %(note)s, true, true, clock_timestamp() FROM ticket t
  WHERE %(note)s::text IS NOT NULL
), link AS (
  INSERT INTO ticket_assets (tenant_id, ticket_id, asset_id)
  SELECT %(tenant)s, t.id, a.id FROM ticket t JOIN assets a ON a.tenant_id = %(tenant)s AND a.id = %(asset)s
)
SELECT w.client_id, w.board_id, w.status_id, n.last_number AS taken,
  coalesce(t.id, k.id) AS id, coalesce(t.number, k.number) AS number
FROM wish w LEFT JOIN known k ON true LEFT JOIN numbered n ON true LEFT JOIN ticket t ON true"""

# Another transaction made the ticket while this one waited for the counter: its ticket is the answer, and the
# number goes back. That is safe, for the counter's row is locked by this transaction.
YIELD = """WITH returned AS (
  UPDATE ticket_counters SET last_number = last_number - 1 WHERE tenant_id = %(tenant)s)
SELECT id, number FROM tickets WHERE tenant_id = %(tenant)s AND idempotency_key = %(key)s"""

# The row lock comes with the check: after waiting for a lock, PostgreSQL judges closed_at of the newest row.
NOTE_IF_OPEN = """WITH ticket AS (
  SELECT id, number FROM tickets
  WHERE tenant_id = %(tenant)s AND id = %(ticket)s AND closed_at IS NULL
    AND (%(client)s::text IS NULL OR client_id = %(client)s) FOR NO KEY UPDATE
), note AS (
  INSERT INTO comments (tenant_id, id, ticket_id, body, is_internal, is_system_generated, at)
  SELECT %(tenant)s, %(note_id)s, id, %(note)s, true, true, clock_timestamp() FROM ticket)
SELECT id, number FROM ticket"""

ADD_NOTE = """INSERT INTO comments (tenant_id, id, ticket_id, body, is_internal, is_system_generated, at)
SELECT tenant_id, %(note_id)s, id, %(note)s, true, true, clock_timestamp() FROM tickets
WHERE tenant_id = %(tenant)s AND id = %(ticket)s"""

LOCK = "SELECT 1 FROM tickets WHERE tenant_id = %(tenant)s AND id = %(ticket)s FOR NO KEY UPDATE"

_STATE = """SELECT t.id, t.number, t.client_id, t.title, t.closed_at IS NULL AS is_open, s.name AS status_name
FROM tickets t JOIN ticket_statuses s ON s.tenant_id = t.tenant_id AND s.id = t.status_id
WHERE t.tenant_id = %(tenant)s AND """

STATES = _STATE + "t.id = ANY(%(ids)s)"

# A touch is a person's status change, comment or booked time; assignee, priority and board leave no such row.
STATE = f"""SELECT state.*, touch.verb, touch.at, u.name AS person
FROM ({_STATE} t.id = %(ticket)s) state
LEFT JOIN LATERAL (
  SELECT user_id, at, 'changed the status' AS verb FROM ticket_status_changes
    WHERE tenant_id = %(tenant)s AND ticket_id = state.id AND user_id IS NOT NULL
  UNION ALL SELECT user_id, at, 'commented' FROM comments
    WHERE tenant_id = %(tenant)s AND ticket_id = state.id AND user_id IS NOT NULL AND NOT is_system_generated
  UNION ALL SELECT user_id, at, 'booked time' FROM time_entries
    WHERE tenant_id = %(tenant)s AND ticket_id = state.id
  ORDER BY at DESC LIMIT 1) touch ON true
LEFT JOIN users u ON u.tenant_id = %(tenant)s AND u.id = touch.user_id"""  # noqa: S608 - constants

COMPLETE = """UPDATE tickets SET
  title = CASE WHEN title = %(old_title)s THEN %(title)s ELSE title END,
  description = CASE WHEN description = %(old_description)s THEN %(description)s ELSE description END
WHERE tenant_id = %(tenant)s AND id = %(ticket)s
  AND ((title = %(old_title)s AND title <> %(title)s)
    OR (description = %(old_description)s AND description <> %(description)s))"""

SET_PRIORITY = """UPDATE tickets t SET priority_id = p.id FROM priorities p
WHERE t.tenant_id = %(tenant)s AND t.id = %(ticket)s AND p.tenant_id = t.tenant_id AND p.id = %(priority)s
  AND t.priority_id IS DISTINCT FROM p.id"""
