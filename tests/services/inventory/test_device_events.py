"""What is told of devices: only what changed, one statement a page, and only if somebody listens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, text

from rmm_extension import signals
from rmm_extension.domain.contracts.events import check
from rmm_extension.domain.types import AgentStatus
from rmm_extension.host import Actor
from rmm_extension.models import Outbox
from rmm_extension.services import relay
from rmm_extension.services.inventory import confirm_missing, page, refresh_device
from rmm_extension.services.inventory.device_events import MANY, TOPIC
from rmm_extension.services.unit import unit

from .conftest import World, device

ADA = Actor("ada", "Ada", "t1")
OFF, OVERDUE, ON, UNKNOWN = AgentStatus.OFFLINE, AgentStatus.OVERDUE, AgentStatus.ONLINE, AgentStatus.UNKNOWN


def noted(world: World) -> dict[str, list[str]]:
    """The devices of each event so far, by their ids at the vendor; forgets them."""
    names = {str(row.id): external for external, row in world.devices().items()}
    found: dict[str, list[str]] = {}
    for row in world.events(TOPIC):
        found.setdefault(row["name"].removeprefix("device_"), []).extend(names[one] for one in row["ids"])
    with unit(world.rmm) as session:
        session.execute(delete(Outbox))
    return {name: sorted(devices) for name, devices in found.items()}


@pytest.fixture
def fleet(world: World) -> World:
    """Three devices, told already."""
    world.map()
    world.script.devices = [device("d1"), device("d2"), device("d3", status=OFF)]
    world.sync()
    assert noted(world) == {"created": ["d1", "d2", "d3"]}
    return world


def test_what_is_as_it_was_tells_nothing(fleet: World) -> None:
    fleet.sync()
    fleet.script.replace("d1", last_seen_at=device("d1").last_seen_at.replace(hour=13))  # type: ignore[union-attr]
    fleet.sync()
    assert noted(fleet) == {}


def test_a_change_is_told_of_the_one_that_changed(fleet: World) -> None:
    fleet.script.replace("d2", lan_ip="10.0.0.9")
    fleet.sync()
    assert noted(fleet) == {"updated": ["d2"]}


@pytest.mark.parametrize(
    "before, after, told",
    [
        (ON, OFF, "offline"),
        (ON, OVERDUE, "offline"),
        (UNKNOWN, OVERDUE, "offline"),
        (OFF, ON, "online"),
        (OVERDUE, ON, "online"),
        (UNKNOWN, ON, "online"),
        (OFF, OVERDUE, None),
        (OVERDUE, OFF, None),
        (ON, UNKNOWN, None),
        (OFF, UNKNOWN, None),
    ],
)
def test_going_on_and_off(fleet: World, before: AgentStatus, after: AgentStatus, told: str | None) -> None:
    fleet.script.replace("d1", status=before)
    fleet.sync()
    noted(fleet)
    fleet.script.replace("d1", status=after)
    fleet.sync()
    assert noted(fleet) == {"updated": ["d1"], **({told: ["d1"]} if told else {})}


def test_a_device_fetched_alone_is_told_of_too(fleet: World) -> None:
    fleet.script.replace("d1", status=OFF)
    run = fleet.run("device_refresh", external_id="d1")
    refresh_device(fleet.rmm, run)
    assert noted(fleet) == {"updated": ["d1"], "offline": ["d1"]}


def test_what_is_gone_for_good_is_told_once_and_its_return_is_a_change(world: World) -> None:
    chosen = world.connect(settings={"deletionPolicy": "mark_inactive"})
    chosen.map()
    chosen.script.devices = [device(f"d{n}") for n in range(5)]
    chosen.sync()
    noted(chosen)
    chosen.script.drop("d1")
    chosen.sync()
    assert noted(chosen) == {}, "missing once proves nothing"
    chosen.sync()
    assert noted(chosen) == {"deleted": ["d1"]}
    chosen.sync()
    assert noted(chosen) == {}
    chosen.script.devices.append(device("d1"))
    chosen.sync()
    assert noted(chosen) == {"updated": ["d1"]}


def test_a_persons_yes_is_told(world: World) -> None:
    chosen = world.connect(settings={"deletionPolicy": "mark_inactive"})
    mapping = chosen.map()
    chosen.script.devices = [device("d1"), device("d2")]
    chosen.sync()
    chosen.script.drop("d1")
    chosen.sync()
    chosen.sync()
    noted(chosen)
    with unit(world.rmm) as session:
        assert confirm_missing(world.rmm, session, ADA, mapping) == 1
    assert noted(chosen) == {"deleted": ["d1"]}


def test_a_page_that_is_written_again_tells_once(fleet: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first attempt told goes with its transaction."""
    moves, failed = page._move_last_seen, []

    def overtaken_once(*args: Any) -> None:
        moves(*args)
        if not failed:
            failed.append(True)
            raise page.Overtaken

    monkeypatch.setattr(page, "_move_last_seen", overtaken_once)
    fleet.script.replace("d2", lan_ip="10.0.0.9")
    fleet.sync()
    assert failed
    assert noted(fleet) == {"updated": ["d2"]}


