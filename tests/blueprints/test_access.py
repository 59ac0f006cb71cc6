"""Who gets in: every view has a permission, roles have theirs, tenants never meet."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule

from reference_psa.db import db
from reference_psa.models import Tenant
from rmm_extension.blueprints.access import requires, unguarded
from rmm_extension.domain.settings import Settings
from rmm_extension.host import PERMISSIONS
from rmm_extension.models import MaintenanceWindow

from .conftest import World, said

LEAK = re.compile(r"secret[ -](connection|alert|pc|actor|organization|error)", re.IGNORECASE)
MADE_UP = UUID("01900000-0000-7000-8000-000000000000")


def pages(app: Flask) -> list[tuple[str, Rule]]:
    """Method and rule of every page."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("rmm.")]
    found = [rule for rule in rules if rule.endpoint != "rmm.static"]
    return [(method, rule) for rule in found for method in sorted((rule.methods or set()) & {"GET", "POST"})]


def address(world: World, rule: Rule, ids: dict[str, Any]) -> str:
    """The rule with these ids in it."""
    known = {"provider_key": "acme", "mode_key": "api_key", "step": "organizations", **ids}
    with world.app.test_request_context():
        from flask import url_for

        return url_for(rule.endpoint, **{name: known.get(name, MADE_UP) for name in rule.arguments})


def test_every_view_names_a_permission(world: World) -> None:
    assert list(unguarded(world.app)) == []
    permissions = {
        getattr(world.app.view_functions[rule.endpoint], "rmm_permission", "") for _, rule in pages(world.app)
    }
    assert permissions <= set(PERMISSIONS)


def test_a_view_without_a_permission_is_found(world: World) -> None:
    world.app.view_functions["rmm.overview"] = lambda: "open"
    assert list(unguarded(world.app)) == ["rmm.overview"]


def test_an_unknown_permission_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no permission"):
        requires("rmm.everything")


def test_nobody_gets_in_without_signing_in(world: World) -> None:
    ids = {"integration_id": MADE_UP, "alert_id": MADE_UP, "device_id": MADE_UP, "run_id": MADE_UP}
    browser = world.app.test_client()
    for method, rule in pages(world.app):
        more = {"mapping_id": MADE_UP, "rule_id": MADE_UP, "window_id": MADE_UP}
        answer = browser.open(address(world, rule, {**ids, **more}), method=method)
        assert answer.status_code == 302, rule
        assert answer.location.startswith("/login"), rule


@pytest.mark.parametrize(
    "role,expected",
    [
        ("admin", 200),
        ("dispatcher", 403),
        ("technician", 403),
        ("read_only", 403),
    ],
)
def test_only_administrators_configure(world: World, role: str, expected: int) -> None:
    connection = world.connect()
    browser = world.client(role)
    for path in ("settings", "credentials", "webhook", "activity", "disconnect"):
        answer = browser.get(f"/rmm/connections/{connection}/{path}")
        assert answer.status_code == expected, path
    assert browser.get("/rmm/connect/acme").status_code == expected
    assert browser.get("/rmm/alerts").status_code == 200


def test_a_refusal_is_in_words(world: World) -> None:
    answer = world.client("read_only").get("/rmm/connect/acme")
    assert answer.status_code == 403
    assert "Your role may not configure RMM connections" in said(answer)
    assert "Reference" in said(answer)


@pytest.mark.parametrize("role,expected", [("admin", 303), ("dispatcher", 303), ("technician", 403)])
def test_who_may_sync(world: World, role: str, expected: int) -> None:
    connection = world.connect()
    answer = world.client(role).post(f"/rmm/connections/{connection}/sync", data={"what": "devices"})
    assert answer.status_code == expected


def test_whoever_may_not_see_jobs_sees_no_run(world: World) -> None:
    run = world.run(world.connect())
    assert world.client("technician").get("/rmm/jobs").status_code == 403
    assert world.client("technician").get(f"/rmm/jobs/{run}").status_code == 403
    assert world.client("dispatcher").get(f"/rmm/jobs/{run}").status_code == 200


