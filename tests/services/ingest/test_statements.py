"""What an event costs: SQL statements, commits and rollbacks on the good paths."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import World


@pytest.mark.parametrize(
    "path, most",
    [("replay", 2), ("recorded", 5), ("occurrence", 9), ("ticket", 12)],
)
def test_statements_of_a_delivery(
    world: World, statement_counter: type[StatementCounter], path: str, most: int
) -> None:
    if path == "recorded":
        world.do("DELETE FROM rmm_alert_rules")
    world.post(world.body(1))
    bodies = {
        "replay": world.body(1),
        "recorded": world.body(2),
        "occurrence": world.body(2),
        "ticket": world.body(2, check_id="9"),
    }
    with statement_counter() as sent:
        answer = world.post(bodies[path])
    assert answer.status_code == 200
    assert sent.count <= most, "\n".join(sent.statements)


@pytest.mark.parametrize("path", ["replay", "recorded", "occurrence", "ticket", "reset"])
def test_one_commit_and_no_rollback(
    world: World, statement_counter: type[StatementCounter], path: str
) -> None:
    world.post(world.body(1))
    bodies = {
        "replay": world.body(1),
        "recorded": world.body(2, client_id="77"),
        "occurrence": world.body(2),
        "ticket": world.body(2, check_id="9"),
        "reset": world.resolved(1),
    }
    ends: list[str] = []
    with world.app.app_context():
        engine = world.rmm.db.engine
    event.listen(engine, "commit", lambda connection: ends.append("commit"))
    event.listen(engine, "rollback", lambda connection: ends.append("rollback"))
    with statement_counter() as sent:
        assert world.post(bodies[path]).status_code == 200
    assert ends == ["commit"]
    assert (sent.commits, sent.rollbacks) == (0 if path == "replay" else 1, 0), sent
