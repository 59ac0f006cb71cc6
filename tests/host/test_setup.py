"""Starting up: configuration, migrations, demonstration data, a database that is away."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import func, inspect, select

from reference_psa import create_app, mail, setup
from reference_psa.config import driver_url, load_config
from reference_psa.db import db, new_id
from reference_psa.models import Email, ScheduledUser, Ticket
from reference_psa.seed_rmm import seed_connection
from rmm_extension.models import Base as Extension
from rmm_extension.models import MaintenanceWindow
from tests.harness.schema import app_config
from tests.host.names import ADMIN, TENANT


@pytest.mark.parametrize("given", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"])
def test_the_driver_is_psycopg(given: str) -> None:
    assert driver_url(given) == "postgresql+psycopg://u@h/d"


def test_the_environment_is_copied() -> None:
    config = load_config(
        {"RMM_REDIS_URL": "redis://r", "RMM_PUBLIC_URL": "https://psa.example", "OTHER": "x"}
    )
    assert config["RMM_REDIS_URL"] == "redis://r"
    assert config["SESSION_COOKIE_SECURE"]
    assert "OTHER" not in config
    assert config["SECRET_KEY"]


def test_migrations_go_up_down_and_up_again(app: Flask) -> None:
    setup.downgrade_database(app)
    with app.app_context():
        left = set(inspect(db.engine).get_table_names())
    assert left <= {"alembic_version", "rmm_alembic_version"}
    setup.upgrade_database(app)
    assert setup.seed_database(app)


def test_models_and_migrations_agree_and_leave_the_extension_alone(app: Flask) -> None:
    with app.app_context():
        assert any(name.startswith("rmm_") for name in inspect(db.engine).get_table_names())
        check()
        with db.engine.connect() as connection:
            ours = MigrationContext.configure(
                connection,
                opts={"include_object": lambda _o, name, kind, *_: kind != "table" or name[:4] != "rmm_"},
            )
            assert compare_metadata(ours, db.metadata) == []
    assert not set(db.metadata.tables) & set(Extension.metadata.tables)


def test_the_demonstrations_connection_comes_once_with_its_rule_and_windows(app: Flask) -> None:
    app.config["PSA_SIMULATOR_TACTICAL_URL"] = "http://127.0.0.1:1"
    assert [seed_connection(app), seed_connection(app)] == [True, False]
    with app.app_context():
        names = db.session.scalars(select(MaintenanceWindow.name).order_by(MaintenanceWindow.name)).all()
    assert names == ["Move to the new office", "Patch night"]


def test_init_can_run_twice(app: Flask) -> None:
    runner = app.test_cli_runner()
    answer = runner.invoke(args=["psa", "init"])
    assert answer.exit_code == 0, answer.output
    assert "were there already" in answer.output
    with app.app_context():
        numbers = db.session.execute(select(func.count(), func.count(Ticket.number.distinct()))).one()
    assert numbers[0] == numbers[1]


def test_the_app_starts_without_a_database_and_answers_503() -> None:
    app = create_app(app_config("postgresql://nobody@127.0.0.1:1/none"))
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/login").status_code == 200
    with client.session_transaction() as session:
        session["_user_id"] = f"{TENANT}/{ADMIN}"
    answer = client.get("/tickets")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "does not answer" in answer.text


def test_waiting_mail_is_sent_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[EmailMessage] = []

    class Server:
        def __enter__(self) -> Server:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def send_message(self, message: EmailMessage) -> None:
            sent.append(message)

    monkeypatch.setattr(mail, "_smtp", lambda _url: Server())
    app.config["PSA_SMTP_URL"] = "smtp://mail.example"
    with app.app_context():
        _wait(subject="Disk\nfull")
        assert mail.send_waiting() == 1
        assert mail.send_waiting() == 0
    assert (sent[0]["To"], sent[0]["Subject"]) == ("a@example.com", "Disk full")


def test_without_a_mail_server_mail_goes_to_the_log(app: Flask) -> None:
    with app.app_context():
        _wait(subject="Disk full")
        assert mail.send_waiting() == 1


def _wait(subject: str) -> None:
    values = {"recipient": "a@example.com", "subject": subject, "body": "Hm", "idempotency_key": new_id()}
    db.session.add(Email(tenant_id=TENANT, user_id=ADMIN, **values))
    db.session.commit()


def test_who_was_booked_is_kept_on_the_way_down_and_up(app: Flask) -> None:
    booked = select(ScheduledUser.entry_id, ScheduledUser.user_id).order_by(ScheduledUser.entry_id)
    with app.app_context():
        before = db.session.execute(booked).all()
        db.session.remove()
        downgrade(revision="0005")
        upgrade()
        assert db.session.execute(booked).all() == before
        assert len(before) == 3
