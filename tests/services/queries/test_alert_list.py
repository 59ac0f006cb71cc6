"""The list of alerts: a text finds the same however it is looked for, and rare filters have an index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Select, insert, select, text
from sqlalchemy.dialects import postgresql

from rmm_extension.models import Alert, new_id, utc_now
from rmm_extension.services.queries import alerts as queries
from rmm_extension.services.queries.alerts import AlertFilter, alert_count, alert_page
from rmm_extension.services.queries.paging import Count
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import World

WORDS = ("Disk full", "Backup failed", "disk slow", "100% busy", "back\\slash_under")


def fill(world: World, number: int = 60, **columns: Any) -> None:
    """Alerts a minute apart, their words in turn, every third one resolved."""
    now = utc_now()
    rows = [
        {
            "tenant_id": world.tenant,
            "id": new_id(),
            "integration_id": world.integration_id,
            "external_id": f"n{at}",
            "status": "resolved" if at % 3 == 0 else "active",
            "severity": "major",
            "dedup_key": "k",
            "message": WORDS[at % len(WORDS)],
            "device_name": f"PC-{at:03}",
            "first_channel": "poll",
            "triggered_at": now - timedelta(minutes=at),
            "last_event_at": now,
            "raw": {},
            **columns,
        }
        for at in range(number)
    ]
    with world.unit() as session:
        session.execute(insert(Alert), rows)


def walk(world: World, wanted: AlertFilter, **options: Any) -> list[str]:
    """The device names of all pages."""
    names: list[str] = []
    after = None
    with world.unit() as session:
        while True:
            page = alert_page(session, world.tenant, wanted, after=after, limit=7, **options)
            names += [row.device_name for row in page.rows]
            after = page.after
            if after is None:
                return names


def expected(part: str, open_only: bool = False) -> list[str]:
    """The same by looking at every alert."""
    return [
        f"PC-{at:03}"
        for at in range(60)
        if part.lower() in f"PC-{at:03} {WORDS[at % len(WORDS)]}".lower() and not (open_only and at % 3 == 0)
    ]


NEAR = [1, 10, 10_000]
COMMON = [0, 5, 10_000]


@pytest.mark.parametrize("nearest", NEAR)
@pytest.mark.parametrize("matches", COMMON)
@pytest.mark.parametrize("part", ["disk", "DISK", "pc-01", "100%", "k\\slash_u", "failed", "nothing at all"])
def test_a_text_finds_the_same_whichever_way_it_is_looked_for(
    world: World, monkeypatch: pytest.MonkeyPatch, nearest: int, matches: int, part: str
) -> None:
    monkeypatch.setattr(queries, "NEAREST", nearest)
    monkeypatch.setattr(queries, "MATCHES", matches)
    fill(world)
    assert walk(world, AlertFilter(text=part)) == expected(part)
    assert walk(world, AlertFilter(text=part), turned=True) == expected(part)[::-1]
    assert walk(world, AlertFilter(text=part, state="open")) == expected(part, open_only=True)


def test_a_count_says_whether_there_may_be_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world)
    with world.unit() as session:
        assert alert_count(session, world.tenant, AlertFilter()) == Count(60)
        assert alert_count(session, world.tenant, AlertFilter(text="disk")) == Count(24)
        monkeypatch.setattr(queries, "NEAREST", 10)
        assert alert_count(session, world.tenant, AlertFilter(text="disk")) == Count(4, more=True)
        monkeypatch.setattr("rmm_extension.services.queries.paging.CAP", 20)
        assert alert_count(session, world.tenant, AlertFilter()) == Count(20, more=True)


def test_a_first_page_knows_its_count_where_it_can(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world)
    with world.unit() as session:
        assert alert_page(session, world.tenant, AlertFilter(text="disk"), limit=5).count == Count(24)
        monkeypatch.setattr(queries, "NEAREST", 1)
        assert alert_page(session, world.tenant, AlertFilter(text="disk"), limit=5).count == Count(24)
        assert alert_page(session, world.tenant, AlertFilter(state="resolved"), limit=30).count == Count(20)
        assert alert_page(session, world.tenant, AlertFilter(), limit=5).count is None


def test_other_tenants_are_never_found(world: World) -> None:
    fill(world)
    for wanted in (AlertFilter(), AlertFilter(text="disk"), AlertFilter(lost=True)):
        with world.unit() as session:
            assert alert_page(session, "another", wanted).rows == []


def test_by_rule_by_window_and_by_a_lost_webhook(world: World) -> None:
    rule, window = new_id(), new_id()
    fill(world, 3)
    world.do("UPDATE rmm_alerts SET matched_rule_id = :rule WHERE device_name = 'PC-000'", rule=rule)
    world.do(
        "UPDATE rmm_alerts SET suppressed_by_window_id = :window WHERE device_name = 'PC-001'", window=window
    )
    world.do("UPDATE rmm_alerts SET webhook_lost = TRUE WHERE device_name = 'PC-002'")
    assert walk(world, AlertFilter(rule_id=rule)) == ["PC-000"]
    assert walk(world, AlertFilter(window_id=window)) == ["PC-001"]
    assert walk(world, AlertFilter(lost=True)) == ["PC-002"]


SOME = UUID(int=1)
INDEXED = {
    "ix_rmm_alerts_time": AlertFilter(),
    "ix_rmm_alerts_open": AlertFilter(state="open"),
    "ix_rmm_alerts_client": AlertFilter(client_id="c"),
    "ix_rmm_alerts_integration": AlertFilter(integration_id=SOME),
    "ix_rmm_alerts_severity": AlertFilter(severity="none"),
    "ix_rmm_alerts_device_time": AlertFilter(device_id=SOME),
    "ix_rmm_alerts_rule": AlertFilter(rule_id=SOME),
    "ix_rmm_alerts_window": AlertFilter(window_id=SOME),
    "ix_rmm_alerts_auto_resolved": AlertFilter(state="auto_resolved"),
    "ix_rmm_alerts_lost": AlertFilter(lost=True),
}


@pytest.mark.parametrize("index", INDEXED)
def test_a_filter_is_read_along_its_index_in_the_order_of_the_list(world: World, index: str) -> None:
    plan = explained(world, lambda: statement(world, INDEXED[index]))
    assert f"using {index} " in plan, plan
    assert "Sort" not in plan


def test_a_rare_text_is_found_by_its_index(world: World) -> None:
    plan = explained(world, lambda: select(Alert.id).where(queries._TEXT.ilike("%abcdef%")))
    assert "ix_rmm_alerts_text" in plan, plan


def statement(world: World, wanted: AlertFilter) -> Select[Any]:
    with world.unit() as session:
        return queries.NEWEST_FIRST.ordered(queries._matching(session, world.tenant, wanted)).limit(51)


def explained(world: World, make: Callable[[], Select[Any]]) -> str:
    """The plan where reading all and sorting is out of the question, as it is in a large table."""
    compiled = make().compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    fill(world, 3)
    with world.unit() as session:
        session.execute(text("ANALYZE rmm_alerts"))
        session.execute(text("SET LOCAL enable_seqscan = off"))
        session.execute(text("SET LOCAL enable_sort = off"))
        rows = session.connection().exec_driver_sql(f"EXPLAIN {compiled}")
        return "\n".join(row[0] for row in rows)


def test_a_search_costs_a_fixed_number_of_statements(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world)
    monkeypatch.setattr(queries, "NEAREST", 1)
    with world.unit() as session, StatementCounter() as sent:
        alert_page(session, world.tenant, AlertFilter(text="disk"))
    assert sent.count == 4, sent
