"""Webhooks that the vendor could not deliver, end to end: the vendor notes it, polling finds the alert."""

from __future__ import annotations

import pytest

from rmm_extension.domain.story import sentences
from rmm_extension.providers.tacticalrmm import TacticalRmm
from tests.harness.world import World
from tests.services.reconcile.conftest import Vendor
from tests.services.working import steps


@pytest.mark.parametrize(
    "code, lost", [(200, False), (202, False), (302, True), (404, True), (500, True), (599, True)]
)
def test_the_answer_that_the_vendor_noted_tells(world: World, vendor: Vendor, code: int, lost: bool) -> None:
    alert_id = vendor.trigger()
    vendor.lab.alerts[int(alert_id)].failure.retcode = code
    vendor.poll()
    assert world.alert(alert_id)["webhook_lost"] is lost
    assert ("webhook_lost" in steps(world, alert_id)) is lost


def test_a_receiver_that_is_away(world: World, vendor: Vendor) -> None:
    """Nobody listens at the address: the vendor sends once, notes 500 and never tries again."""
    vendor.control("webhook", url="http://127.0.0.1:9/hook", secret="s")
    alert_id = vendor.trigger()
    vendor.control("webhook", url="")
    assert vendor.lab.alerts[int(alert_id)].failure.retcode == 500
    vendor.poll()
    assert world.alert(alert_id)["webhook_lost"] is True
    assert len(world.tickets()) == 1


@pytest.mark.parametrize("code, lost", [(200, False), (None, False), (302, True), (500, True)])
def test_a_lost_webhook_of_the_end_is_healed_and_counted(
    world: World, vendor: Vendor, code: int | None, lost: bool
) -> None:
    """``None``: a person resolved it at the vendor, which sends no webhook."""
    vendor.trigger(1)
    alert_id = vendor.trigger(0)
    vendor.poll()
    vendor.resolve(alert_id)
    vendor.lab.alerts[int(alert_id)].recovery.retcode = code
    vendor.poll()
    alert = world.alert(alert_id)
    assert (alert["status"], alert["webhook_lost"]) == ("auto_resolved", lost)
    ending = ["vanished", "ticket_closed"]
    assert (
        steps(world, alert_id)[-3:] == [*ending, "webhook_lost"]
        if lost
        else steps(world, alert_id)[-2:] == ending
    )
    (row,) = world.rows(
        "SELECT steps FROM rmm_alert_events WHERE alert_id = :id ORDER BY id DESC LIMIT 1", id=alert["id"]
    )
    told = "The webhook of its end was lost: by its own record Tactical RMM could not deliver it."
    assert (told in sentences(row["steps"])) is lost


def test_the_beginning_does_not_speak_for_the_end(world: World, vendor: Vendor) -> None:
    """By the vendor's record that of the beginning failed, that of the end was delivered."""
    vendor.trigger(1)
    alert_id = vendor.trigger(0)
    vendor.poll()
    vendor.lab.alerts[int(alert_id)].failure.retcode = 500
    vendor.resolve(alert_id)
    vendor.lab.alerts[int(alert_id)].recovery.retcode = 200
    vendor.poll()
    assert world.alert(alert_id)["webhook_lost"] is False


def test_without_a_webhook_nobody_is_asked_about_the_end(world: World, vendor: Vendor) -> None:
    world.do("UPDATE rmm_integrations SET webhook_enabled = FALSE")
    vendor.trigger(1)
    alert_id = vendor.trigger(0)
    vendor.poll()
    vendor.resolve(alert_id)
    vendor.lab.alerts[int(alert_id)].recovery.retcode = 500
    vendor.poll()
    alert = world.alert(alert_id)
    assert (alert["status"], alert["webhook_lost"]) == ("auto_resolved", False)
    assert not any(entry["path"] == f"/alerts/{alert_id}/" for entry in vendor.lab.requests)


def test_a_vendor_that_does_not_answer_is_asked_once_and_the_list_counts(
    world: World, vendor: Vendor
) -> None:
    vendor.trigger(0)
    gone = [vendor.trigger(agent) for agent in (1, 2, 3)]
    vendor.poll()
    for alert_id in gone:
        vendor.resolve(alert_id)
        vendor.fault("server_error", prefix=f"/alerts/{alert_id}/")
    assert vendor.poll()["counts"] == {"processed": 1, "resolved": 3}
    singly = {entry["path"] for entry in vendor.lab.requests if entry["path"] != "/alerts/"}
    assert len(singly & {f"/alerts/{alert_id}/" for alert_id in gone}) == 1


def test_an_alert_that_is_open_by_its_own_record_is_not_ended(
    world: World, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list was read while it changed."""
    vendor.trigger(0)
    alert_id = vendor.trigger(1)
    vendor.poll()
    everything = TacticalRmm.active_alerts
    without = lambda *args: [one for one in everything(*args) if one.external_id != alert_id]  # noqa: E731
    monkeypatch.setattr(TacticalRmm, "active_alerts", without)
    vendor.poll()
    assert world.alert(alert_id)["status"] == "active"
