"""Telling people."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from reference_psa import notices
from rmm_extension.host import Notice

from ._sql import distinct, run

# One statement: whom, then the line behind the bell, then the mail for those newly told who want one.
_SEND = """WITH target AS (
  SELECT u.*, t.email_enabled AND NOT t.muted_subtypes ? %(subtype)s AS tenant_mails
  FROM users u JOIN tenants t ON t.id = u.tenant_id
  WHERE u.tenant_id = %(tenant)s AND u.is_enabled
    AND CASE WHEN cardinality(%(ids)s::text[]) = 0 THEN u.role = 'admin' ELSE u.id = ANY(%(ids)s::text[]) END
), told AS (
  INSERT INTO notifications (tenant_id, id, user_id, category, subtype, level, title, body, link,
                             idempotency_key, created_at)
  SELECT tenant_id, gen_random_uuid()::text, id, %(category)s, %(subtype)s, %(level)s, %(title)s, %(body)s,
         %(link)s, %(key)s, clock_timestamp() FROM target
  ON CONFLICT DO NOTHING RETURNING user_id)
INSERT INTO email_outbox (tenant_id, id, user_id, recipient, subject, body, html, idempotency_key, created_at)
SELECT tenant_id, gen_random_uuid()::text, id, email, %(title)s, %(text)s, %(html)s, %(key)s,
       clock_timestamp()
FROM target JOIN told ON told.user_id = target.id
WHERE tenant_mails AND email <> '' AND email_notifications AND NOT target.muted_subtypes ? %(subtype)s
  AND array_position(ARRAY['info', 'warning', 'error'], %(level)s)
   >= array_position(ARRAY['info', 'warning', 'error'], email_level::text)
ON CONFLICT DO NOTHING"""


class SqlNotifications:
    """In-app lines and mails, written in the caller's transaction; mails leave after it."""

    def send(self, session: Session, tenant_id: str, user_ids: Collection[str], notice: Notice) -> None:
        """Tell users in-app and, by their preferences, by e-mail; once per key and user.

        ``user_ids`` empty means the tenant's administrators. A mail goes out where the tenant sends mails,
        and mails of this kind, and the user did not decline them.
        """
        text, html = notices.mail(notice)
        params = {
            "tenant": tenant_id,
            "ids": distinct(user_ids),
            "category": notice.category,
            "subtype": notice.subtype,
            "level": notice.level,
            "title": notice.title,
            "body": notice.body,
            "link": notice.link,
            "key": notice.idempotency_key,
            "text": text,
            "html": html,
        }
        run(session, _SEND, params)
