"""Sending what waits in the outbox."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from flask import current_app
from sqlalchemy import select

from reference_psa.db import db, utcnow
from reference_psa.models import Email

log = logging.getLogger(__name__)

Deliver = Callable[[EmailMessage], object]


def send_waiting(limit: int = 200) -> int:
    """Send up to ``limit`` mails, oldest first; how many were sent.

    Each is committed by itself, so that a failure in the middle sends none of them twice.
    """
    sent = 0
    with _delivery(current_app.config.get("PSA_SMTP_URL")) as deliver:
        while sent < limit and (mail := _next()) is not None:
            deliver(_message(mail))
            mail.sent_at = utcnow()
            db.session.commit()
            sent += 1
    return sent


def _next() -> Email | None:
    waiting = select(Email).where(Email.sent_at.is_(None)).order_by(Email.created_at).limit(1)
    return db.session.scalar(waiting.with_for_update(skip_locked=True))


def _message(mail: Email) -> EmailMessage:
    message = EmailMessage()
    message["From"] = current_app.config.get("PSA_MAIL_FROM") or "psa@localhost"
    message["To"] = mail.recipient
    message["Subject"] = " ".join(mail.subject.split())
    message.set_content(mail.body)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    return message


@contextmanager
def _delivery(url: str | None) -> Iterator[Deliver]:
    if not url:
        yield lambda message: log.info("mail to %s: %s", message["To"], message["Subject"])
        return
    with _smtp(url) as server:
        yield server.send_message


def _smtp(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    secure = parts.scheme == "smtps"
    kind = smtplib.SMTP_SSL if secure else smtplib.SMTP
    server = kind(parts.hostname or "localhost", parts.port or (465 if secure else 25), timeout=10)
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server
