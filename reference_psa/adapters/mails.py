"""E-mails to addresses that somebody named."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import HostRejected
from rmm_extension.host.types import Mail

from ._sql import run

# A mail for each address, so that nobody reads who else got it.
_SEND = """INSERT INTO email_outbox (tenant_id, id, recipient, subject, body, idempotency_key, created_at)
SELECT t.id, gen_random_uuid()::text, a.address, %(subject)s, %(body)s, %(key)s, clock_timestamp()
FROM tenants t CROSS JOIN unnest(%(to)s::text[]) AS a(address)
WHERE t.id = %(tenant)s AND t.email_enabled
ON CONFLICT DO NOTHING"""
_ENABLED = "SELECT email_enabled FROM tenants WHERE id = %(tenant)s"


class SqlMails:
    """Written in the caller's transaction; they leave after it."""

    def send(self, session: Session, tenant_id: str, mail: Mail) -> None:
        """Have the e-mail sent, once per key and address.

        Raises :class:`HostRejected` for an address that is none, and where the tenant sends no e-mail.
        """
        addresses = [_checked(address) for address in mail.to]
        params = {"tenant": tenant_id, "key": mail.idempotency_key, "to": addresses}
        if not run(session, _ENABLED, params).scalar():
            raise HostRejected("E-mail is switched off in the settings of this PSA.")
        run(session, _SEND, {**params, "subject": mail.subject, "body": mail.body})


def _checked(address: str) -> str:
    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError as problem:
        raise HostRejected(f"“{address[:100]}” is no e-mail address.") from problem
