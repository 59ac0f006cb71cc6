"""A webhook whose secret the vendor makes: waited for, pasted, replaced, never shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.models import utc_now
from rmm_extension.services import connections, webhook_access
from rmm_extension.services.webhook_access import PREVIOUS, SECRET, WebhookAddress
from tests.harness.signing import FIRST, SECOND, BodySigner, Sealed, install
from tests.harness.world import World

THIRD = "whsec_third-0123456789"


@pytest.fixture
def sealed(world: World) -> Sealed:
    install(world.app, BodySigner)
    return Sealed.connect(world, BodySigner)


def shown(sealed: Sealed, **options: Any) -> WebhookAddress:
    with sealed.world.unit() as session:
        row = connections.get(session, sealed.world.tenant, sealed.integration_id)
        return webhook_access.address(sealed.world.rmm, session, row, **options)


def stored(sealed: Sealed) -> tuple[str | None, str | None]:
    """The secret and the one before."""
    with sealed.world.unit() as session:
        found = sealed.world.rmm.vault.read(session, sealed.world.tenant, sealed.integration_id)
    return found.get(SECRET), found.get(PREVIOUS)


def audited(sealed: Sealed) -> list[dict[str, Any]]:
    mine = "SELECT * FROM rmm_audit WHERE integration_id = :id AND action LIKE 'webhook.%' ORDER BY at, id"
    return sealed.world.rows(mine, id=sealed.integration_id)


def test_switched_on_it_has_an_address_and_waits_for_its_secret(sealed: Sealed) -> None:
    found = shown(sealed)
    assert found.url == f"http://psa.example.com/api/webhooks/signs_body/{sealed.token}"
    assert (found.is_waiting, found.hint, found.secret, found.is_rotating) == (True, "", None, False)
    assert stored(sealed) == (None, None)
    assert shown(sealed, in_clear=True).secret is None


def test_what_was_pasted_is_stored_in_its_one_form_and_never_shown(sealed: Sealed) -> None:
    assert sealed.paste(f"  {FIRST}\n") is True
    assert stored(sealed) == (FIRST, None)
    for found in (shown(sealed), shown(sealed, in_clear=True), sealed.call(webhook_access.switch_on)):
        assert (found.is_waiting, found.hint, found.secret) == (False, f"•••• {FIRST[-4:]}", None)


def test_another_one_keeps_the_former_until_it_is_dropped(sealed: Sealed) -> None:
    for secret in (FIRST, SECOND, THIRD):
        assert sealed.paste(secret) is True
    assert stored(sealed) == (THIRD, SECOND)
    assert shown(sealed).is_rotating
    sealed.call(webhook_access.drop_previous)
    assert stored(sealed) == (THIRD, None)


def test_the_same_one_again_pushes_nothing_out(sealed: Sealed) -> None:
    sealed.paste(FIRST)
    sealed.paste(SECOND)
    assert sealed.paste(SECOND) is False
    assert stored(sealed) == (SECOND, FIRST)
    assert len(audited(sealed)) == 3


def test_going_back_to_the_former_one_keeps_both(sealed: Sealed) -> None:
    for secret in (FIRST, SECOND, FIRST):
        sealed.paste(secret)
    assert stored(sealed) == (FIRST, SECOND)


@pytest.mark.parametrize("value", ["", "  ", "no secret", "whsec_" + "x" * 500])
def test_what_is_no_secret_changes_nothing(sealed: Sealed, value: str) -> None:
    sealed.paste(FIRST)
    with pytest.raises(ConfigError, match=r"\.$") as caught:
        sealed.paste(value)
    assert not value.strip() or value not in str(caught.value)
    assert stored(sealed) == (FIRST, None)


def test_none_is_made_here(sealed: Sealed) -> None:
    sealed.paste(FIRST)
    with pytest.raises(Conflict, match="vendor makes this secret"):
        sealed.call(webhook_access.rotate)
    assert stored(sealed) == (FIRST, None)


def test_it_is_pasted_only_while_there_is_an_address(sealed: Sealed) -> None:
    sealed.call(webhook_access.switch_off)
    assert sealed.paste(FIRST) is True, "it may be prepared while the webhook is off"
    sealed.call(connections.disconnect)
    with pytest.raises(Conflict, match="Switch the webhook on first"):
        sealed.paste(SECOND)


def test_where_the_secret_is_made_here_none_is_pasted(world: World) -> None:
    with world.unit() as session, pytest.raises(Conflict, match="made here"):
        webhook_access.keep_secret(world.rmm, session, world.admin, world.integration_id, FIRST)
    assert world.post().status_code == 200


def test_nothing_is_expected_of_it_before_its_secret(sealed: Sealed) -> None:
    """Else polling would count every alert as a webhook that was lost."""

    def since() -> Any:
        return sealed.world.one(
            "SELECT webhook_since FROM rmm_integrations WHERE id = :id", id=sealed.integration_id
        )

    assert since() is None
    with sealed.world.unit() as session:
        connections.pause(session, sealed.world.admin, sealed.integration_id)
        connections.resume(session, sealed.world.admin, sealed.integration_id)
    assert since() is None
    before = utc_now()
    sealed.paste(FIRST)
    assert (first := since()) >= before
    sealed.paste(SECOND)
    assert since() == first
    sealed.call(webhook_access.switch_off)
    sealed.call(webhook_access.switch_on)
    assert since() > first


def test_every_change_is_in_the_audit_without_the_secret(sealed: Sealed) -> None:
    sealed.paste(FIRST)
    sealed.paste(SECOND)
    sealed.call(webhook_access.drop_previous)
    found = audited(sealed)
    assert [row["action"].removeprefix("webhook.") for row in found] == [
        "switched_on",
        "secret_pasted",
        "secret_pasted",
        "previous_secret_dropped",
    ]
    everything = json.dumps(found, default=str)
    assert not any(unwanted in everything for unwanted in (FIRST, SECOND, sealed.token))
