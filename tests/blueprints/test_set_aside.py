"""A vendor whose alerts are followed: how often, what is set aside, and what a person does about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from rmm_extension.models import Integration, SetAsideAlert, utc_now
from rmm_extension.services.unit import unit

from .conftest import World, said


def set_aside(world: World, connection: UUID, external_id: str = "4711", **more: Any) -> UUID:
    at = utc_now() - timedelta(minutes=3)
    row = {"external_id": external_id, "reason": "Its <b>severity</b> is “purple”.", "attempts": 2}
    row |= {"integration_id": connection, "first_at": at, "last_at": at, "due_at": None}
    return world.insert(SetAsideAlert, [row | more])[0]


def followed(world: World, name: str = "SOC") -> UUID:
    return world.connect(name, provider="followed")


def stored(world: World, set_aside_id: UUID) -> SetAsideAlert:
    with world.app.app_context(), unit(world.rmm) as session:
        row = session.get_one(SetAsideAlert, ("one", set_aside_id))
        session.expunge(row)
        return row


class TestAttention:
    def test_each_says_what_why_and_when(self, world: World) -> None:
        connection = followed(world)
        set_aside(world, connection, due_at=utc_now() + timedelta(minutes=12, seconds=30))
        set_aside(world, connection, "4712", attempts=1)
        answer = world.client("technician").get("/rmm/attention")
        page = said(answer)
        assert "Alerts that could not be taken" in page
        assert "4711 Followed RMM · SOC" in page
        assert "Its <b>severity</b> is “purple”." in page
        assert "<b>severity" not in answer.text
        assert "Tried 2 times; it is tried again by itself, in 12 min" in page
        assert "Tried 1 time; it is not tried again by itself." in page
        assert "All is well" not in page
        assert (page.count("Try again"), page.count("Dismiss")) == (2, 2)

    def test_a_row_without_an_id_can_only_be_dismissed(self, world: World) -> None:
        set_aside(world, followed(world), "row:1", synthesized=True)
        page = said(world.client("technician").get("/rmm/attention"))
        assert "A row without an id" in page
        assert "the vendor cannot be asked for it" in page
        assert "Try again" not in page
        assert "Dismiss" in page

    def test_who_may_not_manage_only_sees_them(self, world: World) -> None:
        one = set_aside(world, followed(world))
        answer = world.client("read_only").get("/rmm/attention")
        assert "4711" in said(answer)
        assert "/set-aside/" not in answer.text
        for act in ("retry", "dismiss"):
            refused = world.client("read_only").post(f"/rmm/attention/set-aside/{one}/{act}")
            assert refused.status_code == 403

    def test_try_again_starts_a_sync(self, world: World) -> None:
        connection = followed(world)
        one = set_aside(world, connection)
        client = world.client("technician")
        answer = client.post(f"/rmm/attention/set-aside/{one}/retry")
        assert (answer.status_code, answer.location) == (303, "/rmm/attention")
        assert "It is tried again now." in said(client.get("/rmm/attention"))
        assert stored(world, one).due_at is not None
        again = client.post(f"/rmm/attention/set-aside/{one}/retry", follow_redirects=True)
        assert "once the sync under way is over" in said(again)

    def test_a_connection_that_does_not_work_says_so(self, world: World) -> None:
        connection = followed(world)
        one = set_aside(world, connection)
        with world.app.app_context(), unit(world.rmm) as session:
            session.get_one(Integration, ("one", connection)).state = "paused"
        client = world.client("technician")
        answer = client.post(f"/rmm/attention/set-aside/{one}/retry", follow_redirects=True)
        assert "paused" in said(answer)
        assert stored(world, one).due_at is None

    def test_dismissed_it_is_listed_and_counted_no_more(self, world: World) -> None:
        one = set_aside(world, followed(world))
        client = world.client("technician")
        assert "1 alert that could not be taken" in said(client.get("/rmm/"))
        answer = client.post(f"/rmm/attention/set-aside/{one}/dismiss", follow_redirects=True)
        assert "Alert 4711 is left alone until it changes." in said(answer)
        assert "All is well" in said(answer)
        assert "could not be taken" not in said(client.get("/rmm/"))

    def test_of_another_tenant_nothing_is_seen_or_done(self, world: World) -> None:
        one = set_aside(world, followed(world))
        stranger = world.client("technician", tenant="two")
        assert "4711" not in said(stranger.get("/rmm/attention"))
        answer = stranger.post(f"/rmm/attention/set-aside/{one}/dismiss", follow_redirects=True)
        assert "not set aside any more" in said(answer)
        assert stored(world, one).dismissed_at is None


class TestHealth:
    def test_it_tells_what_is_set_aside(self, world: World) -> None:
        connection = followed(world)
        address = f"/rmm/connections/{connection}/health"
        assert "Set aside" not in said(world.client().get(address))
        for external_id in ("1", "2"):
            set_aside(world, connection, external_id)
        set_aside(world, connection, "3", dismissed_at=utc_now())
        assert "2 alerts could not be taken" in said(world.client().get(address))

    @pytest.mark.parametrize("minutes, late", [(9, False), (30, True)])
    def test_polls_are_late_by_their_own_interval(self, world: World, minutes: int, late: bool) -> None:
        connection = followed(world)
        with world.app.app_context(), unit(world.rmm) as session:
            row = session.get_one(Integration, ("one", connection))
            row.last_reconciled_at = utc_now() - timedelta(minutes=minutes)
        page = said(world.client().get(f"/rmm/connections/{connection}/health"))
        assert ("Polls come late" in page) is late


class TestPolling:
    def test_it_is_every_five_minutes_unless_said_otherwise(self, world: World) -> None:
        page = world.client().get(f"/rmm/connections/{followed(world)}/sync")
        assert 'value="5"' in page.text
        assert "From 1 to 60." in said(page)
        assert "what changed of its alerts since the last look" in said(page)

    @pytest.mark.parametrize("minutes, status", [("0", 422), ("61", 422), ("1", 303), ("60", 303)])
    def test_its_own_limits_hold(self, world: World, minutes: str, status: int) -> None:
        connection = followed(world)
        data = {"polling": "y", "every": minutes}
        answer = world.client().post(f"/rmm/connections/{connection}/polling", data=data)
        assert answer.status_code == status
        if status == 422:
            assert "Poll interval must be between 1 and 60 minutes" in said(answer)

    def test_a_sync_by_hand_is_such_a_run(self, world: World) -> None:
        connection = followed(world)
        assert "Sync alerts" in said(world.client().get(f"/rmm/connections/{connection}"))
        answer = world.client().post(f"/rmm/connections/{connection}/sync", data={"what": "alerts"})
        assert "Alert sync" in said(world.client().get(answer.location))
