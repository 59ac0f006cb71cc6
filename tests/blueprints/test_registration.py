"""The webhook's page of a vendor that is told of it by a call."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from rmm_extension.services import connections, webhook_access
from rmm_extension.services.registration.state import ORGANIZATIONS
from simulators.ninjaone.misbehaviour import Fault
from tests.conftest import world
from tests.harness.ninjaone_connection import TECHNICIAN, NinjaConnection, ninja, server
from tests.harness.world import World
from tests.services.registration.test_registering import public_url

from .conftest import said
from .test_alert_actions import browser

__all__ = ["ninja", "server", "world"]


@pytest.fixture
def admin(ninja: NinjaConnection) -> FlaskClient:
    return browser(ninja.world, "admin")


def page(ninja: NinjaConnection, client: FlaskClient, path: str = "webhook") -> Any:
    return client.get(f"/rmm/connections/{ninja.integration_id}/{path}")


def press(ninja: NinjaConnection, client: FlaskClient, path: str, **data: str) -> Any:
    return client.post(f"/rmm/connections/{ninja.integration_id}/webhook/{path}", data=data)


def test_it_says_what_is_under_way_and_then_when_it_was_done(
    ninja: NinjaConnection, admin: FlaskClient
) -> None:
    answer = page(ninja, admin)
    assert "Being registered NinjaOne is told where to send." in said(answer)
    assert f'data-rmm-poll="/rmm/connections/{ninja.integration_id}/webhook/registration"' in answer.text
    ninja.settle()
    answer = page(ninja, admin)
    assert "Registered NinjaOne knows where to send; it was told just now ." in said(answer)
    assert "Of all organizations." in said(answer)
    assert "Conditions: triggered, reset and acknowledged" in said(answer)
    assert "data-rmm-poll" not in answer.text


def test_switching_does_not_wait_for_the_tick(ninja: NinjaConnection, admin: FlaskClient) -> None:
    ninja.settle()
    press(ninja, admin, "off")
    assert "Being removed" in said(page(ninja, admin))
    assert ninja.work() == ["succeeded"]
    assert ninja.webhooks() == []
    assert "Not registered NinjaOne is told as soon as the webhook is switched on." in said(
        page(ninja, admin)
    )
    press(ninja, admin, "on")
    assert ninja.work() == ["succeeded"]
    assert len(ninja.webhooks()) == 1


def test_the_part_that_changes_alone(ninja: NinjaConnection, admin: FlaskClient) -> None:
    ninja.settle()
    answer = page(ninja, admin, "webhook/registration")
    assert "NinjaOne knows where to send" in said(answer)
    assert "<html" not in answer.text
    assert "data-rmm-poll" not in answer.text


def test_a_refusal_says_what_to_do_and_when_it_is_tried_again(server: NinjaConnection) -> None:
    ninja = server.connect(user=TECHNICIAN).switch_on()
    client = browser(ninja.world, "admin")
    ninja.settle()
    words = said(page(ninja, client))
    assert "Not registered The last try to tell NinjaOne where to send failed" in words
    assert "only a System Administrator" in words
    assert "It is tried again by itself in " in words
    health = said(page(ninja, client, "health"))
    assert "Trouble Registration The last try to tell NinjaOne where to send failed" in health
    assert "the next try is due in" in health
    assert "only a System Administrator" in health


def test_register_again_tells_the_vendor_once_more(ninja: NinjaConnection, admin: FlaskClient) -> None:
    ninja.settle()
    with ninja.lab.lock:
        ninja.lab.subscriptions.clear()
    press(ninja, admin, "register")
    assert ninja.work() == ["succeeded"]
    assert len(ninja.webhooks()) == 1


def test_a_new_secret_is_told_and_the_old_one_stays_until_it_is_dropped(
    ninja: NinjaConnection, admin: FlaskClient
) -> None:
    ninja.settle()
    press(ninja, admin, "rotate", hint=f"•••• {ninja.secrets()['webhook_secret'][-4:]}")
    assert "NinjaOne is told of the new one by itself. Drop the old one after that." in said(
        page(ninja, admin)
    )
    assert ninja.work() == ["succeeded"]
    assert "NinjaOne was told of the new one just now : drop the old one." in said(page(ninja, admin))
    assert "webhook_secret_previous" in ninja.secrets()


def test_the_organizations_are_chosen(ninja: NinjaConnection, admin: FlaskClient) -> None:
    ninja.map("1", ninja.world.client_id)
    ninja.settle()
    press(ninja, admin, "organizations", organizations="mapped")
    assert ninja.work() == ["succeeded"]
    assert ninja.webhooks()[0].organization_ids == [1]
    assert "Of 1 mapped organization." in said(page(ninja, admin))
    press(ninja, admin, "organizations", organizations="all")
    assert ninja.work() == ["succeeded"]
    assert ninja.webhooks()[0].organization_ids == []
    assert ORGANIZATIONS not in ninja.row()["settings"]


def test_none_that_is_mapped_is_nothing_to_tell_of(ninja: NinjaConnection, admin: FlaskClient) -> None:
    press(ninja, admin, "organizations", organizations="mapped")
    assert ninja.work() == ["succeeded"]
    assert "No organization is mapped yet, so NinjaOne has nothing to tell." in said(page(ninja, admin))


def test_without_an_address_it_says_why(ninja: NinjaConnection, admin: FlaskClient) -> None:
    public_url(ninja.world, None)
    ninja.settle()
    words = said(page(ninja, admin))
    assert "RMM_PUBLIC_URL is not set, so there is no address that NinjaOne could be told." in words
    assert "Look at it Registration RMM_PUBLIC_URL is not set" in said(page(ninja, admin, "health"))


def test_a_paused_connection_keeps_its_webhook(ninja: NinjaConnection, admin: FlaskClient) -> None:
    ninja.settle()
    with ninja.world.unit() as session:
        connections.pause(session, ninja.actor, ninja.integration_id)
    words = said(page(ninja, admin))
    assert (
        "This connection is paused. NinjaOne keeps the webhook: what it sends is answered and not used."
        in words
    )


def test_one_that_is_left_behind_is_said(ninja: NinjaConnection, admin: FlaskClient) -> None:
    ninja.settle()
    ninja.lab.settings.other_psa = True
    press(ninja, admin, "off")
    ninja.work()
    words = said(page(ninja, admin))
    assert "Left behind NinjaOne may still have the webhook. Deliveries are refused here" in words
    assert "another product has its webhook there" in words


def test_a_removal_that_failed_is_said(ninja: NinjaConnection, admin: FlaskClient) -> None:
    ninja.settle()
    ninja.lab.misbehaviours.add(Fault(mode="server_error", prefix="/v2/webhook"))
    press(ninja, admin, "off")
    ninja.work()
    assert "Not removed yet" in said(page(ninja, admin))


def test_the_steps_by_hand_are_folded_below(ninja: NinjaConnection, admin: FlaskClient) -> None:
    text = page(ninja, admin).text
    folded = text.partition("Set it up by hand instead")[2]
    assert "Notification Channels" in folded
    assert "<details" in text


def test_the_wizards_step_shows_the_same(ninja: NinjaConnection, admin: FlaskClient) -> None:
    ninja.settle()
    assert "Registered" in said(page(ninja, admin, "setup/webhook"))
    ninja.call(webhook_access.switch_off)
    assert "NinjaOne is told by itself where to send" in said(page(ninja, admin, "setup/webhook"))
    sent = press(ninja, admin, "organizations", organizations="mapped", back_to="setup")
    assert sent.location.endswith(f"/rmm/connections/{ninja.integration_id}/setup/webhook")


def test_other_vendors_pages_are_as_they_were(world: World) -> None:
    client = browser(world, "admin")
    base = f"/rmm/connections/{world.integration_id}"
    text = client.get(f"{base}/webhook").text
    assert "Register again" not in text
    assert "by hand" not in text
    assert client.post(f"{base}/webhook/register").status_code == 404
    assert "Registration" not in said(client.get(f"{base}/health"))


def test_who_may_not_configure_changes_nothing(ninja: NinjaConnection) -> None:
    client = browser(ninja.world, "tech")
    for path in ("register", "organizations"):
        assert press(ninja, client, path).status_code == 403
    assert page(ninja, client, "webhook/registration").status_code == 403


def test_the_secret_is_in_no_part_that_is_asked_for_again(ninja: NinjaConnection, admin: FlaskClient) -> None:
    fresh = ninja.call(webhook_access.rotate)
    assert fresh.secret not in page(ninja, admin, "webhook/registration").text
    assert fresh.secret not in page(ninja, admin).text
