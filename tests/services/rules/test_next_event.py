"""A change of rules holds for the very next event in every process, and for what rules took before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from uuid import UUID

import pytest

from reference_psa import create_app
from reference_psa.db import db
from rmm_extension.models import MaintenanceWindow, new_id
from rmm_extension.services import connections, rules
from rmm_extension.services.rules import RuleDraft
from tests.harness.schema import app_config
from tests.harness.world import World

from .conftest import Create


@pytest.fixture
def elsewhere(bare: World, populated_url: str) -> Iterator[World]:
    """The same connection as another process of the web server sees it: an app and caches of its own."""
    app = create_app(app_config(populated_url))
    yield World(app, bare.tenant, bare.integration_id, bare.token, bare.secret, bare.client_id)
    with app.app_context():
        db.engine.dispose()


Change = Callable[[World, UUID, UUID], None]


def edit(world: World, first: UUID, second: UUID) -> None:
    with world.unit() as session:
        draft = RuleDraft("First", conditions={"severities": ["none"]})
        rules.update(world.rmm, session, world.admin, first, draft)


def switch_off(world: World, first: UUID, second: UUID) -> None:
    with world.unit() as session:
        rules.set_active(world.rmm, session, world.admin, first, False)


def delete(world: World, first: UUID, second: UUID) -> None:
    with world.unit() as session:
        rules.delete(world.rmm, session, world.admin, first)


def move(world: World, first: UUID, second: UUID) -> None:
    with world.unit() as session:
        rules.move(world.rmm, session, world.admin, second, up=True)


def reorder(world: World, first: UUID, second: UUID) -> None:
    with world.unit() as session:
        rules.reorder(world.rmm, session, world.admin, world.integration_id, [second, first])


def replace(world: World, first: UUID, second: UUID) -> None:
    document = {"format": rules.FORMAT, "version": rules.VERSION, "rules": [{"name": "Third"}]}
    with world.unit() as session:
        rules.import_rules(world.rmm, session, world.admin, world.integration_id, document, replace=True)


def suppress(world: World, first: UUID, second: UUID) -> None:
    """As the use cases of windows do: the window and the version in one transaction."""
    day = datetime(2026, 11, 21, tzinfo=UTC)
    with world.unit() as session:
        connections.get(session, world.tenant, world.integration_id, lock=True).config_version += 1
        window = MaintenanceWindow(
            tenant_id=world.tenant, id=new_id(), name="Day", starts_at=day, ends_at=day.replace(hour=23)
        )
        session.add(window)


@pytest.mark.parametrize(
    "change, taken_by",
    [
        (edit, "Second"),
        (switch_off, "Second"),
        (delete, "Second"),
        (move, "Second"),
        (reorder, "Second"),
        (replace, "Third"),
        (suppress, None),
    ],
)
def test_the_next_event_in_another_process_obeys(
    bare: World, elsewhere: World, create: Create, change: Change, taken_by: str | None
) -> None:
    first, second = create("First"), create("Second")
    assert bare.post(bare.body(1)).json["outcome"] == "ticket_created"
    assert elsewhere.post(bare.body(2, check_id="2")).json["outcome"] == "ticket_created"
    change(elsewhere, first, second)
    for world, number in ((bare, 3), (elsewhere, 4)):
        world.post(bare.body(number, check_id=str(number)))
        rule_id = world.alert(number)["matched_rule_id"]
        names = world.rows("SELECT name FROM rmm_alert_rules WHERE id = :id", id=rule_id)
        assert [row["name"] for row in names] == ([taken_by] if taken_by else [])


def test_a_change_that_was_undone_is_none(bare: World, create: Create) -> None:
    first = create("First")
    with pytest.raises(ZeroDivisionError):
        delete_and_fail(bare, first)
    bare.post(bare.body(1))
    assert bare.alert(1)["matched_rule_id"] == first


def delete_and_fail(world: World, rule_id: UUID) -> None:
    with world.unit() as session:
        rules.delete(world.rmm, session, world.admin, rule_id)
        _ = 1 / 0


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize("closes", [True, False])
def test_later_steps_read_the_rule_as_it_is_now_also_when_it_is_off(
    bare: World, create: Create, is_active: bool, closes: bool
) -> None:
    rule_id = create("First", autoResolveTicket=not closes)
    bare.post()
    draft = RuleDraft("First", is_active=is_active, actions={"autoResolveTicket": closes})
    with bare.unit() as session:
        rules.update(bare.rmm, session, bare.admin, rule_id, draft)
    bare.post(bare.resolved())
    (ticket,) = bare.tickets()
    assert (ticket["closed_at"] is not None) is closes


def test_of_a_rule_that_is_gone_the_snapshot_counts(bare: World, create: Create) -> None:
    rule_id = create("First", autoResolveTicket=True)
    bare.post()
    with bare.unit() as session:
        rules.delete(bare.rmm, session, bare.admin, rule_id)
    bare.post(bare.resolved())
    (ticket,) = bare.tickets()
    assert ticket["closed_at"] is not None


def test_two_people_at_once_do_not_get_the_same_place(bare: World, elsewhere: World) -> None:
    """The second waits for the first one's lock."""
    begun = Event()

    def second() -> int:
        with elsewhere.unit() as session:
            begun.set()
            draft = RuleDraft("Second")
            return rules.create(elsewhere.rmm, session, bare.admin, bare.integration_id, draft).priority_order

    with ThreadPoolExecutor(1) as pool:
        with bare.unit() as session:
            rules.create(bare.rmm, session, bare.admin, bare.integration_id, RuleDraft("First"))
            waiting = pool.submit(second)
            assert begun.wait(30)
        assert waiting.result(30) == 1
