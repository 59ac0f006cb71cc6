"""What stands between a wish and the vendor, when it is wished for and again when its turn has come."""

from __future__ import annotations

from uuid import UUID

import pytest

from rmm_extension.domain.actions import ActionRefused, ErrorCode
from rmm_extension.domain.errors import Conflict, Forbidden
from rmm_extension.models import Integration, new_id
from tests.services.actions.conftest import PING, REBOOT, Scene


def another_connection(scene: Scene) -> UUID:
    """A second one of the same vendor and tenant, which works as well."""
    row = Integration(
        tenant_id=scene.world.tenant,
        id=new_id(),
        provider="tacticalrmm",
        name="Other",
        state="connected",
        instance_url="http://127.0.0.1:1",
    )
    found = row.id
    with scene.world.unit() as session:
        session.add(row)
    return found


def test_a_device_of_another_connection_is_refused(scene: Scene) -> None:
    with pytest.raises(ActionRefused, match="none of the connection's") as caught:
        scene.ask(REBOOT, integration_id=another_connection(scene))
    assert caught.value.code is ErrorCode.NOT_FOUND


def test_a_device_that_went_to_another_connection_is_left_alone(scene: Scene) -> None:
    invocation_id = scene.ask(REBOOT)
    other = another_connection(scene)
    scene.world.do("UPDATE rmm_devices SET integration_id = :other", other=other)
    scene.work(invocation_id)
    assert scene.row(invocation_id)["error_code"] == "NOT_FOUND"
    assert not scene.sent()


def test_another_vendors_connection_is_refused(scene: Scene) -> None:
    scene.world.do("UPDATE rmm_integrations SET provider = 'another'")
    with pytest.raises(ActionRefused, match="is no connection of Tactical RMM") as caught:
        scene.ask(PING)
    assert caught.value.code is ErrorCode.NOT_FOUND


def test_a_suspended_tenant_does_nothing(scene: Scene) -> None:
    waiting = scene.ask(REBOOT)
    scene.world.do("UPDATE tenants SET is_active = FALSE")
    with pytest.raises(ActionRefused, match="tenant is suspended") as caught:
        scene.ask(PING)
    assert caught.value.code is ErrorCode.INTEGRATION_INACTIVE
    scene.work(waiting)
    assert not scene.sent()


def test_an_edition_without_the_vendor_does_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = scene.ask(REBOOT)
    monkeypatch.setattr(type(scene.world.rmm.host.entitlements), "provider_enabled", lambda *_: False)
    with pytest.raises(Forbidden, match="not part of this tenant's edition"):
        scene.ask(PING)
    scene.work(waiting)
    assert scene.row(waiting)["error_code"] == "PERMISSION_DENIED"
    assert not scene.sent()


def test_a_key_is_for_one_device(scene: Scene) -> None:
    scene.ask(PING, idempotency_key="once")
    other = scene.world.device("another-agent", "PC-2")
    with pytest.raises(Conflict, match="used for another action"):
        scene.ask(PING, idempotency_key="once", device_id=other)
