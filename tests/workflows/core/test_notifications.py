"""What workflows tell users: each once, and nobody is kept from it by somebody else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from reference_psa.adapters.notifications import SqlNotifications
from rmm_extension.domain.actions import ErrorCode, Order, Outcome
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host import Notice
from rmm_extension.workflows.core import notifications
from rmm_extension.workflows.pack import StepContext
from tests.harness.world import World
from tests.workflows.core.doing import act, actor, user

ACTION = "notifications.notify_users"
GIVEN: dict[str, Any] = {"title": "Disk full", "message": "It was cleaned.\nLook again tomorrow."}


def tell(world: World, *user_ids: str, key: str = "workflow:1:tell:1", **given: Any) -> Outcome:
    return act(world, ACTION, {**GIVEN, "user_ids": list(user_ids), **given}, key=key)


def lines(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM notifications ORDER BY created_at")


def test_each_is_told_once_in_the_app_and_by_mail(world: World) -> None:
    mara, priya = user("admin"), user("tech")
    for _ in range(2):
        outcome = tell(world, mara, priya, mara, level="error")
        assert outcome.output == {"notified": 2, "user_ids": [mara, priya], "missing_user_ids": []}
        assert outcome.message == "2 users were told."
    found = lines(world)
    assert [row["user_id"] for row in found] == [mara, priya]
    assert {(row["category"], row["subtype"], row["level"]) for row in found} == {
        ("RMM workflows", "RMM Workflow Message", "error")
    }
    assert {(row["title"], row["body"]) for row in found} == {("Disk full", GIVEN["message"])}
    mails = world.rows("SELECT user_id, subject, body FROM email_outbox ORDER BY created_at")
    assert {row["user_id"] for row in mails} == {mara, priya}
    assert all(GIVEN["message"].splitlines()[0] in row["body"] for row in mails)


def test_another_doing_is_another_message(world: World) -> None:
    for attempt in (1, 2):
        tell(world, user("tech"), key=f"workflow:1:tell:{attempt}")
    assert len(lines(world)) == 2


def test_those_who_are_gone_keep_nobody_from_it(world: World) -> None:
    world.do("UPDATE users SET is_enabled = FALSE WHERE id = :id", id=user("dispatch"))
    outcome = tell(world, "nobody", user("dispatch"), user("tech"))
    assert outcome.state.value == "succeeded"
    assert outcome.output is not None
    assert outcome.output["user_ids"] == [user("tech")]
    assert outcome.output["missing_user_ids"] == ["nobody", user("dispatch")]
    assert outcome.message.startswith("1 user was told. 2 could not be")


def test_where_nobody_is_left_it_failed(world: World) -> None:
    stranger = world.one("SELECT id FROM users WHERE tenant_id <> :tenant LIMIT 1", tenant=world.tenant)
    outcome = tell(world, "nobody", stranger)
    assert (outcome.state.value, outcome.error_code) == ("failed", ErrorCode.NOT_FOUND)
    assert outcome.output is not None
    assert outcome.output["missing_user_ids"] == ["nobody", stranger]
    assert lines(world) == []


@pytest.mark.parametrize("given, place", [
    ({"user_ids": []}, "user_ids"),
    ({"user_ids": ["u"] * 51}, "user_ids"),
    ({"title": " "}, "title"),
    ({"level": "loud"}, "level"),
    ({"link": "https://elsewhere.example"}, "link"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(world: World, given: dict[str, Any], place: str) -> None:
    outcome = act(world, ACTION, {**GIVEN, "user_ids": [user("tech")], **given})
    assert outcome.error_code == ErrorCode.VALIDATION_ERROR
    assert place in outcome.message
    assert lines(world) == []


@dataclass
class Reluctant(SqlNotifications):
    """Writes, then refuses, for some users."""

    refused: Collection[str] = field(default_factory=list)

    def send(self, session: Session, tenant_id: str, user_ids: Collection[str], notice: Notice) -> None:
        super().send(session, tenant_id, user_ids, notice)
        if set(user_ids) & set(self.refused):
            raise HostRejected("Not this one.")


def perform(world: World, session: Session, **changes: Any) -> Outcome:
    """Tell Mara and Priya in a context of the test's own."""
    context = StepContext(
        **{"rmm": world.rmm, "session": session, "actor": actor(), "key": "workflow:1:tell:1", **changes}
    )
    given = {**GIVEN, "level": "info", "user_ids": [user("admin"), user("tech")]}
    return notifications.notify_users(context, Order(action=ACTION, input=given))


def test_one_whom_the_host_refuses_keeps_nobody_from_it(world: World) -> None:
    host = replace(world.rmm.host, notifications=Reluctant(refused=[user("admin")]))
    with world.unit() as session:
        outcome = perform(world, session, rmm=replace(world.rmm, host=host))
    assert outcome.output is not None
    assert outcome.output["missing_user_ids"] == [user("admin")]
    assert [row["user_id"] for row in lines(world)] == [user("tech")]


def test_it_leads_to_the_ticket_the_workflow_is_about(world: World) -> None:
    world.post()
    (ticket,) = world.tickets()
    with world.unit() as session:
        perform(world, session, values={"ticket": {"id": ticket["id"]}})
    assert {row["link"] for row in lines(world)} == {f"/tickets/{ticket['id']}"}
