"""The table of what a connection's credentials allow: asked by a run, shown until it is asked anew."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select, update

from reference_psa.db import db
from rmm_extension.domain.errors import AuthFailed, ConfigError
from rmm_extension.models import Integration, JobRun, utc_now
from rmm_extension.services import connections, runs
from rmm_extension.services.permissions import check_permissions
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said


def address(connection: UUID) -> str:
    return f"/rmm/connections/{connection}/permissions"


def shown(world: World, connection: UUID) -> str:
    answer = world.client().get(address(connection))
    assert answer.status_code == 200
    return said(answer)


def queued(world: World) -> list[JobRun]:
    with world.app.app_context():
        found = list(db.session.scalars(select(JobRun).where(JobRun.kind == "permission_check")))
        db.session.expunge_all()
    return found


def take(world: World) -> runs.Run:
    """The waiting check in a worker's hands."""
    with world.app.app_context():
        waiting = next(run for run in queued(world) if run.status == "queued")
        taken = runs.take(world.rmm, "one", waiting.id, waiting.attempt)
    assert taken is not None
    return taken


def work(world: World) -> dict[str, int]:
    """Do the waiting check to its end."""
    run = take(world)
    with world.app.app_context():
        counts = check_permissions(world.rmm, run)
        with unit(world.rmm) as session:
            runs.finish(session, run, counts)
    return counts


def check(world: World, connection: UUID) -> dict[str, int]:
    """As a person: the button, then what a worker makes of it."""
    answer = world.client().post(address(connection))
    assert (answer.status_code, answer.location) == (303, address(connection))
    return work(world)


def test_before_the_first_check_the_page_says_what_to_do(world: World) -> None:
    page = shown(world, world.connect())
    assert "Not checked yet" in page
    assert "Check the permissions" in page


def test_the_table_says_it_in_words(world: World) -> None:
    connection = world.connect()
    assert check(world, connection) == {"allowed": 2, "missing": 1, "not_checked": 1}
    page = shown(world, connection)
    assert "1 feature lacks a right." in page
    assert "Asked just now by admin of one; nothing was changed at Acme RMM." in page
    assert "Missing Feature <missing> can_missing It is missing." in page
    assert "Allowed Feature <ok> can_ok It is ok." in page
    assert "Look at it Feature <warning> can_warning" in page
    assert "Not checked Feature <not_checked>" in page
    assert "Check again" in page


def test_a_double_click_starts_one_check_whose_progress_is_shown(world: World) -> None:
    connection = world.connect()
    for _ in range(2):
        world.client().post(address(connection))
    assert [run.actor_name for run in queued(world)] == ["admin of one"]
    page = shown(world, connection)
    assert "Waiting for a worker" in page
    assert "Not checked yet" not in page
    assert "Check again" not in page


def test_what_was_found_stays_while_it_is_asked_anew_and_when_that_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = world.connect()
    check(world, connection)
    world.client().post(address(connection))
    assert "Feature <missing>" in shown(world, connection)
    run = take(world)
    with world.app.app_context(), unit(world.rmm) as session:
        runs.fail(world.rmm, session, run, "unavailable", "Acme RMM does not answer.")
    page = shown(world, connection)
    assert "The last check failed just now : Acme RMM does not answer." in page
    assert "Feature <missing>" in page


def test_credentials_that_are_newer_than_the_table_are_pointed_out(world: World) -> None:
    connection = world.connect()
    check(world, connection)
    assert "signed in anew" not in shown(world, connection)
    with world.app.app_context(), unit(world.rmm) as session:
        session.execute(
            update(Integration).where(Integration.id == connection).values(connected_at=utc_now())
        )
    assert "signed in anew" in shown(world, connection)


def test_refused_credentials_are_said_by_the_run(world: World) -> None:
    connection = world.connect()
    with world.app.app_context(), unit(world.rmm) as session:
        world.rmm.vault.store(session, "one", connection, "api_key", "another key")
    world.client().post(address(connection))
    run = take(world)
    with world.app.app_context(), pytest.raises(AuthFailed):
        check_permissions(world.rmm, run)


def test_a_cancelled_check_asks_no_further(world: World) -> None:
    connection = world.connect()
    world.client().post(address(connection))
    run = take(world)
    with world.app.app_context():
        with unit(world.rmm) as session:
            runs.cancel(world.rmm, session, world.actor(), run.id)
        with pytest.raises(runs.Cancelled):
            check_permissions(world.rmm, run)


def test_a_paused_connection_asks_nothing(world: World) -> None:
    connection = world.connect()
    with world.app.app_context(), unit(world.rmm) as session:
        connections.pause(session, world.actor(), connection)
    assert world.client().post(address(connection)).status_code == 409
    assert queued(world) == []
    page = shown(world, connection)
    assert "Not checked" in page
    assert "Check the permissions" not in page


def test_a_vendor_that_tells_nothing_has_no_such_page(world: World) -> None:
    connection = world.connect("Single", provider="single")
    assert world.client().get(address(connection)).status_code == 404
    assert world.client().post(address(connection)).status_code == 404
    assert "/permissions" not in world.client().get(f"/rmm/connections/{connection}").text
    run = world.run(connection, kind="permission_check", queue="rmm-alerts", status="queued", attempt=0)
    with world.app.app_context():
        taken = runs.take(world.rmm, "one", run, 0)
        assert taken is not None
        with pytest.raises(ConfigError):
            check_permissions(world.rmm, taken)


@pytest.mark.parametrize("role", ["technician", "dispatcher", "read_only"])
def test_only_those_who_configure_see_it(world: World, role: str) -> None:
    connection = world.connect()
    assert world.client(role).get(address(connection)).status_code == 403
    assert world.client(role).post(address(connection)).status_code == 403


def test_another_tenant_finds_nothing(world: World) -> None:
    connection = world.connect()
    check(world, connection)
    stranger = world.client(tenant="two")
    assert stranger.get(address(connection)).status_code == 404
    assert stranger.post(address(connection)).status_code == 404


def test_the_page_costs_the_same_however_often_it_was_asked(world: World) -> None:
    connection = world.connect()

    check(world, connection)
    with StatementCounter() as few:
        shown(world, connection)
    for _ in range(3):
        check(world, connection)
    with StatementCounter() as many:
        shown(world, connection)
    assert many.count == few.count
