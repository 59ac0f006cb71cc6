"""Webhooks that the vendor could not deliver, end to end: the vendor notes it, polling finds the alert."""

from __future__ import annotations

import pytest

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
