"""What a patch sync writes, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from rmm_extension.domain.errors import ConfigError, RateLimited, Unavailable
from rmm_extension.domain.patches import NOTHING, PatchKind
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import DevicePatch, DeviceRow, Integration, JobRun, utc_now
from rmm_extension.providers.contract import Provider, Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services import runs
from rmm_extension.services.patches import sync_patches
from rmm_extension.services.unit import unit
from tests.services.inventory.fakes import FakeProvider

from .conftest import Scene, of_program, patch

MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


def test_what_is_listed_is_kept(scene: Scene) -> None:
    scene.devices("d1", "d2")
    known = patch(
        "Update", "failed", severity="CRITICAL", category="SECURITY", kb="KB5034441", changed_at=MAY
    )
    scene.tell("d1", known, of_program("Browser"), patch("Old", "installed"), scanned_at=JUNE)
    scene.tell("d2", patch("Update", "approved"))
    assert scene.sync() == {"processed": 2, "updated": 2, "added": 4}
    assert scene.patches("d1") == ["Old installed", "Update failed", "Browser pending"]
    row = scene.rows("d1")[1]
    assert (row.kind, row.external_id, row.severity) == ("os", "Update", "CRITICAL")
    assert (row.category, row.kb, row.changed_at) == ("SECURITY", "KB5034441", MAY)
    assert scene.list_of("d1").scanned_at == JUNE


def test_an_unchanged_list_costs_no_write(scene: Scene) -> None:
    scene.devices("d1", "d2", "d3")
    scene.tell("d1", patch("Update"), of_program("Browser"), scanned_at=MAY)
    scene.tell("d2")
    scene.sync()
    before = scene.stamps()
    scene.tell("d1", of_program("Browser"), patch("Update"))
    assert scene.sync() == {"processed": 2, "unchanged": 2}
    assert scene.stamps() == before


def test_a_later_scan_is_noted_with_a_list_that_is_as_before(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"), scanned_at=MAY)
    scene.sync()
    changed_at = scene.list_of("d1").changed_at
    scene.tell("d1", patch("Update"), scanned_at=JUNE)
    assert scene.sync() == {"processed": 1, "unchanged": 1}
    scene.tell("d1", patch("Update"), scanned_at=MAY)
    scene.sync()
    assert scene.list_of("d1").scanned_at == JUNE, "it does not go back"
    assert scene.list_of("d1").changed_at == changed_at


def test_a_patch_on_its_way_is_one_row(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"), patch("Other"))
    scene.sync()
    (first, other) = sorted(scene.rows("d1"), key=lambda row: row.name != "Update")
    scene.tell("d1", patch("Update", "approved"), patch("Other"))
    assert scene.sync() == {"processed": 1, "updated": 1, "changed": 1}
    scene.tell("d1", patch("Update", "installed", changed_at=JUNE), patch("Other"))
    assert scene.sync() == {"processed": 1, "updated": 1, "changed": 1}
    (last, same) = sorted(scene.rows("d1"), key=lambda row: row.name != "Update")
    assert (last.id, last.first_seen_at, last.status) == (first.id, first.first_seen_at, "installed")
    assert (same.id, same.first_seen_at) == (other.id, other.first_seen_at)


def test_a_value_that_goes_is_gone(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update", severity="CRITICAL"), patch("Other"))
    scene.sync()
    scene.tell("d1", patch("Update"), patch("Other"))
    assert scene.sync() == {"processed": 1, "updated": 1, "changed": 1}
    assert [row.severity for row in scene.rows("d1")] == [None, None]


def test_a_patch_that_is_not_listed_any_more_has_no_row(scene: Scene) -> None:
    scene.devices("d1", "d2")
    for name in ("d1", "d2"):
        scene.tell(name, patch("Update"), patch("Other"))
    scene.sync()
    scene.tell("d1", patch("Other"))
    assert scene.sync() == {"processed": 2, "updated": 1, "unchanged": 1, "removed": 1}
    assert (scene.patches("d1"), len(scene.patches("d2"))) == (["Other pending"], 2)


def test_a_patch_listed_twice_is_one_row(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"), patch("Update", "failed", changed_at=MAY), of_program("Update"))
    assert scene.sync()["added"] == 2
    assert scene.patches("d1") == ["Update failed", "Update pending"]
    scene.tell("d1", of_program("Update"), patch("Update", "failed", changed_at=MAY), patch("Update"))
    assert scene.sync() == {"processed": 1, "unchanged": 1}


def test_devices_that_are_not_here_are_ignored(scene: Scene) -> None:
    scene.devices("d1", "d2")
    with unit(scene.world.rmm) as session:
        session.execute(update(DeviceRow).where(DeviceRow.external_id == "d2").values(deleted_at=utc_now()))
    for name in ("d1", "d2", "d3"):
        scene.tell(name, patch("Update"))
    scene.world.script.strangers = 5
    assert scene.sync() == {"processed": 1, "updated": 1, "ignored": 7, "added": 1}
    assert len(scene.world._all(DevicePatch)) == 1


def test_another_connections_device_of_the_same_id_is_another(scene: Scene) -> None:
    scene.devices("d1")
    other = Scene(scene.world.connect())
    other.world.map("1")
    other.devices("d1")
    scene.tell("d1", patch("Update"))
    other.tell("d1", patch("Other"))
    scene.sync()
    other.sync()
    other.silence("d1")
    other.sync()
    other.sync()
    assert (scene.patches("d1"), other.patches("d1")) == (["Update pending"], [])


def test_values_that_a_database_does_not_take_are_cut_not_refused(scene: Scene) -> None:
    scene.devices("d1")
    long = patch("n" * 5000, external_id="i" * 5000, severity="s" * 5000, kb="k" * 5000)
    scene.tell("d1", long, patch("a\x00b"), patch("  "))
    assert scene.sync()["added"] == 2
    assert scene.sync() == {"processed": 1, "unchanged": 1}


def test_rows_that_could_not_be_read_are_counted_and_kept_with_the_run(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    scene.world.script.row_errors = ("A row could not be read.",)
    run = scene.world.run("patch_sync")
    assert sync_patches(scene.world.rmm, run)["failed"] == 1
    stored = scene.world.stored_run(run)
    assert (stored.errors, stored.done_count) == (["A row could not be read."], 2)


def test_the_connections_time_is_that_of_the_start(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    told: list[datetime] = []
    scene.world.script.on_page = lambda _: told.append(utc_now())
    before = utc_now()
    scene.sync()
    row = scene.world.connection()
    assert row.last_patch_sync_at is not None
    assert before <= row.last_patch_sync_at <= told[0]
    names = [event["name"] for event in scene.world.events()]
    types = [event["payload"]["syncType"] for event in scene.world.events()]
    assert names[-2:] == ["sync_started", "sync_finished"]
    assert types[-2:] == ["patches", "patches"]


# Devices that the list does not name


def test_a_device_that_is_not_named_has_none_the_second_time(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"))
    scene.tell("d2", patch("Update"), patch("Other", "installed"))
    scene.sync()
    scene.silence("d2")
    assert scene.sync() == {"processed": 2, "unchanged": 1, "doubtful": 1}
    assert len(scene.patches("d2")) == 2
    assert scene.sync() == {"processed": 2, "unchanged": 1, "updated": 1, "removed": 2}
    assert scene.patches("d2") == []
    before = scene.stamps()
    assert scene.sync() == {"processed": 1, "unchanged": 1}
    assert scene.stamps() == before


def test_doubt_ends_when_the_device_is_named_again(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    scene.sync()
    scene.silence("d1")
    scene.sync()
    assert scene.list_of("d1").empty_since is not None
    scene.tell("d1", patch("Update"))
    assert scene.sync() == {"processed": 1, "unchanged": 1}
    assert scene.list_of("d1").empty_since is None
    scene.silence("d1")
    assert scene.sync() == {"processed": 1, "doubtful": 1}
    assert scene.patches("d1") == ["Update pending"]


def test_an_empty_list_is_believed_the_second_time(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    scene.sync()
    scene.tell("d1")
    assert scene.sync() == {"processed": 1, "doubtful": 1}
    assert scene.sync() == {"processed": 1, "updated": 1, "removed": 1}


def test_a_fleet_that_is_suddenly_empty_keeps_its_patches(scene: Scene) -> None:
    names = [f"d{number}" for number in range(600)]
    scene.devices(*names)
    for name in names:
        scene.tell(name, patch("Update"))
    scene.sync()
    scene.world.script.patches.clear()
    assert scene.sync() == {"processed": 600, "doubtful": 600}
    assert len(scene.world._all(DevicePatch)) == 600
    assert scene.sync() == {"processed": 600, "updated": 600, "removed": 600}


def test_nothing_is_concluded_where_rows_could_not_be_read(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"))
    scene.tell("d2", patch("Update"))
    scene.sync()
    scene.silence("d2")
    scene.world.script.row_errors = ("A row could not be read.",)
    for _ in range(2):
        assert scene.sync() == {"processed": 1, "unchanged": 1, "failed": 1}
    assert scene.patches("d2") == ["Update pending"]
    assert scene.list_of("d2").empty_since is None


@pytest.mark.parametrize(
    "error", [Unavailable("Away."), RateLimited("Later.", retry_after=9.0)], ids=["away", "later"]
)
def test_nothing_is_concluded_from_a_list_that_breaks_off(scene: Scene, error: Exception) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"))
    scene.tell("d2", patch("Update"))
    scene.sync()
    scene.tell("d1", patch("Other"))
    scene.world.script.page_size, scene.world.script.fails_after = 1, 1
    for _ in range(2):
        scene.world.script.error = error
        run = scene.world.run("patch_sync")
        with pytest.raises(type(error)):
            sync_patches(scene.world.rmm, run)
        scene.world.finish(run)
    assert (scene.patches("d1"), scene.patches("d2")) == (["Other pending"], ["Update pending"])
    assert scene.list_of("d2").empty_since is None
    assert scene.world.connection().last_error == str(error)


def test_the_same_run_is_no_second_time(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"))
    scene.tell("d2", patch("Update"))
    scene.sync()
    scene.tell("d1")
    scene.world.script.page_size = 1
    again = interrupted(scene)
    assert sync_patches(scene.world.rmm, again)["doubtful"] == 1
    assert scene.patches("d1") == ["Update pending"]


# Kinds that may not be read

OS, SOFTWARE = PatchKind.OS, PatchKind.SOFTWARE
REFUSED = {SOFTWARE: "Software is not to be read."}


def test_a_kind_that_may_not_be_read_stays_as_it_is(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"), of_program("Browser"))
    scene.tell("d2", of_program("Browser", "failed"))
    scene.sync()
    facts = scene.facts("d1")
    scene.world.script.unread = REFUSED
    scene.tell("d1", patch("Update", "installed"))
    assert scene.sync() == {"processed": 2, "updated": 1, "unchanged": 1, "changed": 1, "not_read": 1}
    assert scene.patches("d1") == ["Update installed", "Browser pending"]
    assert scene.patches("d2") == ["Browser failed"]
    assert scene.facts("d1") == facts | {"os_patches_pending": 0}, "the program still is to come"
    before = scene.stamps()
    assert scene.sync() == {"processed": 2, "unchanged": 2, "not_read": 1}
    assert scene.stamps() == before
    scene.world.script.unread = {}
    scene.tell("d1", patch("Update", "installed"))
    assert scene.sync() == {"processed": 2, "updated": 1, "unchanged": 1, "removed": 1}


def test_the_run_says_what_was_not_read_and_is_no_failure(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"))
    scene.tell("d2", patch("Update"))
    scene.world.script.unread, scene.world.script.page_size = REFUSED, 1
    run = scene.world.run("patch_sync")
    counts = sync_patches(scene.world.rmm, run)
    assert (counts["not_read"], counts["failed"]) == (1, 0)
    stored = scene.world.stored_run(run)
    assert (stored.errors, stored.done_count) == (list(REFUSED.values()), 2)
    connection = scene.world.connection()
    assert (connection.last_error, connection.last_patch_sync_at is None) == (None, False)


def test_what_was_never_read_is_not_none(scene: Scene) -> None:
    scene.devices("d1")
    scene.world.script.unread = REFUSED
    scene.tell("d1", patch("Update"))
    scene.sync()
    row = scene.list_of("d1")
    assert (row.os_digest is None, row.software_digest) == (False, None)
    assert scene.facts("d1") == {
        "os_patches_pending": 1,
        "os_patches_failed": 0,
        "has_pending_patches": True,
    }
    scene.world.script.unread = {}
    assert scene.sync() == {"processed": 1, "updated": 1}
    assert scene.list_of("d1").software_digest == NOTHING
    assert scene.facts("d1")["software_patches_pending"] == 0


def test_a_device_that_is_not_named_loses_the_kinds_that_were_read_alone(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"), of_program("Browser"))
    scene.sync()
    scene.world.script.unread = REFUSED
    scene.silence("d1")
    assert scene.sync() == {"processed": 1, "doubtful": 1, "not_read": 1}
    assert scene.sync() == {"processed": 1, "updated": 1, "removed": 1, "not_read": 1}
    assert scene.patches("d1") == ["Browser pending"]
    assert scene.sync() == {"not_read": 1}


# Attempts


def interrupted(scene: Scene) -> runs.Run:
    """A run whose first attempt ended after its first page, taken again."""
    scene.world.script.error, scene.world.script.fails_after = Unavailable("Away."), 1
    run = scene.world.run("patch_sync")
    with pytest.raises(Unavailable):
        sync_patches(scene.world.rmm, run)
    scene.world.script.error = None
    with unit(scene.world.rmm) as session:
        runs.reschedule(scene.world.rmm, session, run, timedelta(0), "unavailable", "Away.")
    again = runs.take(scene.world.rmm, scene.world.tenant, run.id, 1)
    assert again is not None
    return again


def test_a_later_attempt_finds_what_was_written(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"))
    scene.tell("d2", patch("Update"))
    scene.world.script.page_size = 1
    again = interrupted(scene)
    moment = utc_now()
    assert (scene.patches("d1"), scene.patches("d2")) == (["Update pending"], [])
    assert scene.world.connection().last_patch_sync_at is None
    counts = sync_patches(scene.world.rmm, again)
    found = {name: count for name, count in counts.items() if count}
    assert found == {"processed": 2, "updated": 1, "unchanged": 1, "added": 2}
    last = scene.world.connection().last_patch_sync_at
    assert last is not None
    assert last < moment, "what the first attempt was told is as old as that"


def test_a_later_attempt_is_told_anew(scene: Scene) -> None:
    """What the first attempt wrote is older than the list that the second one reads."""
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"))
    scene.tell("d2", patch("Update"))
    scene.world.script.page_size = 1
    again = interrupted(scene)
    scene.tell("d1", patch("Update", "installed"))
    sync_patches(scene.world.rmm, again)
    assert scene.patches("d1") == ["Update installed"]


class Killed(BaseException):
    """What a process that is killed leaves: no unit ends, and nobody tells the run."""


@pytest.mark.parametrize("within", [False, True], ids=["between pages", "within a page"])
def test_a_killed_worker_is_followed_by_another(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, within: bool
) -> None:
    names = [f"d{number}" for number in range(4)]
    scene.devices(*names)
    for name in names:
        scene.tell(name, patch("Update"), of_program("Browser"), scanned_at=MAY)
    scene.world.script.page_size = 1
    run, written = scene.world.run("patch_sync"), runs.Run.report

    def killed(number: int = 2) -> None:
        if number == 2:
            raise Killed

    def report(self: runs.Run, *args: Any, **values: Any) -> None:
        written(self, *args, **values)
        if values["done"] == 2:
            killed()

    with monkeypatch.context() as patched:
        if within:
            patched.setattr(runs.Run, "report", report)
        else:
            scene.world.script.on_page = killed
        with pytest.raises(Killed):
            sync_patches(scene.world.rmm, run)
    scene.world.script.on_page = None
    done = 1 if within else 2
    assert sum(bool(scene.patches(name)) for name in names) == done, "a page is whole, or not there"
    with unit(scene.world.rmm) as session:
        session.execute(
            update(JobRun).where(JobRun.id == run.id).values(heartbeat_at=utc_now() - timedelta(hours=1))
        )
    again = runs.take(scene.world.rmm, scene.world.tenant, run.id, 1)
    assert again is not None
    counts = sync_patches(scene.world.rmm, again)
    assert (counts["processed"], counts["unchanged"], counts["added"]) == (4, done, 8)
    scene.world.finish(again)
    assert scene.sync() == {"processed": 4, "unchanged": 4}
    assert len(scene.world._all(DevicePatch)) == 8


def test_cancelling_stops_at_the_next_page(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"))
    scene.tell("d2", patch("Update"))
    scene.world.script.page_size = 1
    run = scene.world.run("patch_sync")

    def cancel(page: int) -> None:
        if page == 1:
            with unit(scene.world.rmm) as session:
                runs.cancel(scene.world.rmm, session, SYSTEM_ACTOR(scene.world.tenant), run.id)

    scene.world.script.on_page = cancel
    with pytest.raises(runs.Cancelled):
        sync_patches(scene.world.rmm, run)
    assert (scene.patches("d1"), scene.patches("d2")) == (["Update pending"], [])


class Silent(Provider):
    manifest = FakeProvider.manifest


def test_a_vendor_without_patches(scene: Scene) -> None:
    registry = ProviderRegistry(Runtime(), sources=[("fake", lambda: Silent)])
    with pytest.raises(ConfigError, match="no patches to list"):
        sync_patches(replace(scene.world.rmm, providers=registry), scene.world.run("patch_sync"))


def test_a_paused_connection(scene: Scene) -> None:
    with unit(scene.world.rmm) as session:
        session.execute(update(Integration).values(state="paused"))
    with pytest.raises(ConfigError, match="paused"):
        sync_patches(scene.world.rmm, scene.world.run("patch_sync"))


# Numbers of devices whose vendor tells none

COUNTED = {
    "os_patches_pending": 1,
    "os_patches_failed": 0,
    "software_patches_pending": 0,
    "software_patches_failed": 1,
    "has_pending_patches": True,
}


def test_numbers_that_the_vendor_does_not_tell_are_counted(scene: Scene) -> None:
    scene.devices("d1", "d2")
    assert scene.facts("d1") == {}
    scene.tell("d1", patch("Update", "approved"), of_program("Browser", "failed"), patch("Old", "installed"))
    scene.sync()
    assert (scene.facts("d1"), scene.facts("d2")) == (COUNTED, {})
    assert scene.world.device("d1").patches_pending is True
    scene.tell("d1", of_program("Browser", "failed"))
    scene.sync()
    assert scene.facts("d1") == COUNTED | {"os_patches_pending": 0, "has_pending_patches": False}
    assert scene.world.device("d1").patches_pending is False


def test_counted_numbers_outlive_a_device_sync(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"), of_program("Browser", "failed"))
    scene.sync()
    scene.world.script.replace("d1", agent_version="2")
    assert scene.world.sync()["updated"] == 1
    assert scene.facts("d1") == COUNTED


def test_a_device_that_has_none_any_more_is_counted_too(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    scene.sync()
    scene.silence("d1")
    scene.sync()
    assert scene.world.device("d1").patches_pending is True
    scene.sync()
    assert scene.world.device("d1").patches_pending is False


def test_numbers_that_are_the_same_leave_the_device_alone(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    scene.sync()
    before = scene.world.versions()
    scene.tell("d1", patch("Other"))
    assert scene.sync()["updated"] == 1
    assert scene.world.versions() == before


@pytest.mark.usefixtures("telling")
def test_a_vendors_own_numbers_stay(scene: Scene) -> None:
    scene.devices("d1", "d2")
    own = {"os_patches_pending": 9, "has_pending_patches": True}
    with unit(scene.world.rmm) as session:
        session.execute(update(DeviceRow).where(DeviceRow.external_id == "d1").values(facts=own))
    before = scene.world.versions()
    scene.tell("d1", patch("Update"))
    scene.tell("d2", patch("Update"))
    scene.sync()
    assert (scene.facts("d1"), scene.facts("d2")) == (own, {})
    assert scene.world.versions() == before, "no device's row is written"


# Cost


def test_statements_do_not_grow_with_the_page(scene: Scene, statement_counter: Any) -> None:
    def cost() -> int:
        with statement_counter() as sent:
            scene.sync()
        return int(sent.count)

    names = [f"d{number}" for number in range(40)]
    scene.devices(*names)
    scene.tell("d0", patch("Update"))
    small = cost()
    for name in names:
        scene.tell(name, *(patch(f"Update {number}") for number in range(20)))
    assert cost() == small
    unchanged = cost()
    assert unchanged < small
