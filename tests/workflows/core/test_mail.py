"""email.send through the reference PSA."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.domain.actions import ErrorCode
from tests.harness.world import World
from tests.workflows.core.doing import act, act_in

MAIL = {"to": ["ops@client.example"], "subject": "C: is full", "body": "<b>C:</b> has 1 GB left."}


def outbox(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM email_outbox WHERE user_id IS NULL ORDER BY recipient")


def test_each_address_gets_a_mail_of_its_own(world: World) -> None:
    to = ["ops@client.example", "lead@client.example", "ops@client.example"]
    outcome = act(world, "email.send", {**MAIL, "to": to})
    assert (outcome.state, outcome.output) == ("requested", {"to": to[:2]})
    assert [row["recipient"] for row in outbox(world)] == sorted(to[:2])
    assert {row["body"] for row in outbox(world)} == {"<b>C:</b> has 1 GB left."}
    assert {row["html"] for row in outbox(world)} == {None}


def test_one_doing_sends_once(world: World) -> None:
    for to in ("ops@client.example", "OPS@client.example"):
        act(world, "email.send", {**MAIL, "to": [to]}, key="same")
    assert len(outbox(world)) == 1
    act(world, "email.send", MAIL, key="another")
    assert len(outbox(world)) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"to": []},
        {"to": ["nobody"]},
        {"to": ["a@b.example\nBcc: c@d.example"]},
        {"to": [f"a{number}@b.example" for number in range(51)]},
        {"subject": "One\nBcc: a@b.example"},
        {"subject": " "},
        {"body": ""},
    ],
)
def test_what_is_no_mail_is_refused(world: World, change: dict[str, Any]) -> None:
    assert act(world, "email.send", {**MAIL, **change}).error_code == ErrorCode.VALIDATION_ERROR
    assert outbox(world) == []


def test_a_tenant_that_sends_no_mail_is_told_so(world: World) -> None:
    world.do("UPDATE tenants SET email_enabled = false")
    outcome = act(world, "email.send", MAIL)
    assert (outcome.error_code, outcome.message) == (
        ErrorCode.VALIDATION_ERROR,
        "E-mail is switched off in the settings of this PSA.",
    )


def test_a_mail_goes_only_with_its_transaction(world: World) -> None:
    with world.unit() as session:
        act_in(world, session, "email.send", MAIL)
        session.rollback()
    assert outbox(world) == []
