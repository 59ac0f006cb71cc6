"""A webhook's address and secret: made, shown once, rotated, switched off."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.models import Secret, new_id
from rmm_extension.services import connections, webhook_access
from rmm_extension.services.webhook_access import WebhookAddress
from tests.harness.world import World


def call(world: World, act: Any) -> Any:
    with world.unit() as session:
        return act(world.rmm, session, world.admin, world.integration_id)


def shown(world: World) -> WebhookAddress:
    with world.unit() as session:
        row = connections.get(session, world.tenant, world.integration_id)
        return webhook_access.address(world.rmm, session, row)


def test_the_address_carries_tenant_and_token(world: World) -> None:
    found = shown(world)
    assert found.url == f"http://psa.example.com/api/webhooks/tacticalrmm/{world.token}"
    assert world.token.rpartition(".")[0] == world.tenant
    assert len(world.token.rpartition(".")[2]) >= 40
    assert found.is_public


def test_the_secret_is_shown_only_where_it_was_just_made(world: World) -> None:
    assert shown(world).secret is None
    assert shown(world).hint == f"•••• {world.secret[-4:]}"
    assert call(world, webhook_access.switch_on).secret is None
    assert call(world, webhook_access.rotate).secret not in (None, world.secret)


def test_switching_off_and_on_keeps_address_and_secret(world: World) -> None:
    before = shown(world)
    call(world, webhook_access.switch_off)
    call(world, webhook_access.switch_on)
    assert shown(world) == before
    assert world.post().status_code == 200


def test_rotation_keeps_one_earlier_secret(world: World) -> None:
    first = world.secret
    second = call(world, webhook_access.rotate).secret
    assert shown(world).is_rotating
    third = call(world, webhook_access.rotate).secret
    codes = [world.post(world.body(n), secret=s).status_code for n, s in enumerate((first, second, third))]
    assert codes == [401, 200, 200]
    call(world, webhook_access.drop_previous)
    assert not shown(world).is_rotating
    assert world.post(secret=second).status_code == 401


def test_the_table_keeps_only_a_hash_of_the_token(world: World) -> None:
    (row,) = world.rows("SELECT * FROM rmm_integrations")
    assert bytes(row["webhook_token_hash"]) == webhook_access.token_hash(world.token)
    assert world.token not in str(row)


def test_a_connection_that_is_not_connected_gets_none(world: World) -> None:
    call(world, connections.disconnect)
    with pytest.raises(Conflict, match="Connect first"):
        call(world, webhook_access.switch_on)
    for act in (webhook_access.rotate, webhook_access.drop_previous):
        with pytest.raises(Conflict, match="Switch the webhook on first"):
            call(world, act)


def test_an_address_that_was_never_made_is_no_address(world: World) -> None:
    call(world, connections.disconnect)
    with pytest.raises(ConfigError, match="never switched on"):
        shown(world)


def test_after_reconnecting_a_new_address_is_made(world: World) -> None:
    call(world, connections.disconnect)
    world.do("UPDATE rmm_integrations SET state = 'connected'")
    fresh = call(world, webhook_access.switch_on)
    assert world.token not in fresh.url
    assert world.post().status_code == 404
    answer = world.post(url=fresh.url.removeprefix("http://psa.example.com"), secret=fresh.secret)
    assert answer.status_code == 200


def test_tokens_and_secrets_are_never_the_same_twice(world: World) -> None:
    other = World(world.app, integration_id=new_id()).connect(name="Second")
    assert other.token != world.token
    assert other.secret != world.secret


def test_every_change_is_in_the_audit_without_the_secret(world: World) -> None:
    fresh = call(world, webhook_access.rotate).secret
    call(world, webhook_access.drop_previous)
    call(world, webhook_access.switch_off)
    found = world.rows("SELECT * FROM rmm_audit ORDER BY at, id")
    assert [row["action"] for row in found] == [
        "webhook.switched_on",
        "webhook.secret_rotated",
        "webhook.previous_secret_dropped",
        "webhook.switched_off",
    ]
    everything = json.dumps(found, default=str)
    for unwanted in (world.secret, fresh, world.token):
        assert unwanted not in everything


def test_a_secret_is_shown_in_clear_only_when_asked_for(world: World) -> None:
    with world.unit() as session:
        row = connections.get(session, world.tenant, world.integration_id)
        assert webhook_access.address(world.rmm, session, row, in_clear=True).secret == world.secret


def test_a_secret_is_just_made_for_a_minute(world: World) -> None:
    with world.unit() as session:
        assert webhook_access.is_just_made(session, world.tenant, world.integration_id)
        assert not webhook_access.is_just_made(session, "another", world.integration_id)
        session.execute(update(Secret).values(updated_at=Secret.updated_at - timedelta(seconds=61)))
        assert not webhook_access.is_just_made(session, world.tenant, world.integration_id)
