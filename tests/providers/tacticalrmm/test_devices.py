"""Walking a fleet, over HTTP against the simulated server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from rmm_extension.domain.errors import AuthFailed, ConfigError, PermissionMissing, ProviderError, Unavailable
from rmm_extension.domain.types import Connection, Device, DevicePage
from rmm_extension.providers.tacticalrmm import TacticalRmm, inventory
from rmm_extension.providers.tacticalrmm.client import BetaOff
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.lab import ScheduledDrift
from tests.providers.conftest import Simulator, connection_to
from tests.providers.wire import answer, serve


def everything(
    tactical: TacticalRmm, connection: Connection, *, full: bool = False
) -> tuple[list[Device], list[DevicePage]]:
    ids = [found.external_id for found in tactical.organizations(connection)]
    return collect(tactical, connection, ids, full=full)


def collect(
    tactical: TacticalRmm, connection: Connection, ids: Sequence[str], *, full: bool = False
) -> tuple[list[Device], list[DevicePage]]:
    pages = list(tactical.devices(connection, ids, full=full))
    return [device for page in pages for device in page.devices], pages


def completed(pages: list[DevicePage]) -> set[str]:
    return {found for page in pages for found in page.completed_organizations}


def test_organizations_with_their_sites(simulator: Simulator, tactical: TacticalRmm) -> None:
    found = tactical.organizations(simulator.connection())
    assert {(one.external_id, one.name) for one in found} == {
        (str(one.id), one.name) for one in simulator.lab.fleet.clients.values()
    }
    assert sum(one.metadata["agent_count"] for one in found) == 40
    assert all(
        site.keys() == {"id", "name", "agent_count"} for one in found for site in one.metadata["sites"]
    )


def test_a_routine_run_reads_the_standard_lists_only(simulator: Simulator, tactical: TacticalRmm) -> None:
    devices, pages = everything(tactical, simulator.connection())
    assert len(devices) == 40
    assert len(completed(pages)) == 4
    assert {page.total for page in pages} == {40}
    assert all(device.hardware is None for device in devices)
    assert not any("/beta/" in path for path in simulator.paths())
    assert "GET /agents/?" not in simulator.paths()


def test_devices_are_as_the_server_has_them(simulator: Simulator, tactical: TacticalRmm) -> None:
    devices, _ = everything(tactical, simulator.connection())
    for device in devices:
        agent = simulator.lab.agent(device.external_id)
        assert device.name == agent.hostname
        assert device.status == simulator.lab.status(agent)
        assert device.external_organization_id == str(simulator.lab.client_of(agent).id)
        assert device.location == simulator.lab.site_of(agent).name


def test_a_full_run_adds_hardware(simulator: Simulator, tactical: TacticalRmm) -> None:
    routine, _ = everything(tactical, simulator.connection())
    devices, pages = everything(tactical, simulator.connection(), full=True)
    assert len(completed(pages)) == 4
    assert all(device.hardware and device.offline_after_minutes is not None for device in devices)
    assert any(device.hardware.memory_gb for device in devices if device.hardware)
    assert any(device.hardware.macs for device in devices if device.hardware)
    serials = {device.external_id: device.serial for device in routine}
    assert {device.external_id: device.serial for device in devices} == serials


def test_without_the_beta_api_a_full_run_leaves_hardware_out(
    start: Callable[..., Simulator], tactical: TacticalRmm
) -> None:
    simulator = start(beta_enabled=False)
    devices, pages = everything(tactical, simulator.connection(), full=True)
    assert (len(devices), len(completed(pages))) == (40, 4)
    assert all(device.hardware is None for device in devices)
    assert not any(page.errors for page in pages)
    assert sum("/beta/" in path for path in simulator.paths()) == 1


def test_source_standard_never_looks_at_beta(simulator: Simulator, tactical: TacticalRmm) -> None:
    everything(tactical, simulator.connection(source="standard"), full=True)
    assert not any("/beta/" in path for path in simulator.paths())


def test_source_beta_computes_what_the_list_lacks(simulator: Simulator, tactical: TacticalRmm) -> None:
    standard = {one.external_id: one for one in everything(tactical, simulator.connection())[0]}
    devices, pages = everything(tactical, simulator.connection(source="beta"))
    assert len(completed(pages)) == 4
    for device in devices:
        other = standard[device.external_id]
        assert (device.status, device.serial, device.location, device.kind) == (
            other.status,
            other.serial,
            other.location,
            other.kind,
        )


def test_source_beta_fails_in_words_when_it_is_off(
    start: Callable[..., Simulator], tactical: TacticalRmm
) -> None:
    simulator = start(beta_enabled=False)
    with pytest.raises(BetaOff, match="BETA_API_ENABLED"):
        list(tactical.devices(simulator.connection(source="beta"), ["1"], full=False))


def test_a_row_lost_to_page_drift_never_makes_an_organization_complete(
    simulator: Simulator, tactical: TacticalRmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory.Options, "of", classmethod(lambda cls, settings: cls("beta", 3)))
    client = max(simulator.lab.fleet.clients, key=lambda pk: _count(simulator, pk))
    first = min(
        (one for one in simulator.lab.agents() if simulator.lab.client_of(one).id == client),
        key=lambda one: one.pk,
    )
    # After the first page its first row goes, and the first row of the second page moves onto it.
    simulator.lab.scheduled.append(ScheduledDrift("/beta/v1/agent/", 1, first.agent_id))
    devices, pages = collect(tactical, simulator.connection(source="beta"), [str(client)])
    assert len(devices) == _count(simulator, client)
    assert completed(pages) == set()


def _count(simulator: Simulator, client: int) -> int:
    return sum(simulator.lab.client_of(one).id == client for one in simulator.lab.agents())


def test_a_fleet_that_shrinks_under_the_crawl_ends_it_quietly(
    simulator: Simulator, tactical: TacticalRmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory.Options, "of", classmethod(lambda cls, settings: cls("auto", 1)))
    client = max(simulator.lab.fleet.clients, key=lambda pk: _count(simulator, pk))
    victim = next(one for one in simulator.lab.agents() if simulator.lab.client_of(one).id == client)
    simulator.lab.scheduled.append(ScheduledDrift("/beta/v1/agent/", 1, victim.agent_id))
    devices, pages = collect(tactical, simulator.connection(), [str(client)], full=True)
    assert completed(pages) == {str(client)}
    assert not any(page.errors for page in pages)
    # One device went without its hardware facts; none went missing.
    assert sum(device.hardware is None for device in devices) == 1


def test_a_large_client_is_read_site_by_site(
    simulator: Simulator, tactical: TacticalRmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "LARGE_CLIENT", 2)
    devices, pages = everything(tactical, simulator.connection(), full=True)
    assert (len(devices), len(completed(pages))) == (40, 4)
    assert any("GET /agents/?site=" in path for path in simulator.paths())
    assert any("site=" in path for path in simulator.paths() if "/beta/" in path)


def test_pages_are_bounded_and_small_clients_share_one(
    simulator: Simulator, tactical: TacticalRmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, pages = everything(tactical, simulator.connection())
    assert [len(page.devices) for page in pages] == [40]
    monkeypatch.setattr(inventory, "PAGE", 7)
    devices, pages = everything(tactical, simulator.connection())
    assert [len(page.devices) for page in pages] == [7, 7, 7, 7, 7, 5]
    assert len({device.external_id for device in devices}) == 40
    _each_is_complete_only_when_all_came(pages)


def test_a_slow_server_s_pages_go_out_before_they_are_full(
    simulator: Simulator, tactical: TacticalRmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "PATIENCE", 0.0)
    devices, pages = everything(tactical, simulator.connection())
    assert [len(page.completed_organizations) for page in pages] == [1, 1, 1, 1]
    assert len({device.external_id for device in devices}) == 40
    _each_is_complete_only_when_all_came(pages)


def _each_is_complete_only_when_all_came(pages: list[DevicePage]) -> None:
    done: set[str] = set()
    for page in pages:
        assert not done & {device.external_organization_id for device in page.devices}
        done |= set(page.completed_organizations)
    assert len(done) == 4


def test_an_unknown_client_is_an_error_and_not_complete(simulator: Simulator, tactical: TacticalRmm) -> None:
    devices, pages = collect(tactical, simulator.connection(), ["999"])
    assert devices == []
    assert completed(pages) == set()
    assert "999" in pages[0].errors[0]


def test_a_scoped_key_sees_its_own_clients_only(simulator: Simulator, tactical: TacticalRmm) -> None:
    connection = simulator.connection(keys.SCOPED_KEY)
    assert [one.external_id for one in tactical.organizations(connection)] == ["1"]
    devices, pages = collect(tactical, connection, ["1", "2"], full=True)
    assert {device.external_organization_id for device in devices} == {"1"}
    assert completed(pages) == {"1"}


def test_an_error_comes_after_what_was_read(simulator: Simulator, tactical: TacticalRmm) -> None:
    ids = [one.external_id for one in tactical.organizations(simulator.connection())]
    first = ids[0]
    original = simulator.lab.misbehaviours.take
    seen = []

    def take(path: str) -> object:
        if path == "/agents/":
            seen.append(path)
            if len(seen) == 3:  # the id map, the first client, then this one
                simulator.fault("server_error", prefix="/agents/", count=1)
        return original(path)

    simulator.lab.misbehaviours.take = take  # type: ignore[assignment, method-assign]
    pages: list[DevicePage] = []
    with pytest.raises(Unavailable):
        pages.extend(tactical.devices(simulator.connection(), ids, full=False))
    assert completed(pages) == {first}


def test_hardware_trouble_is_told_and_costs_only_the_hardware(
    simulator: Simulator, tactical: TacticalRmm
) -> None:
    simulator.fault("server_error", prefix="/beta/")
    devices, pages = everything(tactical, simulator.connection(), full=True)
    assert (len(devices), len(completed(pages))) == (40, 4)
    assert [error for page in pages for error in page.errors if "Hardware facts" in error]


@pytest.mark.parametrize(
    "mode, kind",
    [("unauthorized", AuthFailed), ("forbidden", PermissionMissing), ("cut_body", Unavailable)],
)
def test_faults_of_the_listing_are_errors(
    simulator: Simulator, tactical: TacticalRmm, mode: str, kind: type[ProviderError]
) -> None:
    simulator.fault(mode, prefix="/agents/")
    with pytest.raises(kind):
        list(tactical.devices(simulator.connection(), ["1"], full=False))


def fake(rows: bytes) -> Callable[[int], bytes]:
    bodies = [
        b'[{"id": 1, "name": "One", "agent_count": 2, "sites": []}]',
        b'[{"id": 1, "agent_id": "A1", "client": "One"}, {"id": 2, "agent_id": "A2", "client": "One"}]',
        b"[]",
        rows,
    ]
    return lambda number: answer(body=bodies[number])


def test_a_bad_row_is_a_sentence_and_the_listing_incomplete(tactical: TacticalRmm) -> None:
    with serve(fake(b'[{"agent_id": "A1", "hostname": "a"}, {"agent_id": "A2", "hostname": {}}, 7]')) as wire:
        devices, pages = collect(tactical, connection_to(wire.url), ["1"])
    assert [device.external_id for device in devices] == ["A1"]
    assert pages[0].errors == (
        "Row 2 of the list (agent A2) could not be read: unexpected value at $.hostname.",
        "Row 3 of the list could not be read: unexpected value at $.",
    )
    assert completed(pages) == set()


def test_a_number_where_a_text_should_be_is_read_all_the_same(tactical: TacticalRmm) -> None:
    with serve(
        fake(b'[{"agent_id": "A1", "needs_reboot": "true"}, {"agent_id": "A2", "boot_time": "5"}]')
    ) as wire:
        devices, pages = collect(tactical, connection_to(wire.url), ["1"])
    assert (len(devices), completed(pages)) == (2, {"1"})


def test_a_list_that_came_short_is_not_complete(tactical: TacticalRmm) -> None:
    with serve(fake(b"[]")) as wire:
        devices, pages = collect(tactical, connection_to(wire.url), ["1"])
    assert devices == []
    assert completed(pages) == set()


def test_stopping_early_leaves_no_thread(
    simulator: Simulator, tactical: TacticalRmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "PAGE", 5)
    ids = [one.external_id for one in tactical.organizations(simulator.connection())]
    stream = tactical.devices(simulator.connection(), ids, full=True)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rmm-prefetch")]


def test_one_device(simulator: Simulator, tactical: TacticalRmm) -> None:
    for listed in everything(tactical, simulator.connection())[0]:
        device = tactical.device(simulator.connection(), listed.external_id)
        assert device is not None
        for name in (
            "name",
            "status",
            "kind",
            "location",
            "current_user",
            "external_organization_id",
            "custom_fields",
            "lan_ip",
        ):
            assert getattr(device, name) == getattr(listed, name), name
        assert device.hardware is not None


@pytest.mark.parametrize("agent_id", ["Z" * 40, "short", "../clients", "a/b"])
def test_a_device_that_is_not_there(simulator: Simulator, tactical: TacticalRmm, agent_id: str) -> None:
    assert tactical.device(simulator.connection(), agent_id) is None


def test_a_wrong_host_does_not_say_that_a_device_is_gone(simulator: Simulator, tactical: TacticalRmm) -> None:
    simulator.fault("not_found_html", prefix="/agents/")
    with pytest.raises(ProviderError):
        tactical.device(simulator.connection(), "Z" * 40)


@pytest.mark.parametrize(
    "connection, words",
    [
        (connection_to("https://x", ""), "key is missing"),
        (connection_to("https://x", "ä" * 32), "characters"),
        (connection_to(""), "address"),
    ],
)
def test_what_is_missing_is_said(tactical: TacticalRmm, connection: Connection, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        tactical.organizations(connection)
