"""The library of scripts: listed by a run, stored as it is, looked up without the vendor."""

from __future__ import annotations

from uuid import UUID

import pytest

from rmm_extension.providers.tacticalrmm.client import TacticalClient
from rmm_extension.providers.tacticalrmm.schemas import ScriptDetail
from rmm_extension.services import actions
from rmm_extension.services.queries import actions as queries
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter
from tests.services.actions.conftest import Scene
from tests.services.working import queued, work


def listed(scene: Scene, text: str | None = None) -> list[str]:
    with scene.world.app.app_context(), unit(scene.world.rmm) as session:
        rows = queries.scripts(session, scene.world.tenant, scene.world.integration_id, text)
        return [row.name for row in rows]


def refresh(scene: Scene) -> UUID | None:
    with scene.world.app.app_context(), unit(scene.world.rmm) as session:
        return actions.refresh_scripts(session, scene.person("admin"), scene.world.integration_id)


def is_due(scene: Scene) -> bool:
    with scene.world.app.app_context(), unit(scene.world.rmm) as session:
        return actions.scripts_due(session, scene.world.tenant, scene.world.integration_id)


def test_the_library_is_listed_and_looked_up(scene: Scene) -> None:
    assert is_due(scene)
    assert listed(scene) == []
    assert refresh(scene) is not None
    assert work(scene.world, "script_list") == [{"scripts": 6, "removed": 0}]
    assert not is_due(scene)
    assert sorted(listed(scene), key=str.casefold) == [
        "Collect Event Logs",
        "Disk Usage Report",
        "Linux - list upgrades",
        "macOS - list updates",
        "Restart Print Service",
        "With client name",
    ]
    assert set(listed(scene, "DIAG")) == {"Collect Event Logs", "Disk Usage Report"}
    assert listed(scene, "100%") == []


def test_a_list_grows_old(scene: Scene) -> None:
    refresh(scene)
    work(scene.world, "script_list")
    scene.world.do("UPDATE rmm_job_runs SET queued_at = queued_at - interval '16 minutes'")
    assert is_due(scene)


def test_two_wishes_are_one_run(scene: Scene) -> None:
    assert refresh(scene) is not None
    assert refresh(scene) is None
    assert len(queued(scene.world, "script_list")) == 1


def test_what_is_gone_is_removed_and_what_changed_follows(scene: Scene) -> None:
    refresh(scene)
    work(scene.world, "script_list")
    before = scene.world.rows("SELECT id, external_id FROM rmm_scripts ORDER BY external_id")
    del scene.lab.scripts[1]
    scene.lab.scripts[3].name = "Disk report"
    refresh(scene)
    assert work(scene.world, "script_list") == [{"scripts": 5, "removed": 1}]
    assert "Disk report" in listed(scene)
    assert "Restart Print Service" not in listed(scene)
    after = scene.world.rows("SELECT id, external_id FROM rmm_scripts ORDER BY external_id")
    assert after == [row for row in before if row["external_id"] != "1"]


def test_a_strange_script_keeps_no_other_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = ScriptDetail(
        id=1,
        name="a\x00b",
        description="x" * 100_000,
        supported_platforms=["win\x00dows"],
        default_timeout=2**40,
    )
    plain = ScriptDetail(id=2, name="Plain", default_timeout=90)
    monkeypatch.setattr(TacticalClient, "scripts", lambda _: [plain, strange, plain])
    refresh(scene)
    assert work(scene.world, "script_list") == [{"scripts": 2, "removed": 0}]
    stored = scene.world.rows("SELECT name, platforms, default_timeout FROM rmm_scripts ORDER BY external_id")
    assert stored == [
        {"name": "ab", "platforms": ["windows"], "default_timeout": None},
        {"name": "Plain", "platforms": [], "default_timeout": 90},
    ]


def test_an_empty_library_is_empty(scene: Scene) -> None:
    refresh(scene)
    work(scene.world, "script_list")
    scene.lab.scripts.clear()
    refresh(scene)
    assert work(scene.world, "script_list") == [{"scripts": 0, "removed": 6}]


def test_an_unchanged_library_costs_a_fixed_number_of_statements(scene: Scene) -> None:
    refresh(scene)
    work(scene.world, "script_list")
    refresh(scene)
    with StatementCounter() as sent:
        work(scene.world, "script_list")
    written = [one for one in sent.statements if "rmm_scripts" in one]
    assert len(written) == 2


def test_a_vendor_that_fails_leaves_the_list_as_it_was(scene: Scene) -> None:
    from simulators.tacticalrmm.misbehaviour import Fault

    refresh(scene)
    work(scene.world, "script_list")
    scene.lab.misbehaviours.add(Fault(mode="wrong_shape", prefix="/scripts/"))
    refresh(scene)
    (words,) = work(scene.world, "script_list")
    assert isinstance(words, str)
    assert len(listed(scene)) == 6
    scene.world.do("DELETE FROM rmm_job_runs WHERE kind = 'script_list' AND status = 'succeeded'")
    assert is_due(scene), "a list that failed is not fresh"
