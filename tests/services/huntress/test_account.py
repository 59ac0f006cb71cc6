"""The account: which key it is, what it may read, and its organizations."""

from __future__ import annotations

import ipaddress

import pytest

from rmm_extension.domain.types import Check, Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.huntress import Huntress as Provider
from rmm_extension.providers.huntress.checks import FIRST, KEY_LINE
from tests.harness.huntress import Huntress
from tests.services.huntress.conftest import Scene

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


def checked(huntress: Huntress, key: str, secret: str) -> dict[str, Check]:
    """The connection test as the form does it: nothing is known of the account yet."""
    connection = Connection(
        tenant_id="",
        integration_id="",
        provider="huntress",
        instance_url="",
        secrets={"api_key": key, "api_secret": secret},
    )
    provider = Provider(Runtime(LOOPBACK, {"huntress": huntress.url}, connect_timeout=2, read_timeout=5))
    return {one.name: one for one in provider.check(connection)}


def test_a_user_s_key_and_the_account_s_are_told_apart(huntress: Huntress) -> None:
    writer = checked(huntress, huntress.key, huntress.secret)
    assert {one.state for one in writer.values()} == {"ok"}
    reader = checked(huntress, huntress.reader_key, huntress.reader_secret)
    assert reader[KEY_LINE].state == "warning"
    assert {one.state for name, one in reader.items() if name != KEY_LINE} == {"ok"}
    account = huntress.get("/v1/account").json()["account"]
    assert (
        writer[FIRST].learned
        == reader[FIRST].learned
        == {
            "account_name": account["name"],
            "account_subdomain": account["subdomain"],
            "account_id": str(account["id"]),
        }
    )


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_a_key_that_is_not_one(huntress: Huntress, secret: str) -> None:
    found = checked(huntress, huntress.key, secret)
    assert found[FIRST].state == "failed"


def test_what_the_key_may_is_asked_without_doing_anything(scene: Scene) -> None:
    run = scene.run("permission_check")
    assert run["status"] == "succeeded"
    assert {one.partition(" ")[0] for one in scene.huntress.paths()} == {"GET"}


def test_organizations_are_listed_and_follow_their_names(scene: Scene) -> None:
    assert scene.run("organization_sync")["status"] == "succeeded"
    names = {str(one.id): one.name for one in scene.huntress.lab.fleet.organizations.values()}
    rows = scene.world.rows("SELECT external_id, name FROM rmm_organization_mappings")
    assert {row["external_id"]: row["name"] for row in rows} == names
    scene.huntress.control(f"organizations/{scene.organization}/rename", name="Renamed Dental")
    scene.run("organization_sync")
    rows = scene.world.rows(
        "SELECT name, client_id FROM rmm_organization_mappings WHERE external_id = :id", id=scene.organization
    )
    assert rows == [{"name": "Renamed Dental", "client_id": scene.world.client_id}]


def test_a_refused_key_asks_for_a_person(scene: Scene) -> None:
    scene.huntress.control("keys/writer/regenerate")
    assert scene.poll()["status"] == "failed"
    assert scene.world.one("SELECT state FROM rmm_integrations") == "needs_reauth"


def test_a_throttled_poll_comes_back_later_and_loses_nothing(scene: Scene) -> None:
    number = scene.raised(announced=False)
    scene.huntress.fault("throttled", prefix="/v1", count=1, retry_after="30")
    assert scene.poll()["status"] == "queued"
    assert scene.world.one("SELECT alerts_followed_to FROM rmm_integrations") is None
    scene.world.do("UPDATE rmm_job_runs SET queued_at = now()")
    (waiting,) = scene.queued("alert_reconcile")
    assert scene.perform(waiting["id"])["status"] == "succeeded"
    assert scene.world.alert(number)["status"] == "active"
