"""The door for deliveries of NinjaOne: answers, tenants, cost, and a storm."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from rmm_extension.providers.ninjaone import webhooks
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import World
from tests.providers.ninjaone.bodies import delivery, told
from tests.services.ninjaone.conftest import Scene


def uid(number: int) -> str:
    return f"e6b0b0bd-5753-445d-9e4a-{number:012d}"


def body(scene: Scene, number: int = 1, condition: int = 1, **more: Any) -> dict[str, Any]:
    """A trigger on the mapped organization's device 7."""
    device = {"id": 7, "organizationId": int(scene.organization), "displayName": "PC-7"}
    config = f"205b85b2-8a12-4123-834f-{condition:012d}"
    return delivery(id=number, seriesUid=uid(number), sourceConfigUid=config, device=device, **more)


@pytest.mark.parametrize("header", ["X-RMM-Webhook-Secret", "X-Alga-Webhook-Secret"])
def test_either_name_of_the_header(scene: Scene, header: str) -> None:
    url = f"/api/webhooks/ninjaone/{scene.world.token}"
    answer = scene.world.http.post(url, json=body(scene), headers={header: scene.world.secret})
    assert (answer.status_code, answer.json["outcome"]) == (200, "ticket_created")


def test_answers(scene: Scene) -> None:
    assert scene.post(body(scene), secret="").status_code == 401
    assert scene.post(body(scene), secret="wrong").status_code == 401
    assert scene.post(body(scene), url="/api/webhooks/ninjaone/t.unknown").status_code == 404
    assert scene.post(b"[]").json["reason"] == "wrong_shape"
    assert scene.post(b"{").status_code == 400
    assert scene.post(told("PROCESS_STARTED")).json == {"recorded": False, "reason": "event_not_used"}
    assert scene.post(told("PROCESS_STARTED"), secret="wrong").status_code == 401
    scene.world.do("UPDATE rmm_integrations SET state = 'paused'")
    for sent in (body(scene), told("SYSTEM_REBOOTED")):
        assert scene.post(sent).json == {"recorded": False, "reason": "connection_paused"}
    assert scene.tickets() == scene.signals() == []


def test_the_token_of_another_tenant_opens_nothing(scene: Scene) -> None:
    """Its secret does not fit, and an organization of the same number changes nothing."""
    token = scene.world.token
    forged = f"someone-else.{token.rpartition('.')[2]}"
    assert scene.post(body(scene), url=f"/api/webhooks/ninjaone/{forged}").status_code == 404
    assert scene.post(body(scene), url=f"/api/webhooks/tacticalrmm/{token}").status_code == 404
    assert scene.world.rows("SELECT id FROM rmm_alerts") == []


@pytest.mark.parametrize("path, most", [("replay", 2), ("recorded", 5), ("occurrence", 9), ("ticket", 12)])
def test_statements_of_a_delivery(
    scene: Scene, statement_counter: type[StatementCounter], path: str, most: int
) -> None:
    """As many as for any other vendor."""
    if path == "recorded":
        scene.world.do("DELETE FROM rmm_alert_rules")
    scene.world.device("7", "PC-7")
    scene.post(body(scene, 1))
    bodies = {
        "replay": body(scene, 1),
        "recorded": body(scene, 2),
        "occurrence": body(scene, 2),
        "ticket": body(scene, 2, condition=9),
    }
    with statement_counter() as sent:
        assert scene.post(bodies[path]).status_code == 200
    assert sent.count <= most, "\n".join(sent.statements)


def test_a_storm_ends_with_one_ticket_for_every_condition(scene: Scene) -> None:
    """1,000 triggers on 50 conditions, 16 at once, to a running server."""
    world: World = scene.world
    world.device("7", "PC-7")
    headers = {webhooks.HEADER: world.secret}

    def send(number: int) -> int:
        told_now = body(scene, number, condition=number % 50)
        return requests.post(scene.hook, json=told_now, headers=headers, timeout=120).status_code

    with ThreadPoolExecutor(16) as senders:
        assert set(senders.map(send, range(1000))) == {200}
    assert len(scene.tickets()) == 50
    rows = world.rows("SELECT occurrence_count, count(*) AS n FROM rmm_alert_conditions GROUP BY 1")
    assert rows == [{"occurrence_count": 20, "n": 50}]
    assert world.rows("SELECT id FROM rmm_webhook_deliveries") == []
    assert world.one("SELECT count(*) FROM rmm_alerts") == 1000
