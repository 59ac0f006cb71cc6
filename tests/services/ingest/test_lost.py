"""Lost webhooks: by the vendor's own record, or because polling saw the alert first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rmm_extension.domain.story import sentences
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel
from rmm_extension.models import utc_now
from rmm_extension.services.webhooks import take
from tests.harness.world import AGENT, World
from tests.services.working import steps

HOUR = timedelta(hours=1)


def reported(world: World, began: datetime, channel: Channel = Channel.POLL, **values: Any) -> dict[str, Any]:
    event = AlertEvent(
        kind=AlertKind.TRIGGERED,
        external_id="524",
        occurred_at=began,
        external_device_id=AGENT,
        external_organization_id="1",
        condition="check:202",
        **values,
    )
    with world.app.app_context():
        take(world.rmm, world.tenant, world.integration_id, event, channel)
    return world.alert()


def webhook_since(world: World, since: datetime | None, *, on: bool = True) -> None:
    world.do("UPDATE rmm_integrations SET webhook_since = :since, webhook_enabled = :on", since=since, on=on)


@pytest.mark.parametrize(
    "since, began, on, lost",
    [
        (2 * HOUR, HOUR, True, True),
        (HOUR, 2 * HOUR, True, False),
        (2 * HOUR, timedelta(seconds=30), True, False),
        (2 * HOUR, HOUR, False, False),
        (None, HOUR, True, False),
    ],
    ids=["missing", "began before it was on", "perhaps on its way", "switched off", "unknown since when"],
)
def test_what_polling_sees_first(
    world: World, since: timedelta | None, began: timedelta, on: bool, lost: bool
) -> None:
    now = utc_now()
    webhook_since(world, None if since is None else now - since, on=on)
    alert = reported(world, now - began)
    assert alert["webhook_lost"] is lost
    assert ("webhook_lost" in steps(world)) is lost
    assert len(world.tickets()) == 1


def test_the_vendors_own_record_counts_at_once(world: World) -> None:
    alert = reported(world, utc_now(), delivery_failed=True)
    assert alert["webhook_lost"] is True
    (row,) = world.rows("SELECT steps FROM rmm_alert_events")
    told = (
        "Its webhook was lost: by its own record Tactical RMM could not deliver it. Polling found the alert."
    )
    assert told in sentences(row["steps"])


def test_nothing_is_lost_that_arrived(world: World) -> None:
    """A delivery that we answered too late counts as failed at the vendor, yet it was taken."""
    webhook_since(world, utc_now() - 2 * HOUR)
    reported(world, utc_now() - HOUR, Channel.WEBHOOK)
    assert reported(world, utc_now() - HOUR, delivery_failed=True)["webhook_lost"] is False


def test_without_a_webhook_nothing_can_be_lost(world: World) -> None:
    webhook_since(world, None, on=False)
    assert reported(world, utc_now(), delivery_failed=True)["webhook_lost"] is False


def test_the_next_episode_is_judged_anew(world: World) -> None:
    webhook_since(world, utc_now() - 3 * HOUR)
    assert reported(world, utc_now() - 2 * HOUR)["webhook_lost"] is True
    world.do("UPDATE rmm_alerts SET status = 'resolved'")
    assert reported(world, utc_now() - HOUR, Channel.WEBHOOK)["webhook_lost"] is False
