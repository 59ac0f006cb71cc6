"""What a software sync writes, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from rmm_extension.domain.errors import ConfigError, Unavailable
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import DeviceRow, DeviceSoftware, Integration, Software, utc_now
from rmm_extension.providers.contract import Provider, Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services import runs
from rmm_extension.services.software import sync_software
from rmm_extension.services.unit import unit
from tests.services.inventory.fakes import FakeProvider

from .conftest import Scene, item


def test_what_is_listed_is_installed(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", item("Zip", "19.00", publisher="Acme"), item("Browser", "126.0.1"))
    scene.tell("d2", item("Browser", "126.0.1"))
    assert scene.sync() == {"processed": 2, "updated": 2, "installed": 3}
    assert scene.present("d1") == ["Browser 126.0.1", "Zip 19.00"]
    assert [row.key for row in scene.software("d1")] == [[126, 0, 1], [19]]
    assert scene.present("d2") == ["Browser 126.0.1"]
    products = {(row.normalized_name, row.publisher) for row in scene.world._all(Software)}
    assert products == {("zip", "Acme"), ("browser", "")}


def test_the_facts_of_an_item(scene: Scene) -> None:
    scene.devices("d1")
    known = item("Zip", installed_on=date(2024, 6, 9), size_bytes=5, location="C:\\Zip")
    scene.tell("d1", known)
    scene.sync()
    scene.tell("d1", item("Zip"), item("Other"))
    scene.sync()
    (row,) = [one for one in scene.world._all(DeviceSoftware) if one.location]
    assert (row.installed_on, row.size_bytes, row.location) == (date(2024, 6, 9), 5, "C:\\Zip")
    scene.tell("d1", item("Zip", size_bytes=7), item("Other"))
    assert scene.sync() == {"processed": 1, "updated": 1}
    (row,) = [one for one in scene.world._all(DeviceSoftware) if one.location]
    assert (row.installed_on, row.size_bytes) == (date(2024, 6, 9), 7)


def test_an_unchanged_list_costs_no_write(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", item("Zip"), item("Browser"))
    scene.tell("d2")
    scene.sync()
    before = scene.stamps()
    scene.tell("d1", item("Browser"), item("Zip"))
    assert scene.sync() == {"processed": 2, "unchanged": 2}
    assert scene.stamps() == before


def test_an_upgrade_is_the_old_version_gone_and_a_new_one(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Browser", "126.0"), item("Zip"))
    scene.sync()
    scene.tell("d1", item("Browser", "127.0"), item("Zip"))
    assert scene.sync() == {"processed": 1, "updated": 1, "installed": 1, "removed": 1}
    assert scene.present("d1") == ["Browser 127.0", "Zip 1.0"]
    assert scene.gone("d1") == ["Browser 126.0"]


def test_what_is_gone_keeps_the_day_it_went(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Browser", "126.0"))
    scene.sync()
    scene.tell("d1", item("Browser", "127.0"))
    scene.sync()
    (went,) = scene.removed_at()
    scene.tell("d1", item("Browser", "127.0"), item("Zip"))
    assert scene.sync() == {"processed": 1, "updated": 1, "installed": 1}
    assert scene.removed_at() == [went]


def test_what_comes_back_is_current_again_since_the_first_time(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Browser"), item("Zip"))
    scene.sync()
    first = scene.software("d1")
    scene.tell("d1", item("Browser"))
    assert scene.sync()["removed"] == 1
    assert scene.gone("d1") == ["Zip 1.0"]
    scene.tell("d1", item("Browser"), item("Zip"))
    assert scene.sync() == {"processed": 1, "updated": 1, "returned": 1}
    assert scene.software("d1") == first


def test_a_device_that_is_not_named_has_told_nothing(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", item("Zip"))
    scene.tell("d2", item("Zip"))
    scene.sync()
    del scene.world.script.software["d2"]
    assert scene.sync() == {"processed": 1, "unchanged": 1}
    scene.world.script.software.clear()
    assert scene.sync() == {}
    assert scene.present("d2") == ["Zip 1.0"]


def test_devices_that_are_not_here_are_ignored(scene: Scene) -> None:
    scene.devices("d1", "d2")
    with unit(scene.world.rmm) as session:
        session.execute(update(DeviceRow).where(DeviceRow.external_id == "d2").values(deleted_at=utc_now()))
    for name in ("d1", "d2", "d3"):
        scene.tell(name, item("Zip"))
    scene.world.script.strangers = 5
    assert scene.sync() == {"processed": 1, "updated": 1, "ignored": 7, "installed": 1}
    assert len(scene.world._all(DeviceSoftware)) == 1


def test_another_connections_device_of_the_same_id_is_another(scene: Scene) -> None:
    scene.devices("d1")
    other = Scene(scene.world.connect())
    other.world.map("1")
    other.devices("d1")
    scene.tell("d1", item("Zip"))
    other.tell("d1", item("Browser"))
    scene.sync()
    other.sync()
    assert (scene.present("d1"), other.present("d1")) == (["Zip 1.0"], ["Browser 1.0"])


def test_names_that_differ_in_case_and_signs_are_one_product(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", item("Google Chrome"), item("google  chrome"))
    scene.tell("d2", item("GOOGLE CHROME®"))
    scene.sync()
    (product,) = scene.world._all(Software)
    assert (product.normalized_name, product.name) == ("google chrome", "Google Chrome")
    assert len(scene.world._all(DeviceSoftware)) == 2


def test_values_that_a_database_does_not_take_are_cut_not_refused(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell(
        "d1",
        item("n" * 5000, "9" * 5000, publisher="p" * 5000, location="l" * 5000, size_bytes=2**70),
        item("a\x00b", publisher="\x00"),
        item("  "),
    )
    assert scene.sync()["installed"] == 2
    assert scene.sync() == {"processed": 1, "unchanged": 1}


def test_rows_that_could_not_be_read_are_counted_and_kept_with_the_run(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Zip"))
    scene.world.script.row_errors = ("Row 2 could not be read.",)
    run = scene.world.run("software_sync")
    counts = sync_software(scene.world.rmm, run)
    assert counts["failed"] == 1
    stored = scene.world.stored_run(run)
    assert (stored.errors, stored.done_count) == (["Row 2 could not be read."], 2)


def test_the_connections_time_is_that_of_the_start(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Zip"))
    told: list[datetime] = []
    scene.world.script.on_page = lambda _: told.append(utc_now())
    before = utc_now()
    scene.sync()
    row = scene.world.connection()
    assert row.last_software_sync_at is not None
    assert before <= row.last_software_sync_at <= told[0]
    names = [event["name"] for event in scene.world.events()]
    types = [event["payload"]["syncType"] for event in scene.world.events()]
    assert names[-2:] == ["sync_started", "sync_finished"]
    assert types[-2:] == ["software", "software"]


def test_an_error_keeps_what_was_written_and_the_connections_time(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", item("Zip"))
    scene.tell("d2", item("Zip"))
    scene.world.script.page_size = 1
    scene.world.script.error, scene.world.script.fails_after = Unavailable("The vendor is away."), 1
    with pytest.raises(Unavailable):
        sync_software(scene.world.rmm, scene.world.run("software_sync"))
    assert (scene.present("d1"), scene.present("d2")) == (["Zip 1.0"], [])
    row = scene.world.connection()
    assert (row.last_software_sync_at, row.last_error) == (None, "The vendor is away.")


def test_a_later_attempt_finds_what_was_written(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", item("Zip"))
    scene.tell("d2", item("Zip"))
    scene.world.script.page_size = 1
    scene.world.script.error, scene.world.script.fails_after = Unavailable("Away."), 1
    run = scene.world.run("software_sync")
    with pytest.raises(Unavailable):
        sync_software(scene.world.rmm, run)
    interrupted = utc_now()
    scene.world.script.error = None
    with unit(scene.world.rmm) as session:
        runs.reschedule(scene.world.rmm, session, run, timedelta(0), "unavailable", "Away.")
    again = runs.take(scene.world.rmm, scene.world.tenant, run.id, 1)
    assert again is not None
    counts = sync_software(scene.world.rmm, again)
    found = {name: count for name, count in counts.items() if count}
    assert found == {"processed": 2, "updated": 1, "unchanged": 1, "installed": 2}
    last = scene.world.connection().last_software_sync_at
    assert last is not None
    assert last < interrupted, "what the first attempt was told is as old as that"


def test_a_later_attempt_is_told_anew(scene: Scene) -> None:
    """What the first attempt wrote is older than the list that the second one reads."""
    scene.devices("d1", "d2")
    scene.tell("d1", item("Zip", "1"))
    scene.tell("d2", item("Zip", "1"))
    scene.world.script.page_size = 1
    scene.world.script.error, scene.world.script.fails_after = Unavailable("Away."), 1
    run = scene.world.run("software_sync")
    with pytest.raises(Unavailable):
        sync_software(scene.world.rmm, run)
    scene.world.script.error = None
    with unit(scene.world.rmm) as session:
        runs.reschedule(scene.world.rmm, session, run, timedelta(0), "unavailable", "Away.")
    again = runs.take(scene.world.rmm, scene.world.tenant, run.id, 1)
    assert again is not None
    scene.tell("d1", item("Zip", "2"))
    sync_software(scene.world.rmm, again)
    assert (scene.present("d1"), scene.gone("d1")) == (["Zip 2"], ["Zip 1"])


def test_cancelling_stops_at_the_next_page(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", item("Zip"))
    scene.tell("d2", item("Zip"))
    scene.world.script.page_size = 1
    run = scene.world.run("software_sync")

    def cancel(page: int) -> None:
        if page == 1:
            with unit(scene.world.rmm) as session:
                runs.cancel(scene.world.rmm, session, SYSTEM_ACTOR(scene.world.tenant), run.id)

    scene.world.script.on_page = cancel
    with pytest.raises(runs.Cancelled):
        sync_software(scene.world.rmm, run)
    assert (scene.present("d1"), scene.present("d2")) == (["Zip 1.0"], [])


class Silent(Provider):
    manifest = FakeProvider.manifest


def test_a_vendor_without_software(scene: Scene) -> None:
    registry = ProviderRegistry(Runtime(), sources=[("fake", lambda: Silent)])
    with pytest.raises(ConfigError, match="no software to list"):
        sync_software(replace(scene.world.rmm, providers=registry), scene.world.run("software_sync"))


def test_a_paused_connection(scene: Scene) -> None:
    with unit(scene.world.rmm) as session:
        session.execute(update(Integration).values(state="paused"))
    with pytest.raises(ConfigError, match="paused"):
        sync_software(scene.world.rmm, scene.world.run("software_sync"))


# An empty list in place of a full one


def test_an_empty_list_is_believed_the_second_time(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Zip"))
    scene.sync()
    scene.tell("d1")
    assert scene.sync() == {"processed": 1, "doubtful": 1}
    assert scene.present("d1") == ["Zip 1.0"]
    assert scene.sync() == {"processed": 1, "updated": 1, "removed": 1}
    assert scene.gone("d1") == ["Zip 1.0"]
    assert scene.sync() == {"processed": 1, "unchanged": 1}


@pytest.mark.parametrize("full", ["Zip", "Browser"])
def test_doubt_ends_when_the_list_is_full_again(scene: Scene, full: str) -> None:
    scene.devices("d1")
    for items in ((item("Zip"),), (), (item(full),)):
        scene.tell("d1", *items)
        scene.sync()
    known = scene.list_of("d1")
    assert known is not None
    assert known.empty_since is None
    scene.tell("d1")
    assert scene.sync() == {"processed": 1, "doubtful": 1}
    assert scene.present("d1") == [f"{full} 1.0"]


def test_the_same_run_is_no_second_time(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Zip"))
    scene.sync()
    scene.tell("d1")
    scene.world.script.error, scene.world.script.fails_after = Unavailable("Away."), 1
    run = scene.world.run("software_sync")
    with pytest.raises(Unavailable):
        sync_software(scene.world.rmm, run)
    scene.world.script.error = None
    with unit(scene.world.rmm) as session:
        runs.reschedule(scene.world.rmm, session, run, timedelta(0), "unavailable", "Away.")
    again = runs.take(scene.world.rmm, scene.world.tenant, run.id, 1)
    assert again is not None
    assert sync_software(scene.world.rmm, again)["doubtful"] == 1
    assert scene.present("d1") == ["Zip 1.0"]


def test_an_empty_list_of_a_device_that_never_had_any(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1")
    assert scene.sync() == {"processed": 1, "updated": 1}
    scene.tell("d1", item("Zip"))
    assert scene.sync() == {"processed": 1, "updated": 1, "installed": 1}


# Cost


def test_statements_do_not_grow_with_the_page(scene: Scene, statement_counter: Any) -> None:
    def cost() -> int:
        with statement_counter() as sent:
            scene.sync()
        return int(sent.count)

    names = [f"d{number}" for number in range(40)]
    scene.devices(*names)
    scene.tell("d0", item("Zip"))
    small = cost()
    for name in names:
        scene.tell(name, *(item(f"Tool {number}") for number in range(20)))
    assert cost() == small
    unchanged = cost()
    assert unchanged < small
