"""A connection's page: settings, credentials, syncs, pausing and disconnecting, the webhook."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from sqlalchemy import select

from reference_psa.db import db
from rmm_extension.models import Integration, JobRun
from rmm_extension.services import connection_health, connections
from rmm_extension.services.unit import unit

from .conftest import World, said
from .vendor import SECRET, AcmeProvider


def row_of(world: World, integration_id: UUID) -> Integration:
    """The connection as it is now."""
    with world.app.app_context():
        return connections.get(db.session(), "one", integration_id)


def secrets_of(world: World, integration_id: UUID) -> dict[str, str]:
    """Its secrets in clear."""
    with world.app.app_context():
        return world.rmm.vault.read(db.session(), "one", integration_id)


def test_the_overview_counts(world: World) -> None:
    connection = world.connect()
    world.organizations(connection, ["Alpha", "Beta"], client_id="one-c0")
    world.devices(connection, 3)
    world.devices(connection, 2, status="overdue")
    world.alerts(connection, 4)
    world.alerts(connection, 1, status="suppressed")
    page = said(world.client("read_only").get(f"/rmm/connections/{connection}"))
    assert "Organizations mapped 2 of 2" in page
    assert "Devices 5" in page
    assert "3 online" in page
    assert "2 overdue" in page
    assert "Active alerts 4" in page
    assert "Test connection" not in page


@pytest.mark.parametrize(
    "state,expected",
    [
        ("needs_reauth", "The vendor refuses the credentials. Key expired."),
        ("error", "failed just now : Key expired. It is tried again by itself"),
    ],
)
def test_trouble_is_told_in_words(world: World, state: str, expected: str) -> None:
    connection = world.connect()
    with world.app.app_context(), unit(world.rmm) as session:
        if state == "error":
            connection_health.mark_error(session, "one", connection, "Key expired.")
        else:
            connection_health.mark_needs_reauth(session, "one", connection, "Key expired.")
    page = said(world.client().get(f"/rmm/connections/{connection}")).replace("..", ".")
    assert expected in page
    assert "Key expired" in said(world.client().get("/rmm/attention"))


@pytest.mark.parametrize("what,subject", [("devices", {}), ("devices_full", {"full": True})])
def test_a_sync_leads_to_its_run_also_on_a_double_click(world: World, what: str, subject: object) -> None:
    connection = world.connect()
    browser = world.client("dispatcher")
    first = browser.post(f"/rmm/connections/{connection}/sync", data={"what": what})
    second = browser.post(f"/rmm/connections/{connection}/sync", data={"what": what})
    assert first.location == second.location
    assert "Waiting for a worker" in said(browser.get(first.location))
    with world.app.app_context():
        runs = db.session.scalars(select(JobRun)).all()
        assert [(run.kind, run.subject, run.actor_name) for run in runs] == [
            ("device_sync", subject, "dispatcher of one")
        ]


def test_pausing_and_resuming(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    browser.post(f"/rmm/connections/{connection}/pause")
    page = said(browser.get(f"/rmm/connections/{connection}"))
    assert "is paused: it polls nothing" in page
    assert "Sync devices" not in page
    refused = browser.post(f"/rmm/connections/{connection}/sync", data={"what": "devices"})
    assert refused.status_code == 409
    browser.post(f"/rmm/connections/{connection}/resume")
    assert row_of(world, connection).state == "connected"
    browser.post(f"/rmm/connections/{connection}/resume")
    assert "This connection is not paused." in said(browser.get(f"/rmm/connections/{connection}"))


def test_no_sync_is_offered_while_new_credentials_are_missing(world: World) -> None:
    connection = world.connect()
    with world.app.app_context(), unit(world.rmm) as session:
        connection_health.mark_needs_reauth(session, "one", connection, "Key expired.")
    browser = world.client()
    assert "Sync devices" not in said(browser.get(f"/rmm/connections/{connection}"))
    assert "waits for new credentials" in said(browser.get(f"/rmm/connections/{connection}/sync"))
    refused = browser.post(f"/rmm/connections/{connection}/sync", data={"what": "devices"})
    assert refused.status_code == 409
    assert "waits for new credentials: enter them under Settings › Integrations." in said(refused)


def test_disconnecting_names_the_consequences_first(world: World) -> None:
    connection = world.connect()
    world.alerts(connection, 2)
    browser = world.client()
    page = said(browser.get(f"/rmm/connections/{connection}/disconnect"))
    assert "The credentials for Acme RMM are deleted" in page
    assert "2 active alerts stay" in page
    assert row_of(world, connection).state == "connected"
    browser.post(f"/rmm/connections/{connection}/disconnect")
    assert row_of(world, connection).state == "not_connected"
    assert secrets_of(world, connection) == {}
    assert "Connect again" in said(browser.get(f"/rmm/connections/{connection}"))


def test_a_disconnected_connection_is_connected_again(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    browser.post(f"/rmm/connections/{connection}/disconnect")
    answer = browser.post(
        f"/rmm/connections/{connection}/credentials",
        data={"field_instance_url": "https://1.1.1.1", "field_api_key": SECRET, "field_region": "eu"},
    )
    assert answer.status_code == 303
    assert row_of(world, connection).state == "connected"


def test_credentials_are_write_only_and_blank_keeps_them(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    page = browser.get(f"/rmm/connections/{connection}/credentials").text
    assert SECRET not in page
    assert "Stored: •••• 6789. Leave blank to keep it at this address." in said(
        browser.get(f"/rmm/connections/{connection}/credentials")
    )
    values = {"field_instance_url": "https://rmm.example.com/api", "field_api_key": "", "field_region": "eu"}
    assert browser.post(f"/rmm/connections/{connection}/credentials", data=values).status_code == 303
    assert secrets_of(world, connection)["api_key"] == SECRET
    assert row_of(world, connection).instance_url == "https://rmm.example.com/api"


def test_a_stored_secret_is_not_sent_to_another_server(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = world.connect()
    asked: list[str] = []
    monkeypatch.setattr(AcmeProvider, "before_check", staticmethod(lambda: asked.append("asked")))
    browser, address = world.client(), f"/rmm/connections/{connection}/credentials"
    values = {"field_instance_url": "https://1.0.0.1", "field_api_key": "", "field_region": "eu"}
    answer = browser.post(address, data=values)
    assert answer.status_code == 422
    assert not asked
    field = re.search(r'<input[^>]*name="field_api_key"[^>]*>', answer.text)
    assert field is not None
    assert "is-invalid" in field[0]
    assert "another server's now, and what is stored is for rmm.example.com only" in said(answer)
    assert row_of(world, connection).instance_url == "https://rmm.example.com"
    assert browser.post(address, data=values | {"field_api_key": "typed-again"}).status_code == 303
    assert secrets_of(world, connection)["api_key"] == "typed-again"


def test_no_setting_holds_what_no_database_takes(world: World) -> None:
    connection = world.connect()
    address = f"/rmm/connections/{connection}/credentials?mode=password"
    values = {
        "field_instance_url": "https://1.1.1.1",
        "field_user": "ma\x00ra",
        "field_password": "pw-123456",
    }
    assert world.client().post(address, data=values).status_code == 303
    assert row_of(world, connection).settings["user"] == "mara"
    assert (
        world.client().post(f"/rmm/connections/{connection}/name", data={"name": "A\x00B"}).status_code == 303
    )
    assert row_of(world, connection).name == "AB"


def test_credentials_that_fail_the_test_are_not_kept(world: World) -> None:
    connection = world.connect()
    values = {
        "field_instance_url": "https://refused.invalid",
        "field_api_key": "another-key-1",
        "field_region": "eu",
    }
    answer = world.client().post(f"/rmm/connections/{connection}/credentials", data=values)
    assert answer.status_code == 422
    assert "another-key-1" not in answer.text
    assert secrets_of(world, connection)["api_key"] == SECRET
    assert row_of(world, connection).instance_url == "https://rmm.example.com"


def test_switching_the_sign_in_drops_the_other_secrets(world: World) -> None:
    connection = world.connect()
    values = {"field_instance_url": "https://1.1.1.1", "field_user": "mara", "field_password": "pass-word-1"}
    address = f"/rmm/connections/{connection}/credentials?mode=password"
    assert world.client().post(address, data=values).status_code == 303
    assert secrets_of(world, connection) == {"password": "pass-word-1"}


def test_renaming(world: World) -> None:
    first, second = world.connect("First"), world.connect("Second")
    browser = world.client()
    browser.post(f"/rmm/connections/{first}/name", data={"name": "Headquarters"})
    assert "Headquarters" in said(browser.get("/rmm/settings"))
    browser.post(f"/rmm/connections/{second}/name", data={"name": "Headquarters"})
    page = said(browser.get(f"/rmm/connections/{second}/settings"))
    assert "There is a connection named “Headquarters” already" in page
    empty = browser.post(f"/rmm/connections/{second}/name", data={"name": ""})
    assert empty.status_code == 422
    assert "Give the connection a name." in said(empty)


@pytest.mark.parametrize(
    "minutes,expected", [("14", 422), ("1441", 422), ("soon", 422), ("", 422), ("15", 303)]
)
def test_the_schedule(world: World, minutes: str, expected: int) -> None:
    connection = world.connect(kept="yes")
    data = {"enabled": "y", "minutes": minutes, "deletion_policy": "mark_inactive"}
    answer = world.client().post(f"/rmm/connections/{connection}/schedule", data=data)
    assert answer.status_code == expected
    settings = row_of(world, connection).settings
    assert settings["kept"] == "yes"
    if expected == 303:
        assert settings["deviceSync"] == {"enabled": True, "intervalMinutes": 15}
        assert settings["deletionPolicy"] == "mark_inactive"


@pytest.mark.parametrize("provider, habit", [("acme", True), ("routed", False)])
def test_whether_devices_become_assets(world: World, provider: str, habit: bool) -> None:
    connection = world.connect(provider=provider)
    browser = world.client()
    address = f"/rmm/connections/{connection}/sync"
    box = r'<input[^>]*(?=[^>]*name="make_assets")(?=[^>]*\bchecked\b)[^>]*>'
    assert bool(re.search(box, browser.get(address).text)) is habit, "as this vendor's usually do"
    data = {"minutes": "60", "deletion_policy": "never", **({} if habit else {"make_assets": "y"})}
    browser.post(f"/rmm/connections/{connection}/schedule", data=data)
    assert row_of(world, connection).settings["makeAssets"] is not habit
    assert bool(re.search(box, browser.get(address).text)) is not habit


@pytest.mark.parametrize("hours,expected", [("5", 422), ("169", 422), ("soon", 422), ("", 422), ("12", 303)])
def test_the_software_sync(world: World, hours: str, expected: int) -> None:
    connection = world.connect(kept="yes")
    answer = world.client().post(
        f"/rmm/connections/{connection}/software", data={"software": "y", "hours": hours}
    )
    assert answer.status_code == expected
    settings = row_of(world, connection).settings
    assert settings["kept"] == "yes"
    if expected == 303:
        assert settings["softwareSync"] == {"enabled": True, "intervalMinutes": 720}


def test_a_software_sync_can_be_started(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    page = said(browser.get(f"/rmm/connections/{connection}/sync"))
    assert "Sync software now" in page
    assert "Devices are not synced on a schedule, so their software is not either" in page
    answer = browser.post(f"/rmm/connections/{connection}/sync", data={"what": "software"})
    assert "/rmm/jobs/" in answer.location
    assert "Software sync" in said(browser.get(answer.location))


@pytest.mark.parametrize("hours,expected", [("3", 422), ("169", 422), ("soon", 422), ("", 422), ("4", 303)])
def test_the_patch_sync(world: World, hours: str, expected: int) -> None:
    connection = world.connect(kept="yes")
    browser = world.client()
    data = {"patches": "y", "patch_hours": hours}
    answer = browser.post(f"/rmm/connections/{connection}/patches", data=data)
    assert answer.status_code == expected
    settings = row_of(world, connection).settings
    assert settings["kept"] == "yes"
    if expected == 303:
        assert settings["patchSync"] == {"enabled": True, "intervalMinutes": 240}
        assert "Patches are synced every 4 hours" in said(browser.get(answer.location))
        answer = browser.post(f"/rmm/connections/{connection}/patches", data={"patch_hours": "4"})
        assert "Patches are synced only when somebody starts it." in said(browser.get(answer.location))
        assert row_of(world, connection).settings["patchSync"]["enabled"] is False


def test_a_patch_sync_can_be_started(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    page = said(browser.get(f"/rmm/connections/{connection}/sync"))
    assert "Sync patches now" in page
    assert "Devices are not synced on a schedule, so their patches are not either" in page
    answer = browser.post(f"/rmm/connections/{connection}/sync", data={"what": "patches"})
    assert "/rmm/jobs/" in answer.location
    assert "Patch sync" in said(browser.get(answer.location))


def test_the_test_shows_each_check(world: World) -> None:
    connection = world.connect()
    page = said(world.client().post(f"/rmm/connections/{connection}/test"))
    assert "Passed Key The key is known." in page


def test_a_test_that_passes_ends_an_expired_sign_in(world: World) -> None:
    connection = world.connect()
    with world.app.app_context(), unit(world.rmm) as session:
        connection_health.mark_needs_reauth(session, "one", connection, "Key expired.")
    world.client().post(f"/rmm/connections/{connection}/test")
    assert row_of(world, connection).state == "connected"
    assert "Key expired" not in said(world.client().get("/rmm/attention"))


def test_the_activity_tells_who_changed_what(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    browser.post(f"/rmm/connections/{connection}/name", data={"name": "<b>HQ</b>"})
    answer = browser.get(f"/rmm/connections/{connection}/activity")
    assert "Name: Acme → <b>HQ</b>" in said(answer)
    assert "<b>HQ</b>" not in answer.text


def test_the_webhooks_secret_is_shown_once(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    address = f"/rmm/connections/{connection}/webhook"
    browser.post(f"{address}/on")
    secret = secrets_of(world, connection)["webhook_secret"]
    first, second = browser.get(address).text, browser.get(address).text
    assert secret in first
    assert f"X-Secret: {secret}" in first
    assert secret not in second
    assert f"•••• {secret[-4:]}" in second
    assert "http://psa.example.com/api/webhooks/acme/one." in second


def test_a_new_secret_leaves_the_old_one_until_it_is_dropped(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    address = f"/rmm/connections/{connection}/webhook"
    browser.post(f"{address}/on")
    old = secrets_of(world, connection)["webhook_secret"]
    hint = re.search(r'name="hint" value="([^"]+)"', browser.get(address).text)
    assert hint is not None
    for _ in range(2):  # a double click must not push the old secret out
        browser.post(f"{address}/rotate", data={"hint": hint[1]})
    found = secrets_of(world, connection)
    assert found["webhook_secret_previous"] == old
    page = browser.get(address).text
    assert found["webhook_secret"] in page
    assert old not in page
    browser.post(f"{address}/drop-previous")
    assert "webhook_secret_previous" not in secrets_of(world, connection)


def test_switching_the_webhook_off_keeps_its_address(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    address = f"/rmm/connections/{connection}/webhook"
    browser.post(f"{address}/on")
    before = secrets_of(world, connection)
    browser.post(f"{address}/off")
    assert "Off: deliveries are refused" in said(browser.get(address))
    assert secrets_of(world, connection) == before


def test_the_webhooks_address_and_secret_stay_in_no_cache(world: World) -> None:
    world.app.after_request_funcs.clear()  # whatever the host says of its pages
    connection = world.connect()
    browser = world.client()
    browser.post(f"/rmm/connections/{connection}/webhook/on")
    for path in (f"connections/{connection}/webhook", f"connections/{connection}/setup/webhook"):
        page = browser.get(f"/rmm/{path}")
        assert "/api/webhooks/acme/one." in page.text
        assert page.headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in browser.get(f"/rmm/connections/{connection}").headers


def test_no_page_shows_a_secret(world: World) -> None:
    connection = world.connect()
    world.organizations(connection, ["Alpha"])
    browser = world.client()
    browser.post(f"/rmm/connections/{connection}/webhook/on")
    browser.get(f"/rmm/connections/{connection}/webhook")
    hidden = [value for name, value in secrets_of(world, connection).items() if name != "webhook_token"]
    parts = (
        "",
        "/organizations",
        "/webhook",
        "/settings",
        "/credentials",
        "/activity",
        "/disconnect",
        "/proposals",
    )
    paths = [f"connections/{connection}{part}" for part in parts] + ["", "settings", "jobs", "attention"]
    for path in paths:
        text = browser.get(f"/rmm/{path}").text
        assert not any(secret in text for secret in hidden), path


def test_a_vendor_that_is_gone_can_still_be_disconnected(world: World) -> None:
    connection = world.connect()
    with world.app.app_context(), unit(world.rmm) as session:
        connections.get(session, "one", connection).provider = "forgotten"
    browser = world.client()
    assert "Not available in this installation" in said(browser.get("/rmm/settings"))
    page = said(browser.get(f"/rmm/connections/{connection}"))
    assert "not available" in page
    for part in ("settings", "rules", "maintenance", "health", "sync", "activity"):
        assert browser.get(f"/rmm/connections/{connection}/{part}").status_code == 200, part
    assert browser.post(f"/rmm/connections/{connection}/disconnect").status_code == 303


def test_cards_list_broken_providers_for_those_who_configure(world: World) -> None:
    assert "cannot be imported" in said(world.client().get("/rmm/settings"))
    assert "cannot be imported" not in said(world.client("technician").get("/rmm/settings"))
