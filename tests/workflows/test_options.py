"""What there is to choose from for an input that names something."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from rmm_extension.domain.contracts.actions import form_fields, says
from rmm_extension.domain.contracts.strict import Strict, Text
from rmm_extension.host import Actor
from rmm_extension.models import Integration, TeamsConversation, TeamsUserLink, new_id
from rmm_extension.workflows.options import options
from tests.harness.world import World
from tests.workflows.core.doing import PEOPLE, actor, user


def offered(
    world: World, picks: str | None, connection: UUID | None = None, who: Actor | None = None, **ports: Any
) -> Any:
    class In(Strict):
        what = Text(50, metadata=says("What", picks=picks))

    (field,) = form_fields(In)
    rmm = replace(world.rmm, host=replace(world.rmm.host, **ports))
    with world.unit() as session:
        return options(rmm, session, who or actor(), field, connection)


def words(found: Any) -> set[str]:
    return {word for _, word in found}


def test_people_of_the_tenant_by_what_they_can_be_chosen_for(world: World) -> None:
    world.do("UPDATE users SET is_enabled = FALSE WHERE id = :id", id=user("dispatch"))
    there = set(PEOPLE.values()) - {PEOPLE["dispatch"]}
    assert there <= words(offered(world, "user"))
    assert PEOPLE["dispatch"] not in words(offered(world, "user"))
    technicians = words(offered(world, "technician"))
    assert {PEOPLE["tech"], PEOPLE["tech2"]} <= technicians
    assert PEOPLE["admin"] not in technicians
    assert words(offered(world, "assignee")) <= words(offered(world, "user"))


def test_boards_priorities_and_statuses_under_their_boards(world: World) -> None:
    def names(table: str) -> set[str]:
        statement = f"SELECT name FROM {table} WHERE tenant_id = :tenant"
        return {row["name"] for row in world.rows(statement, tenant=world.tenant)}

    assert words(offered(world, "board")) == names("boards")
    assert words(offered(world, "priority")) == names("priorities")
    found = {value for value, _ in offered(world, "open_status")}
    closed = {value for value, _ in offered(world, "closed_status")}
    rows = world.rows("SELECT id, is_closed FROM ticket_statuses WHERE tenant_id = :t", t=world.tenant)
    assert closed == {row["id"] for row in rows if row["is_closed"]}
    assert found == {row["id"] for row in rows if not row["is_closed"]}
    assert all(": " in word for word in words(offered(world, "open_status")))


def test_another_tenant_sees_its_own(world: World) -> None:
    other = world.one("SELECT id FROM tenants WHERE id <> :tenant LIMIT 1", tenant=world.tenant)
    stranger = Actor(id="x", name="X", tenant_id=other)
    for picks in ("user", "board", "client"):
        mine = {value for value, _ in offered(world, picks)}
        assert mine
        assert mine.isdisjoint({value for value, _ in offered(world, picks, who=stranger)})


@pytest.mark.parametrize("picks", [None, "", "alert", "ticket", "device", "something new"])
def test_what_is_too_many_or_unknown_is_typed(world: World, picks: str | None) -> None:
    assert offered(world, picks) is None


@pytest.mark.parametrize("picks, port", [("user", "users"), ("assignee", "users"), ("technician", "schedule"),
    ("board", "catalog"), ("priority", "catalog"), ("open_status", "catalog")])  # fmt: skip
def test_a_host_that_has_no_list_has_it_typed(world: World, picks: str, port: str) -> None:
    assert offered(world, picks, **{port: None}) is None


def test_a_chat_services_people_and_channels(world: World) -> None:
    first, second = chat(world), chat(world)
    with world.unit() as session:
        for number, (where, channel, team, dead) in enumerate(
            [
                (first, "19:b", "Service", None),
                (first, "19:a", "Alerts", None),
                (first, "19:dead", "Gone", "2026-01-01T00:00:00Z"),
                (second, "19:c", "Zeta", None),
            ]
        ):
            session.add(
                TeamsConversation(
                    tenant_id=world.tenant,
                    id=new_id(),
                    integration_id=where,
                    conversation_id=f"c{number}",
                    kind="channel",
                    service_url="https://smba.example",
                    bot_id="b",
                    directory_id="d",
                    team_id="19:t",
                    team_name=team,
                    channel_id=channel,
                    channel_name="On call",
                    dead_at=dead,
                )
            )
        for where, who, person in ((first, "tech", "p1"), (second, "admin", "p2"), (first, "dispatch", None)):
            session.add(
                TeamsUserLink(
                    tenant_id=world.tenant,
                    id=new_id(),
                    integration_id=where,
                    user_id=user(who),
                    person_id=person,
                )
            )
    assert offered(world, "teams_channel") == [
        ("19:a", "Alerts › On call"), ("19:b", "Service › On call"), ("19:c", "Zeta › On call")
    ]  # fmt: skip
    assert [value for value, _ in offered(world, "teams_channel", second)] == ["19:c"]
    assert words(offered(world, "teams_user")) == {PEOPLE["tech"], PEOPLE["admin"]}
    assert words(offered(world, "teams_user", first)) == {PEOPLE["tech"]}


def chat(world: World) -> UUID:
    """A connection of the chat service."""
    row = Integration(
        tenant_id=world.tenant, id=new_id(), provider="teams", name="T", state="connected", instance_url=""
    )
    row.name = f"T {row.id}"
    with world.unit() as session:
        session.add(row)
        found: UUID = row.id
    return found
