"""Asking the vendor to do something with an alert, from the alert's page, with what comes of it in place."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest

from rmm_extension.domain.contracts.actions import alert_field
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Severity
from rmm_extension.models import new_id, utc_now
from rmm_extension.services.actions import registry
from rmm_extension.services.webhooks import take
from simulators.ninjaone.conditions import trigger
from tests.conftest import world
from tests.harness.ninjaone_connection import NinjaConnection, ninja, server
from tests.harness.world import World
from tests.services.actions.test_ninjaone import known, machines
from tests.services.working import work

from .acting import ask, asked_here
from .conftest import said
from .test_alert_actions import browser

__all__ = ["ninja", "server", "world"]

RESET = "ninjaone.alerts.reset"


@pytest.fixture
def alert(ninja: NinjaConnection) -> UUID:
    """An alert that is open at the vendor and here."""
    (device,) = machines(ninja, 1)
    known(ninja, device)
    ninja.lab.settings.change(deliveries="manual")
    with ninja.lab.lock:
        fired = trigger(ninja.lab, device)
    assert fired is not None
    event = AlertEvent(
        kind=AlertKind.TRIGGERED,
        external_id=fired.uid,
        occurred_at=utc_now() - timedelta(minutes=2),
        severity=Severity.MAJOR,
        external_device_id=str(device.id),
        condition="c",
    )
    with ninja.world.app.app_context():
        take(ninja.world.rmm, ninja.world.tenant, ninja.integration_id, event, Channel.POLL)
    return UUID(str(ninja.world.one("SELECT id FROM rmm_alerts WHERE external_id = :id", id=fired.uid)))


def test_the_reset_is_asked_for_and_told_in_place(ninja: NinjaConnection, world: World, alert: UUID) -> None:
    client = browser(world)
    address = f"/rmm/alerts/{alert}"
    assert "Reset alert in NinjaOne…" in said(client.get(address))
    form = client.get(f"{address}/run/{RESET}")
    assert "Reset this alert in NinjaOne?" in said(form)
    key = re.search(r'name="key" value="([^"]+)"', form.text)
    assert key is not None
    for _ in range(2):
        answer = client.post(f"{address}/run/{RESET}", data={"key": key[1]})
        assert answer.status_code == 303
    (asked,) = world.rows("SELECT * FROM rmm_action_invocations")
    page = client.get(answer.location)
    assert answer.location == f"{address}?rmm_asked={asked['id']}#rmm-asked"
    assert "Reset alert" in asked_here(page.text)
    assert "Waiting" in asked_here(page.text)
    follow = f"/rmm/actions/{asked['id']}/state?back=alert:{alert}"
    assert f'data-rmm-poll="{follow}"' in page.text
    work(world, "device_action")
    assert "Done" in said(client.get(follow))
    assert "Done" in asked_here(client.get(answer.location).text)
    assert ninja.lab.active_alerts() == []
    text = said(client.get(address))
    assert "Reset alert in NinjaOne" not in text, "it is over"
    assert "Resolved" in text


def test_who_may_not_is_offered_nothing_and_refused(
    ninja: NinjaConnection, world: World, alert: UUID
) -> None:
    client = browser(world, "viewer")
    assert "Reset alert" not in said(client.get(f"/rmm/alerts/{alert}"))
    assert client.get(f"/rmm/alerts/{alert}/run/{RESET}").status_code == 403
    assert client.post(f"/rmm/alerts/{alert}/run/{RESET}", data={"key": "k"}).status_code == 403
    assert world.rows("SELECT * FROM rmm_action_invocations") == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rmm_alerts SET status = 'resolved'",
        "UPDATE rmm_alerts SET synthesized = true",
        "UPDATE rmm_integrations SET state = 'paused' WHERE provider = 'ninjaone'",
    ],
)
def test_where_the_vendor_cannot_do_it_there_is_nothing_to_ask(
    ninja: NinjaConnection, world: World, alert: UUID, change: str
) -> None:
    world.do(change)
    client = browser(world)
    assert "Reset alert" not in said(client.get(f"/rmm/alerts/{alert}"))
    assert client.post(f"/rmm/alerts/{alert}/run/{RESET}", data={"key": "k"}).status_code == 404


def test_an_action_that_is_about_no_alert_is_not_to_be_had_here(
    ninja: NinjaConnection, world: World, alert: UUID
) -> None:
    client = browser(world)
    for action in ("ninjaone.devices.reboot", "ninjaone.alerts.get", "nothing.of.this"):
        assert client.get(f"/rmm/alerts/{alert}/run/{action}").status_code == 404, action


def test_an_action_on_another_alert_is_not_shown_here(
    ninja: NinjaConnection, world: World, alert: UUID
) -> None:
    client = browser(world)
    client.post(f"/rmm/alerts/{alert}/run/{RESET}", data={"key": "k"})
    asked = world.one("SELECT id FROM rmm_action_invocations")
    world.do("UPDATE rmm_alerts SET external_id = 'another'")
    for one in (asked, new_id(), "nonsense"):
        assert asked_here(client.get(f"/rmm/alerts/{alert}?rmm_asked={one}").text) == ""


def test_an_alert_of_a_device_offers_what_may_be_done_with_the_device(
    ninja: NinjaConnection, world: World, alert: UUID
) -> None:
    device = world.one("SELECT device_id FROM rmm_alerts WHERE id = :id", id=alert)
    client = browser(world)
    page = client.get(f"/rmm/alerts/{alert}").text
    assert f'href="/rmm/run?ids={device}&amp;back=alert:{alert}"' in page
    answer = ask(client, "ninjaone.devices.reboot", device, back=f"alert:{alert}", in_mode="NORMAL")
    assert answer.location.startswith(f"/rmm/alerts/{alert}?rmm_asked=")
    page = client.get(answer.location).text
    assert "Reboot" in asked_here(page)
    assert "Actions on this device" in page


def test_what_came_of_it_is_read_by_whoever_may_do_it(
    ninja: NinjaConnection, world: World, alert: UUID
) -> None:
    client = browser(world)
    client.post(f"/rmm/alerts/{alert}/run/{RESET}", data={"key": "k"})
    asked = world.one("SELECT id FROM rmm_action_invocations")
    viewer = browser(world, "viewer")
    assert client.get(f"/rmm/actions/{asked}/state").status_code == 200
    assert viewer.get(f"/rmm/actions/{asked}/state").status_code == 403
    assert asked_here(viewer.get(f"/rmm/alerts/{alert}?rmm_asked={asked}").text) == ""


def test_every_vendor_names_the_input_that_takes_an_alert(world: World) -> None:
    specs = registry.all_actions(world.rmm)
    assert {one.id: alert_field(one) for one in specs if one.side_effects and alert_field(one)} == {
        "ninjaone.alerts.reset": "alert_uid",
        "levelio.alerts.resolve": "alert_id",
        "huntress.incidents.resolve": "incident_id",
    }
