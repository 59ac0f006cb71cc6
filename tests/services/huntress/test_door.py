"""The door for deliveries of Huntress: its answers to what is signed, and its cost."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from rmm_extension.services import webhook_access
from rmm_extension.testing.statements import StatementCounter
from simulators.huntress import svix
from tests.providers.huntress.accounts import in_webhook
from tests.services.huntress.conftest import Scene

SECRET = svix.new_secret()


@pytest.fixture
def door(scene: Scene) -> Scene:
    """The scene with a secret that this test signs with."""
    world = scene.world
    with world.unit() as session:
        webhook_access.keep_secret(world.rmm, session, world.admin, world.integration_id, SECRET)
    return scene


def sent(door: Scene, body: Any = None, *, message: str = "msg_1") -> Any:
    """The answer to a delivery that is signed just now."""
    row = in_webhook(organization={"id": int(door.organization), "name": "A"}) if body is None else body
    raw = row if isinstance(row, bytes) else json.dumps(row).encode()
    headers = svix.headers([SECRET], message, int(time.time()), raw)
    path = door.hook[door.hook.index("/api") :]
    return door.world.http.post(path, data=raw, headers=headers, content_type="application/json")


def test_answers(door: Scene) -> None:
    notice = {"event_type": "account_notice.notification", "id": 3}
    assert sent(door, notice).json == {"recorded": False, "reason": "event_not_used"}
    assert sent(door, b"{").status_code == 400
    assert sent(door, {"event_type": "incident_report.created"}).json["reason"] == "alert_id_missing"
    assert sent(door, in_webhook(severity=["high"])).json["reason"] == "wrong_shape"
    assert sent(door).json["outcome"] == "ticket_created"
    door.world.do("UPDATE rmm_integrations SET state = 'paused'")
    assert sent(door).json == {"recorded": False, "reason": "connection_paused"}


@pytest.mark.parametrize("path, most", [("replay", 2), ("ticket", 13)])
def test_statements_of_a_delivery(
    door: Scene, statement_counter: type[StatementCounter], path: str, most: int
) -> None:
    """As many as for any other vendor."""
    sent(door)
    organization = {"id": int(door.organization), "name": "A"}
    body = in_webhook(organization=organization, id=99 if path == "ticket" else 1234)
    with statement_counter() as counted:
        assert sent(door, body, message="msg_2").status_code == 200
    assert counted.count <= most, "\n".join(counted.statements)
