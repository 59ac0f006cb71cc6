"""The software of agents: the list of the whole fleet as a stream, and one agent's."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rmm_extension.domain.errors import BadResponse, NotFound, PermissionMissing, Unavailable
from rmm_extension.domain.types import InstalledSoftware, SoftwarePage
from rmm_extension.providers.reply import CutAnswer, HtmlInsteadOfJson, Misshapen
from rmm_extension.providers.tacticalrmm import TacticalRmm, software
from rmm_extension.providers.tacticalrmm.software import day, size_in_bytes
from tests.providers.conftest import Simulator, connection_to
from tests.providers.wire import answer, serve

FULL = {
    "name": "7-Zip 19.00 (x64)",
    "size": "5.2 MB",
    "source": "",
    "version": "19.00",
    "location": "C:\\Program Files\\7-Zip\\",
    "publisher": "Igor Pavlov",
    "uninstall": '"C:\\Program Files\\7-Zip\\Uninstall.exe"',
    "install_date": "2019-06-09 00:00:00 +0000 UTC",
}


def agent_id(pk: int) -> str:
    return f"agent{pk:035d}"


def fleet(count: int) -> bytes:
    rows = [
        {"id": pk, "agent_id": agent_id(pk), "hostname": f"PC-{pk}", "client": "One", "site": "Main"}
        for pk in range(1, count + 1)
    ]
    return json.dumps(rows).encode()


def row(pk: int, *items: Any) -> dict[str, Any]:
    return {"id": 1000 + pk, "software": list(items), "agent": pk}


def pages(tactical: TacticalRmm, body: bytes, agents: int = 5, **options: Any) -> list[SoftwarePage]:
    """The pages of a server that answers the id map and then this body."""
    with serve(
        lambda number: answer(body=fleet(agents)) if number == 0 else answer(body=body, **options)
    ) as wire:
        return list(tactical.software(connection_to(wire.url)))


def names(found: list[SoftwarePage]) -> dict[str, list[str]]:
    return {
        one.external_device_id: [item.name for item in one.items] for page in found for one in page.devices
    }


def test_a_full_item(tactical: TacticalRmm) -> None:
    (page,) = pages(tactical, json.dumps([row(2, FULL)]).encode())
    (told,) = page.devices
    assert told.external_device_id == agent_id(2)
    assert told.items == (
        InstalledSoftware(
            name="7-Zip 19.00 (x64)",
            version="19.00",
            publisher="Igor Pavlov",
            installed_on=date(2019, 6, 9),
            size_bytes=5_452_595,
            location="C:\\Program Files\\7-Zip\\",
        ),
    )


def test_items_with_little_in_them(tactical: TacticalRmm) -> None:
    items = [
        {"name": "Mesh Agent", "version": "Not Found"},
        {"name": None, "version": "1"},
        {"name": "  "},
        {"version": "1"},
        {"name": "Tool", "version": None, "publisher": None, "size": "0 B", "install_date": None},
        {"name": "Old", "install_date": "0001-01-01 00:00:00 +0000 UTC", "size": "big", "new_key": [1]},
    ]
    (page,) = pages(tactical, json.dumps([row(1, *items)]).encode())
    assert page.devices[0].items == (
        InstalledSoftware(name="Mesh Agent", version="Not Found"),
        InstalledSoftware(name="Tool"),
        InstalledSoftware(name="Old"),
    )


@pytest.mark.parametrize(
    "value, expected",
    [
        ("2019-06-09 00:00:00 +0000 UTC", date(2019, 6, 9)),
        ("2024-6-09", date(2024, 6, 9)),
        ("2024-06-091", None),
        ("0001-01-01 00:00:00 +0000 UTC", None),
        ("01-1-01", None),
        ("2024-13-01", None),
        ("2024-02-30", None),
        ("1601-01-01", None),
        ("1990-01-01", date(1990, 1, 1)),
        ("2101-01-01", None),
        ("", None),
        ("None", None),
    ],
)
def test_days(value: str, expected: date | None) -> None:
    assert day(value) == expected


@pytest.mark.parametrize(
    "value, expected",
    [
        ("81.4 MB", 85_354_086),
        ("1.0 kB", 1024),
        ("2 GB", 2 * 1024**3),
        ("1.5 TB", 3 * 1024**4 // 2),
        ("1023 B", 1023),
        ("0 B", None),
        ("", None),
        ("MB", None),
        ("-1 MB", None),
        ("1.2.3 MB", None),
        ("9" * 400 + " EB", None),
    ],
)
def test_sizes(value: str, expected: int | None) -> None:
    assert size_in_bytes(value) == expected


def test_an_empty_list_is_the_agents_word(tactical: TacticalRmm) -> None:
    (page,) = pages(tactical, json.dumps([row(1)]).encode())
    assert names([page]) == {agent_id(1): []}


def test_nobody_has_told_anything(tactical: TacticalRmm) -> None:
    assert pages(tactical, b"[]") == []


def test_an_unreadable_row_tells_nothing_and_is_said(tactical: TacticalRmm) -> None:
    body = [row(1, FULL), row(2, {"name": ["x"]}), {"id": 9, "agent": 3}, row(4, FULL), 7, "x"]
    (page,) = pages(tactical, json.dumps(body).encode())
    assert names([page]) == {agent_id(1): [FULL["name"]], agent_id(4): [FULL["name"]]}
    assert [error.partition(" of the")[0] for error in page.errors] == ["Row 2", "Row 3", "Row 5", "Row 6"]
    assert page.errors[0] == (
        f"Row 2 of the software list (agent {agent_id(2)}) could not be read: "
        "unexpected value at $.software[0].name."
    )


@pytest.mark.parametrize("value", [None, "x", {}])
def test_software_that_is_no_list_is_no_empty_list(tactical: TacticalRmm, value: Any) -> None:
    (page,) = pages(tactical, json.dumps([{"id": 1, "agent": 1, "software": value}]).encode())
    assert page.devices == ()
    assert len(page.errors) == 1


@pytest.mark.parametrize("bad", [b'{"id" 1, "agent": 1, "software": []}', b'{"agent": 1, "software": [}]'])
def test_a_row_that_is_no_json_inside(tactical: TacticalRmm, bad: bytes) -> None:
    (page,) = pages(tactical, b"[" + bad + b', {"id": 2, "agent": 2, "software": []}]')
    assert names([page]) == {agent_id(2): []}
    assert page.errors == ("Row 1 of the software list could not be read: it is not whole JSON.",)


def test_errors_are_bounded(tactical: TacticalRmm) -> None:
    found = pages(tactical, json.dumps([7] * 5000).encode())
    assert sum(len(page.errors) for page in found) == 100


def test_agents_outside_the_id_map_are_counted(tactical: TacticalRmm) -> None:
    (page,) = pages(tactical, json.dumps([row(1, FULL), row(77, FULL), row(78)]).encode())
    assert names([page]) == {agent_id(1): [FULL["name"]]}
    assert page.strangers == 2


def test_an_agent_counts_once(tactical: TacticalRmm) -> None:
    (page,) = pages(tactical, json.dumps([row(1, FULL), row(1)]).encode())
    assert names([page]) == {agent_id(1): [FULL["name"]]}


def test_pages_are_bounded(tactical: TacticalRmm, monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps([row(pk, FULL, FULL) for pk in range(1, 601)]).encode()
    found = pages(tactical, body, agents=600)
    assert [len(page.devices) for page in found] == [250, 250, 100]
    monkeypatch.setattr(software, "PAGE_ITEMS", 20)
    assert [len(page.devices) for page in pages(tactical, body, agents=25)] == [10, 10, 5]
    monkeypatch.setattr(software, "PATIENCE", 0.0)
    body = json.dumps([row(pk, FULL, FULL) for pk in range(1, 4)]).encode()
    assert [len(page.devices) for page in pages(tactical, body, agents=3)] == [1, 1, 1], "each is old at once"


@pytest.mark.parametrize(
    "body, kind",
    [
        (b"<!DOCTYPE html><html></html>", HtmlInsteadOfJson),
        (b'{"detail": "x"}', Misshapen),
        (b'"natsdown"', Misshapen),
        (b"", CutAnswer),
        (b'[{"id": 1, "agent": 1, "software": []}', CutAnswer),
    ],
)
def test_an_answer_of_another_kind(tactical: TacticalRmm, body: bytes, kind: type[BadResponse]) -> None:
    with pytest.raises(kind):
        pages(tactical, body)


def test_what_came_before_a_cut_is_told(tactical: TacticalRmm) -> None:
    rows = [row(pk, *[FULL] * 40) for pk in range(1, 601)]
    body = json.dumps(rows).encode()
    with serve(
        lambda number: (
            answer(body=fleet(600)) if number == 0 else answer(body=body, Content_Length=str(len(body) + 9))
        )
    ) as wire:
        found = tactical.software(connection_to(wire.url))
        told = [len(next(found).devices)]
        with pytest.raises(Unavailable, match="cut off"):
            told += [len(page.devices) for page in found]
    assert told[0] == 250


def test_a_huge_row(tactical: TacticalRmm) -> None:
    huge = row(1, {**FULL, "uninstall": "x" * 9_000_000})
    with pytest.raises(BadResponse, match="larger than"):
        pages(tactical, json.dumps([huge]).encode())


def test_the_simulated_fleet(tactical: TacticalRmm, simulator: Simulator) -> None:
    found = list(tactical.software(simulator.connection()))
    windows = [a for a in simulator.lab.agents() if a.plat == "windows" and a.hardware]
    assert set(names(found)) == {agent.agent_id for agent in windows}
    assert all(items for items in names(found).values())
    assert [line.split("?")[0] for line in simulator.paths()] == ["GET /agents/", "GET /software/"]


@pytest.mark.parametrize("mode", ["cut_body", "dashboard_html", "server_error", "wrong_shape"])
def test_faults(tactical: TacticalRmm, simulator: Simulator, mode: str) -> None:
    simulator.fault(mode, prefix="/software/")
    with pytest.raises((BadResponse, Unavailable)):
        list(tactical.software(simulator.connection()))


def test_a_role_without_the_switch(tactical: TacticalRmm, simulator: Simulator) -> None:
    simulator.fault("forbidden", prefix="/software/")
    with pytest.raises(PermissionMissing, match="can_list_software"):
        list(tactical.software(simulator.connection()))


def test_one_agent(tactical: TacticalRmm, simulator: Simulator) -> None:
    windows = next(a for a in simulator.lab.agents() if a.plat == "windows" and a.hardware)
    linux = next(a for a in simulator.lab.agents() if a.plat == "linux")
    connection = simulator.connection()
    told = tactical.device_software(connection, windows.agent_id)
    bulk = {one.external_device_id: one for page in tactical.software(connection) for one in page.devices}
    assert told == bulk[windows.agent_id]
    nothing = tactical.device_software(connection, linux.agent_id)
    assert nothing is not None
    assert nothing.items == ()


@pytest.mark.parametrize("unknown", ["x" * 40, "short"])
def test_an_unknown_agent(tactical: TacticalRmm, simulator: Simulator, unknown: str) -> None:
    assert tactical.device_software(simulator.connection(), unknown) is None


def test_an_address_that_is_no_api_does_not_speak_of_the_agent(tactical: TacticalRmm) -> None:
    with serve(answer(404, b"<html>", "text/html")) as wire, pytest.raises(NotFound, match="no Tactical RMM"):
        tactical.device_software(connection_to(wire.url), agent_id(1))


def test_one_agents_answer_of_another_shape(tactical: TacticalRmm) -> None:
    for body in (b"[1]", b"7", b'{"agent": 1}'):
        with serve(answer(body=body)) as wire, pytest.raises(Misshapen):
            tactical.device_software(connection_to(wire.url), agent_id(1))


# Recorded from a real server, where the recordings are at hand


def recorded(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())["response"]["json"]


def test_the_recorded_list(tactical: TacticalRmm, recordings: Path) -> None:
    rows = recorded(recordings, "software_bulk")
    (page,) = pages(tactical, json.dumps(rows).encode(), agents=3000)
    assert page.errors == ()
    assert page.strangers == 0
    assert [len(one.items) for one in page.devices] == [len(told["software"]) for told in rows]
    items = [item for one in page.devices for item in one.items]
    assert {item.size_bytes for item in items} == {None, 274_726_912, 5_452_595, 3_040_870}
    assert {item.installed_on for item in items} >= {None, date(2019, 6, 9), date(2020, 5, 28)}


def test_the_recorded_agents(tactical: TacticalRmm, recordings: Path) -> None:
    windows = recorded(recordings, "software_agent_windows")
    with serve(answer(body=json.dumps(windows).encode())) as wire:
        told = tactical.device_software(connection_to(wire.url), agent_id(1))
    assert told is not None
    assert [item.name for item in told.items] == [item["name"] for item in windows["software"]]
    linux = recorded(recordings, "software_agent_linux_empty")
    with serve(answer(body=json.dumps(linux).encode())) as wire:
        told = tactical.device_software(connection_to(wire.url), agent_id(1))
    assert told is not None
    assert told.items == ()


def test_absurd_texts_are_bounded_before_they_are_gathered(tactical: TacticalRmm) -> None:
    long = "x" * 100_000
    item = {"name": long, "version": long, "publisher": long, "location": long, "size": long,
            "install_date": "2019-06-09" + long}  # fmt: skip
    (page,) = pages(tactical, json.dumps([row(1, item)]).encode())
    (told,) = page.devices[0].items
    assert max(map(len, (told.name, told.version, told.publisher, told.location or ""))) == 2000
    assert (told.installed_on, told.size_bytes) == (date(2019, 6, 9), None)


def test_an_agent_with_too_many_programs_is_refused_alone(
    tactical: TacticalRmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(software, "MOST_ITEMS", 2)
    body = json.dumps([row(1, FULL, FULL, FULL), row(2, FULL)]).encode()
    (page,) = pages(tactical, body)
    assert [one.external_device_id for one in page.devices] == [agent_id(2)]
    assert "more than 2 programs" in page.errors[0]
    one = answer(body=json.dumps(row(1, FULL, FULL, FULL)).encode())
    with serve(one) as wire, pytest.raises(Misshapen):
        tactical.device_software(connection_to(wire.url), agent_id(1))
