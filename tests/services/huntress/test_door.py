"""The door for deliveries of Huntress: signatures, times, what comes twice, and its cost."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from rmm_extension.testing.statements import StatementCounter
from simulators.huntress import svix
from tests.providers.huntress.accounts import in_webhook
from tests.services.huntress.conftest import Scene

SECRET = svix.new_secret()


@pytest.fixture
def door(scene: Scene) -> Scene:
    """The scene with a secret that this test signs with."""
    from rmm_extension.services import webhook_access

    world = scene.world
    with world.unit() as session:
        webhook_access.keep_secret(world.rmm, session, world.admin, world.integration_id, SECRET)
    return scene


def sent(
    door: Scene,
    body: Any = None,
    *,
    secret: str = SECRET,
    late: int = 0,
    tampered: bool = False,
    **headers: str,
) -> Any:
    """The answer to a delivery that was signed so many seconds ago."""
    row = in_webhook(organization={"id": int(door.organization), "name": "A"}) if body is None else body
    raw = row if isinstance(row, bytes) else json.dumps(row).encode()
    signed = svix.headers([secret], headers.pop("id", "msg_1"), int(time.time()) - late, raw)
    url = door.hook.partition("/api")[2]
    return door.world.http.post(
        f"/api{url}",
        data=raw + b" " if tampered else raw,
        headers=signed | headers,
        content_type="application/json",
    )


def test_a_signed_delivery_makes_a_ticket(door: Scene) -> None:
    assert sent(door).json["outcome"] == "ticket_created"


@pytest.mark.parametrize(
    "how",
    [
        {"secret": svix.new_secret()},
        {"tampered": True},
        {"late": 301},
        {"late": -330},
        {"svix-signature": ""},
        {"svix-id": "msg_other"},
    ],
    ids=["wrong secret", "tampered", "stale", "from the future", "unsigned", "another id"],
)
def test_what_is_no_proof_is_refused_and_leaves_nothing(door: Scene, how: dict[str, Any]) -> None:
    answer = sent(door, **how)
    assert answer.status_code == 401
    assert door.world.rows("SELECT id FROM rmm_alerts") == []
    assert door.world.rows("SELECT id FROM rmm_webhook_deliveries") == []


def test_a_replay_changes_nothing(door: Scene) -> None:
    for _ in range(3):
        assert sent(door).status_code == 200
    assert (len(door.tickets()), door.world.one("SELECT count(*) FROM rmm_alerts")) == (1, 1)
    assert door.world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1


def test_answers(door: Scene) -> None:
    notice = {"event_type": "account_notice.notification", "id": 3}
    assert sent(door, notice).json == {"recorded": False, "reason": "event_not_used"}
    assert sent(door, b"{").status_code == 400
    assert sent(door, {"event_type": "incident_report.created"}).json["reason"] == "alert_id_missing"
    assert sent(door, in_webhook(severity=["high"])).json["reason"] == "wrong_shape"
    door.world.do("UPDATE rmm_integrations SET state = 'paused'")
    assert sent(door).json == {"recorded": False, "reason": "connection_paused"}


@pytest.mark.parametrize("path, most", [("replay", 2), ("ticket", 13)])
def test_statements_of_a_delivery(
    door: Scene, statement_counter: type[StatementCounter], path: str, most: int
) -> None:
    """As many as for any other vendor."""
    sent(door)
    organization = {"id": int(door.organization), "name": "A"}
    body = in_webhook(organization=organization, **({"id": 99} if path == "ticket" else {}))
    with statement_counter() as counted:
        assert sent(door, body, id="msg_2").status_code == 200
    assert counted.count <= most, "\n".join(counted.statements)
