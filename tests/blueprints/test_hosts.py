"""Other hosts than the reference PSA: no base template, fewer ports, own templates."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from jinja2 import ChoiceLoader, FileSystemLoader

from rmm_extension.host import PsaHost

from .conftest import World, said


def with_ports(world: World, **ports: None) -> None:
    """Take ports away from the host."""
    mounted = world.app.extensions["rmm"]
    host: PsaHost = dataclasses.replace(mounted.services.host, **ports)
    world.app.extensions["rmm"] = dataclasses.replace(
        mounted, services=dataclasses.replace(mounted.services, host=host)
    )


def test_pages_stand_in_the_extensions_own_frame(world: World) -> None:
    world.app.config["RMM_BASE_TEMPLATE"] = "rmm/base.html"
    connection = world.connect()
    world.alerts(connection, 1)
    browser = world.client()
    for path in ("", "alerts", "devices", "settings", f"connections/{connection}", "nowhere"):
        answer = browser.get(f"/rmm/{path}")
        assert answer.status_code == (404 if path == "nowhere" else 200)
    page = browser.get("/rmm/alerts")
    assert "Skip to the content" in said(page)
    assert page.text.count("rmm.css") == 1
    browser.post(f"/rmm/connections/{connection}/pause")
    assert "is paused" in said(browser.get(f"/rmm/connections/{connection}"))


def test_every_page_works_without_the_optional_ports(world: World) -> None:
    connection = world.connect()
    world.organizations(connection, ["Alpha"], client_id="one-c0")
    (device,) = world.devices(connection, 1, asset_id="a1", client_id="one-c0")
    (alert,) = world.alerts(connection, 1, ticket_id="t1", client_id="one-c0", device_id=device)
    with_ports(world, contacts=None, assets=None, tickets=None, urls=None, entitlements=None, users=None)
    browser = world.client()
    paths = ["", "settings", "alerts", "devices", "jobs", "attention", "alerts.csv", "devices.csv"]
    paths.append("maintenance")
    paths += [f"alerts/{alert}", f"devices/{device}", f"connections/{connection}"]
    paths += [
        f"connections/{connection}/{part}"
        for part in ("organizations", "maintenance", "proposals", "settings", "activity")
    ]
    for path in paths:
        assert browser.get(f"/rmm/{path}").status_code == 200, path
    assert world.app.extensions["rmm"].services.host.urls is None


def test_without_urls_nobody_is_sent_to_a_log_in_page(world: World) -> None:
    with_ports(world, urls=None)
    world.app.before_request_funcs[None] = []  # a host without a wall of its own
    answer = world.app.test_client().get("/rmm/alerts")
    assert answer.status_code == 401
    assert "Sign in first" in said(answer)


def test_a_host_overrides_a_template(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "rmm" / "alerts"
    folder.mkdir(parents=True)
    (folder / "list.html").write_text("our own list of {{ list.count.number }}")
    assert world.app.jinja_loader is not None
    world.app.jinja_loader = ChoiceLoader([FileSystemLoader(str(tmp_path)), world.app.jinja_loader])
    assert world.client().get("/rmm/alerts").text == "our own list of 0"


def test_another_prefix(world: World) -> None:
    from reference_psa import create_app
    from reference_psa.db import db

    app = create_app({**world.app.config, "RMM_URL_PREFIX": "/tools/remote"})
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert "/tools/remote/alerts" in rules
    assert "/tools/remote/static/<path:filename>" in rules
    with app.app_context():
        db.engine.dispose()
