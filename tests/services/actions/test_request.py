"""Asking for an action: what is refused before any vendor is called, what is written down, and only once."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from rmm_extension.domain.actions import ActionRefused, ErrorCode
from rmm_extension.domain.errors import Conflict, Forbidden, Invalid
from rmm_extension.domain.masking import HIDDEN
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.jobs.execute import perform as execute
from rmm_extension.services import rotation
from rmm_extension.services.actions.registry import UnknownAction
from rmm_extension.services.vault import Vault
from tests.services.actions.conftest import COMMAND, PING, REBOOT, SCRIPT, Scene


@pytest.mark.parametrize("action, given", [
    (SCRIPT, {"script_id": 3}), (COMMAND, {"command": "id"}), (REBOOT, {}), (PING, {}),
])  # fmt: skip
@pytest.mark.parametrize("role", ["dispatcher", "read_only"])
def test_without_the_right_nothing_reaches_the_vendor(
    scene: Scene, action: str, given: dict[str, Any], role: str
) -> None:
    with pytest.raises(Forbidden, match="has no right to"):
        scene.ask(action, by=scene.person(role), input=given)
    assert not scene.lab.requests
    assert scene.world.one("SELECT count(*) FROM rmm_action_invocations") == 0
    assert scene.world.one("SELECT count(*) FROM rmm_job_runs WHERE kind = 'device_action'") == 0


@pytest.mark.parametrize(
    "state, words",
    [("paused", "is paused"), ("needs_reauth", "credentials"), ("not_connected", "is not connected")],
)
def test_an_inactive_connection_says_where_to_go(scene: Scene, state: str, words: str) -> None:
    scene.world.do("UPDATE rmm_integrations SET state = :state", state=state)
    with pytest.raises(ActionRefused, match=words) as caught:
        scene.ask()
    assert caught.value.code is ErrorCode.INTEGRATION_INACTIVE
    assert "Settings › Integrations" in str(caught.value)
    assert not scene.lab.requests


def test_all_that_is_wrong_with_an_input_is_said_at_once(scene: Scene) -> None:
    with pytest.raises(Invalid) as caught:
        scene.ask(SCRIPT, input={"script_id": 0, "timeout": 9999, "args": [1], "when": "now"})
    assert set(caught.value.errors) == {"script_id", "timeout", "args.0", "when"}
    assert caught.value.errors["timeout"] == ["Give a whole number from 1 to 3,600."]


def test_a_device_of_elsewhere_is_refused(scene: Scene) -> None:
    for device_id in (uuid4(), None):
        with pytest.raises(ActionRefused) as caught:
            scene.ask(device_id=device_id)
        assert caught.value.code is ErrorCode.NOT_FOUND
    scene.world.do("UPDATE rmm_devices SET deleted_at = now()")
    with pytest.raises(ActionRefused, match="was deleted at the vendor"):
        scene.ask()


def test_a_connection_of_another_tenant_does_not_exist(scene: Scene) -> None:
    other = scene.world.one("SELECT id FROM tenants WHERE id <> :tenant LIMIT 1", tenant=scene.world.tenant)
    with pytest.raises(ActionRefused) as caught:
        scene.ask(by=SYSTEM_ACTOR(other))
    assert caught.value.code is ErrorCode.NOT_FOUND


def test_an_action_or_a_ticket_that_does_not_exist_is_refused(scene: Scene) -> None:
    with pytest.raises(UnknownAction):
        scene.ask("tacticalrmm.agents.explode")
    with pytest.raises(ActionRefused, match="ticket does not exist"):
        scene.ask(ticket_id="nowhere")


def test_a_wish_is_a_row_a_run_and_a_line_of_the_audit(scene: Scene) -> None:
    actor = scene.person()
    invocation_id = scene.ask(COMMAND, by=actor, input={"command": "whoami"})
    row, run = scene.row(invocation_id), scene.run_of(invocation_id)
    assert (row["state"], row["actor_name"], row["device_id"]) == ("queued", actor.name, scene.device_id)
    assert (run["kind"], run["queue"], run["status"]) == ("device_action", "rmm-actions", "queued")
    assert run["subject"] == {"invocation_id": str(invocation_id), "action": COMMAND}
    (line,) = scene.world.rows("SELECT * FROM rmm_audit WHERE action = 'action.requested'")
    assert (line["actor_name"], line["subject_name"]) == (actor.name, scene.agent.hostname)
    assert line["changes"]["input"]["command"] == "whoami"


def test_secrets_of_an_input_are_nowhere_in_clear(scene: Scene) -> None:
    given = {
        "script_id": 3,
        "env_vars": ["TOKEN=tok-en-value-1"],
        "args": ["-User", "mara", "-Password", "hunter-2-x", "--api-key=abc-def-ghi"],
    }
    invocation_id = scene.ask(SCRIPT, input=given)
    row = scene.row(invocation_id)
    assert row["input"]["env_vars"] == [HIDDEN]
    assert row["input"]["args"] == ["-User", "mara", "-Password", HIDDEN, f"--api-key={HIDDEN}"]
    for table in ("rmm_action_invocations", "rmm_job_runs", "rmm_audit", "rmm_outbox"):
        text = scene.world.one(f"SELECT coalesce(string_agg(t::text, ''), '') FROM {table} t")
        for secret in ("tok-en-value-1", "hunter-2-x", "abc-def-ghi"):
            assert secret not in text
    scene.work(invocation_id)
    assert scene.lab.commands[0]["args"] == given["args"]
    assert scene.lab.commands[0]["env_vars"] == given["env_vars"]
    assert scene.row(invocation_id)["sealed_input"] is None


def test_the_same_key_is_the_same_wish(scene: Scene) -> None:
    first = scene.ask(idempotency_key="once")
    assert scene.ask(idempotency_key="once") == first
    scene.work(first)
    assert scene.ask(idempotency_key="once") == first
    assert scene.sent() == ["rebootnow"]
    assert scene.world.one("SELECT count(*) FROM rmm_job_runs WHERE kind = 'device_action'") == 1
    with pytest.raises(Conflict, match="used for another action"):
        scene.ask(PING, idempotency_key="once")


def test_the_same_key_with_other_inputs_is_refused(scene: Scene) -> None:
    first = scene.ask(COMMAND, input={"command": "hostname"}, idempotency_key="once")
    assert scene.ask(COMMAND, input={"command": "hostname"}, idempotency_key="once") == first
    with pytest.raises(Conflict, match="for other inputs"):
        scene.ask(COMMAND, input={"command": "whoami"}, idempotency_key="once")


def test_a_ticket_of_another_client_gets_no_note(scene: Scene) -> None:
    ticket = scene.ticket()
    scene.world.do("UPDATE rmm_devices SET client_id = 'another' WHERE id = :id", id=scene.device_id)
    with pytest.raises(ActionRefused, match="another client's than") as caught:
        scene.ask(ticket_id=ticket)
    assert caught.value.code == ErrorCode.VALIDATION_ERROR
    scene.world.do("UPDATE rmm_devices SET client_id = NULL WHERE id = :id", id=scene.device_id)
    assert scene.ask(ticket_id=ticket), "nobody knows whose device it is"


def test_a_new_key_for_secrets_opens_what_waits(scene: Scene) -> None:
    """Rotated between the wish and its doing, the old key gone: what was given is still there."""
    invocation_id = scene.ask(COMMAND, input={"command": "net user anna hunter-2-x"})
    both = replace(scene.world.rmm, vault=Vault({"new": bytes(32), **scene.world.rmm.settings.secret_keys}))
    with scene.world.unit() as session:
        waiting = rotation.waiting(both, session)
        assert waiting == both.vault.waiting_for_rotation(session) + 1
        assert rotation.rotate(both, session) == waiting
        assert rotation.waiting(both, session) == 0
    run, new = scene.run_of(invocation_id), replace(both, vault=Vault({"new": bytes(32)}))
    with scene.world.app.app_context():
        assert execute(new, scene.world.tenant, run["id"], run["attempt"]) == "succeeded"
    assert scene.row(invocation_id)["state"] == "succeeded"


def test_many_at_once_with_one_key_are_one_wish(scene: Scene) -> None:
    actor, gate, found = scene.person(), threading.Barrier(6), list[Any]()

    def ask() -> None:
        gate.wait()
        found.append(scene.ask(by=actor, idempotency_key="once"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert scene.world.one("SELECT count(*) FROM rmm_action_invocations") == 1
    assert scene.world.one("SELECT count(*) FROM rmm_job_runs WHERE kind = 'device_action'") == 1
    assert scene.world.one("SELECT count(*) FROM rmm_audit WHERE action = 'action.requested'") == 1


def test_keys_of_two_tenants_do_not_meet(scene: Scene) -> None:
    first = scene.ask(idempotency_key="once")
    scene.world.do("UPDATE rmm_action_invocations SET idempotency_key = 'other' WHERE id = :id", id=first)
    assert scene.ask(idempotency_key="once") != first