@pytest.mark.parametrize("number", [2, 40])
def test_the_cost_of_a_page_does_not_depend_on_its_devices(
    world: World, statement_counter: Any, number: int
) -> None:
    world.map()
    world.script.devices = [device(f"d{n}") for n in range(number)]
    world.sync()
    for at in range(number):
        world.script.replace(f"d{at}", status=OFF if at % 2 else OVERDUE)
    with statement_counter() as sent:
        world.sync()
    assert sum("rmm_outbox" in statement for statement in sent.statements) == 3
    assert len(noted(world)["offline"]) == number


def test_many_devices_share_a_few_rows(world: World) -> None:
    world.map()
    world.script.devices = [device(f"d{n:04}") for n in range(MANY + 1)]
    world.script.page_size = MANY + 1
    world.sync()
    rows = [len(row["ids"]) for row in world.events(TOPIC)]
    assert rows == [MANY, 1]


@pytest.fixture
def listening() -> Iterator[list[Any]]:
    """A receiver of two of the signals."""
    heard: list[Any] = []

    def receiver(app: Any, tenant_id: str, payload: dict[str, Any]) -> None:
        heard.append(payload)

    for signal in (signals.device_created, signals.device_deleted):
        signal.connect(receiver)
    yield heard
    for signal in (signals.device_created, signals.device_deleted):
        signal.disconnect(receiver)


def relayed(world: World) -> list[tuple[str, dict[str, Any]]]:
    """Deal with the outbox; the events that are ready to be sent, each held against its contract."""
    sent = []
    while messages := relay.claim(world.rmm):
        for message in messages:
            if relay.is_signal(message):
                check(message.payload["name"], message.payload["payload"])
                sent.append((message.payload["name"], message.payload["payload"]))
                relay.settle(world.rmm, [message])
            else:
                assert relay.deliver(world.rmm, message)
    return [one for one in sent if one[0].startswith("device_")]


def test_each_device_is_told_as_it_is(fleet: World, listening: list[Any]) -> None:
    fleet.script.devices.append(device("d4", serial=None, last_seen_at=None))
    fleet.sync()
    ((name, payload),) = relayed(fleet)
    row = fleet.device("d4")
    assert (name, payload) == (
        "device_created",
        {
            "tenantId": "t1",
            "integrationId": str(fleet.integration_id),
            "provider": "fake",
            "deviceId": str(row.id),
            "externalDeviceId": "d4",
            "externalOrganizationId": "1",
            "name": "D4",
            "kind": "workstation",
            "status": "online",
            "assetId": row.asset_id,
            "clientId": "acme",
        },
    )


def test_a_deletion_says_when(world: World, listening: list[Any]) -> None:
    chosen = world.connect(settings={"deletionPolicy": "mark_inactive"})
    chosen.map()
    chosen.script.devices = [device(f"d{n}") for n in range(5)]
    chosen.sync()
    relayed(chosen)
    chosen.script.drop("d1")
    chosen.sync()
    chosen.sync()
    ((name, payload),) = relayed(chosen)
    assert name == "device_deleted"
    assert payload["deletedAt"] == chosen.device("d1").deleted_at.isoformat()  # type: ignore[union-attr]


def test_what_nobody_listens_to_is_dropped(fleet: World, listening: list[Any]) -> None:
    fleet.script.replace("d1", status=OFF)
    fleet.sync()
    assert relayed(fleet) == []
    assert fleet.events() == fleet.events(TOPIC) == []


def test_a_consumer_of_events_hears_everything(fleet: World) -> None:
    heard: list[tuple[str, str]] = []

    def consumer(rmm: Any, session: Any, tenant_id: str, name: str, payload: dict[str, Any]) -> None:
        heard.append((name, payload.get("externalDeviceId", "")))

    relay.EVENT_CONSUMERS.append(relay.Consumer(consumer))
    try:
        fleet.script.replace("d1", status=OFF)
        fleet.sync()
        relayed(fleet)
    finally:
        relay.EVENT_CONSUMERS.remove(relay.Consumer(consumer))
    assert [one for one in heard if one[1]] == [("device_updated", "d1"), ("device_offline", "d1")]


def test_a_device_that_is_gone_by_then_is_no_error(fleet: World, listening: list[Any]) -> None:
    fleet.script.devices.append(device("d4"))
    fleet.sync()
    with unit(fleet.rmm) as session:
        session.execute(text("DELETE FROM rmm_devices"))
    assert relayed(fleet) == []


def test_a_page_without_devices_tells_nothing(world: World) -> None:
    world.map()
    world.sync()
    assert world.events(TOPIC) == []
