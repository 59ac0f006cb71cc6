"""What a vendor tells of the account while a connection is tested stays with the connection."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rmm_extension.domain.types import Check, Connection
from rmm_extension.providers.contract import AuthMode, Field, Runtime
from rmm_extension.services import connections, credentials
from tests.blueprints.test_alert_actions import browser
from tests.harness.signing import BodySigner, install
from tests.harness.world import World

KEY_MODE = AuthMode(
    "api_key",
    "API key",
    "A key.",
    (Field("api_key", "API key", secret=True), Field("site", "Site", required=False)),
)
USER_MODE = AuthMode("user", "User", "A user.", (Field("user", "User"),))
NAME = "Acme Inc."
TOLD = (
    Check(name="Account", state="ok", message="Known.", learned={"account_name": "Old", "site": "theirs"}),
    Check(
        name="Rights", state="warning", message="Few.", learned={"account_name": "Acme\x00 Inc.", "user": "u"}
    ),
    Check(name="More", state="ok", message="Known."),
)


class Teller(BodySigner):
    """Tells of its account when it is tested; ``site`` and ``user`` are fields, which only people fill in."""

    manifest = replace(BodySigner.manifest, auth_modes=(KEY_MODE, USER_MODE))

    def check(self, connection: Connection) -> Any:
        """All is well."""
        return iter(TOLD)


@pytest.fixture
def teller(world: World) -> World:
    install(world.app, Teller)
    return world


def typed(**settings: str) -> Connection:
    return Connection(
        tenant_id="",
        integration_id="",
        provider=Teller.manifest.key,
        instance_url="",
        secrets={"api_key": "key-0123456789"},
        settings=settings,
    )


def create(world: World, connection: Connection, **more: Any) -> Any:
    with world.unit() as session:
        return connections.create(
            world.rmm, session, world.admin, "Told", connection, catch_all=False, **more
        ).id


def settings(world: World, integration_id: Any) -> dict[str, Any]:
    with world.unit() as session:
        return dict(connections.get(session, world.tenant, integration_id).settings)


def test_the_last_word_counts_and_no_field_of_a_sign_in_is_among_it() -> None:
    assert credentials.learned(Teller(Runtime()), TOLD) == {"account_name": NAME}
    assert credentials.learned(Teller(Runtime()), ()) == {}


def test_what_is_learned_is_kept_beside_what_was_typed(teller: World) -> None:
    made = create(teller, typed(site="ours"), learned={"account_name": "Acme"})
    assert settings(teller, made) == {"site": "ours", "account_name": "Acme"}


def test_new_credentials_bring_it_anew_and_wipe_nothing(teller: World) -> None:
    made = create(teller, typed(site="ours"), learned={"account_name": "Acme", "region": "eu"})
    stale = typed(site="theirs", deviceSync="stale")
    with teller.unit() as session:
        connections.save_settings(session, teller.admin, made, {"deviceSync": {"enabled": True}})
    with teller.unit() as session:
        told = {"account_name": NAME}
        connections.reconnect(teller.rmm, session, teller.admin, made, stale, learned=told)
    assert settings(teller, made) == {
        "site": "theirs",
        "account_name": NAME,
        "region": "eu",
        "deviceSync": {"enabled": True},
    }


def test_the_pages_keep_it_when_they_connect_and_when_they_connect_anew(teller: World) -> None:
    admin = browser(teller, "admin")
    key = Teller.manifest.key
    form = {"name": "Told", "field_api_key": "key-0123456789", "field_site": "ours"}
    assert admin.post(f"/rmm/connect/{key}/api_key", data=form).status_code == 303
    made = teller.one("SELECT id FROM rmm_integrations WHERE name = 'Told'")
    kept = {"site": "ours", "account_name": NAME}
    assert settings(teller, made) == kept
    teller.do("UPDATE rmm_integrations SET settings = settings - 'account_name' WHERE id = :id", id=made)
    again = admin.post(
        f"/rmm/connections/{made}/credentials", data={"field_api_key": "", "field_site": "ours"}
    )
    assert again.status_code in (302, 303)
    assert settings(teller, made) == kept
