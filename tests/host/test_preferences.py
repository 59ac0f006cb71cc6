"""What people choose to be mailed, through the pages where they choose it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from reference_psa.adapters import SqlNotifications
from reference_psa.db import db
from reference_psa.models import Email, Notification
from reference_psa.notices import SUBTYPES
from rmm_extension.host import Notice
from tests.host.conftest import send
from tests.host.names import TECHNICIAN, TENANT

SignIn = Callable[..., FlaskClient]
ALERT, *OTHERS = SUBTYPES
EVERYTHING = list(SUBTYPES)
MINE = {"page": "/notifications/preferences", "email_level": "warning"}


def told(app: Flask, key: str = "k") -> tuple[int, int]:
    """Tell the technician of an alert; how many lines and mails they have then."""
    with app.app_context():
        notice = Notice(
            category="RMM Alerts",
            subtype=ALERT,
            title="Disk full",
            body="C: is full.",
            level="error",
            idempotency_key=key,
        )
        SqlNotifications().send(db.session(), TENANT, [TECHNICIAN], notice)
        db.session.commit()
        return _count(Notification), _count(Email)


def _count(kind: Any) -> int:
    mine = (kind.tenant_id == TENANT, kind.user_id == TECHNICIAN)
    return db.session.scalar(select(func.count()).select_from(kind).where(*mine)) or 0


@pytest.mark.parametrize(
    "fields, mails",
    [
        ({"email_notifications": "y", "subtype": EVERYTHING}, 1),
        ({"email_notifications": "y", "subtype": OTHERS}, 0),
        ({"email_notifications": "y"}, 0),
        ({"subtype": EVERYTHING}, 0),
    ],
)
def test_who_opts_out_gets_no_mail_but_is_told(
    app: Flask, sign_in: SignIn, fields: dict[str, Any], mails: int
) -> None:
    client = sign_in("technician")
    assert send(client, "/notifications/preferences", **MINE, **fields) == 302
    assert told(app) == (1, mails)
    assert "Disk full" in client.get("/notifications").text


def test_a_choice_can_be_taken_back(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("technician")
    everything = {"email_notifications": "y", "subtype": EVERYTHING}
    send(client, "/notifications/preferences", **MINE, email_notifications="y")
    assert 'value="RMM Alert Triggered" checked' not in client.get("/notifications/preferences").text
    send(client, "/notifications/preferences", **MINE, **everything)
    assert 'value="RMM Alert Triggered" checked' in client.get("/notifications/preferences").text
    assert told(app) == (1, 1)


@pytest.mark.parametrize(
    "fields, mails",
    [
        ({"email_enabled": "y", "subtype": EVERYTHING}, 1),
        ({"email_enabled": "y", "subtype": OTHERS}, 0),
        ({"subtype": EVERYTHING}, 0),
    ],
)
def test_the_tenant_decides_what_is_mailed_at_all(
    app: Flask, sign_in: SignIn, fields: dict[str, Any], mails: int
) -> None:
    assert send(sign_in(), "/settings/notices", page="/settings", **fields) == 302
    assert told(app) == (1, mails)


def test_only_administrators_decide_for_the_tenant(sign_in: SignIn) -> None:
    assert send(sign_in("technician"), "/settings/notices", page="/notifications/preferences") == 403
