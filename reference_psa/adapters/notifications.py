"""Telling people."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from ._sql import distinct, run

# One statement: whom, then the line behind the bell, then the mail for those newly told who want one.
_SEND = """WITH target AS (
  SELECT u.* FROM users u
  WHERE u.tenant_id = %(tenant)s AND u.is_enabled
    AND CASE WHEN cardinality(%(ids)s::text[]) = 0 THEN u.role = 'admin' ELSE u.id = ANY(%(ids)s::text[]) END
), told AS (
  INSERT INTO notifications (tenant_id, id, user_id, category, level, title, body, link, idempotency_key,
                             created_at)
  SELECT tenant_id, gen_random_uuid()::text, id, %(category)s, %(level)s, %(title)s, %(body)s, %(link)s,
         %(key)s, clock_timestamp() FROM target
  ON CONFLICT DO NOTHING RETURNING user_id)
INSERT INTO email_outbox (tenant_id, id, user_id, recipient, subject, body, idempotency_key, created_at)
SELECT tenant_id, gen_random_uuid()::text, id, email, %(title)s, %(mail)s, %(key)s, clock_timestamp()
FROM target JOIN told ON told.user_id = target.id
WHERE email_notifications AND NOT muted_categories ? %(category)s
  AND array_position(ARRAY['info', 'warning', 'error'], %(level)s)
   >= array_position(ARRAY['info', 'warning', 'error'], email_level::text)
ON CONFLICT DO NOTHING"""


class SqlNotifications:
    """In-app lines and mails, written in the caller's transaction; mails leave after it."""

    def send(
        self,
        session: Session,
        tenant_id: str,
        user_ids: Collection[str],
        *,
        category: str,
        title: str,
        body: str,
        link: str | None,
        level: str,
        idempotency_key: str,
    ) -> None:
        """Tell users in-app and, by their preferences, by e-mail; once per key and user.

        ``user_ids`` empty means the tenant's administrators.
        """
        params = {"tenant": tenant_id, "ids": distinct(user_ids), "category": category, "title": title}
        mail = f"{body}\n\n{link}" if link else body
        run(
            session,
            _SEND,
            {**params, "body": body, "mail": mail, "link": link, "level": level, "key": idempotency_key},
        )