def test_another_tenants_ids_are_not_found(world: World) -> None:
    connection = world.connect()
    ids = {
        "integration_id": connection,
        "alert_id": world.alerts(connection)[0],
        "device_id": world.devices(connection)[0],
        "run_id": world.run(connection),
        "mapping_id": world.organizations(connection, ["Theirs"])[0],
        "rule_id": world.rules(connection, "Theirs")[0],
        "window_id": world.insert(MaintenanceWindow, [{"name": "Theirs", "is_active": True}])[0],
    }
    stranger = world.client(tenant="two")
    checked = 0
    for method, rule in pages(world.app):
        if not set(rule.arguments) & set(ids):
            continue
        answer = stranger.open(
            address(world, rule, ids), method=method, data={"name": "Mine", "minutes": "60"}
        )
        if answer.status_code == 303:  # an action that says it in words on the way back
            answer = stranger.get(answer.location)
        assert answer.status_code == 404, rule
        assert "Theirs" not in answer.text
        checked += 1
    assert checked > 20


def test_lists_show_ones_own_tenant_only(world: World) -> None:
    connection = world.connect("Secret connection")
    world.alerts(connection, message="Secret alert")
    world.devices(connection, name="SECRET-PC")
    world.run(connection, actor_name="Secret actor")
    world.organizations(connection, ["Secret organization"], last_error="Secret error")
    stranger = world.client(tenant="two")
    for path in ("", "settings", "alerts", "devices", "jobs", "maintenance", "attention"):
        for query in ("", f"?connection={connection}", "?q=secret"):
            assert not LEAK.search(stranger.get(f"/rmm/{path}{query}").text), path


def test_a_suspended_tenant_is_told(world: World) -> None:
    with world.app.app_context():
        tenant = db.session.get(Tenant, "one")
        assert tenant is not None
        tenant.is_active = False
        db.session.commit()
    answer = world.client().get("/rmm/alerts")
    assert answer.status_code == 403
    assert "suspended" in said(answer)


def test_what_the_edition_lacks_is_refused(world: World) -> None:
    browser = world.client(tenant="small")
    assert "Acme RMM" not in said(browser.get("/rmm/settings"))
    assert "Single RMM" in said(browser.get("/rmm/settings"))
    answer = browser.get("/rmm/connect/acme")
    assert answer.status_code == 403
    assert "not part of this tenant's edition" in said(answer)


def test_forms_need_their_token(world: World) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = True
    connection = world.connect()
    browser = world.client()
    for method, rule in pages(world.app):
        if method == "POST" and set(rule.arguments) <= {"integration_id", "provider_key", "mode_key"}:
            answer = browser.post(address(world, rule, {"integration_id": connection}))
            assert answer.status_code == 400, rule
    page = browser.get(f"/rmm/connections/{connection}/settings").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = browser.post(f"/rmm/connections/{connection}/pause", data={"csrf_token": token})
    assert answer.status_code == 303


def test_errors_are_pages_without_traces(world: World) -> None:
    browser = world.client()
    answer = browser.get(f"/rmm/alerts/{MADE_UP}")
    assert answer.status_code == 404
    assert "Not found" in said(answer)
    assert browser.get("/rmm/alerts/rubbish").status_code == 404
    assert browser.get("/rmm/connect/nobody").status_code == 400


def test_the_database_away_is_503_in_words(world: World) -> None:
    broken = dict(world.app.config, SQLALCHEMY_DATABASE_URI="postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert isinstance(world.rmm.settings, Settings)
    from reference_psa import create_app

    app = create_app({**broken, "PROPAGATE_EXCEPTIONS": False})
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = "one/one-admin"
    answer = client.get("/rmm/alerts")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    with app.app_context():
        db.engine.dispose()
