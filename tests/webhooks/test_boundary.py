"""The edge of HTTP: methods, sizes, the host's hooks, cookies."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import requests

from tests.harness.live import serving
from tests.harness.world import World

LIMIT = 262_144


def url(world: World) -> str:
    return f"/api/webhooks/tacticalrmm/{world.token}"


def headers(world: World) -> dict[str, str]:
    return {"X-RMM-Webhook-Secret": world.secret, "Content-Type": "application/json"}


def padded(world: World, size: int) -> bytes:
    """A good delivery of exactly this many bytes."""
    bare = json.dumps(world.body(x="")).encode()
    return json.dumps(world.body(x="x" * (size - len(bare)))).encode()


def test_other_methods(world: World) -> None:
    body = json.dumps(world.body())
    for path in (url(world), f"/api/webhooks/tacticalrmm?tenant={world.tenant}"):
        for method in ("GET", "PUT", "PATCH", "DELETE", "HEAD"):
            answer = world.http.open(path, method=method, headers=headers(world), data=body)
            assert answer.status_code == 405, (method, path)
            assert "POST" in answer.headers["Allow"]
    assert world.one("SELECT count(*) FROM rmm_alerts") == 0


def test_options_tell_the_method_and_take_nothing(world: World) -> None:
    answer = world.http.open(
        url(world), method="OPTIONS", headers=headers(world), data=json.dumps(world.body())
    )
    assert answer.status_code in (200, 204)
    assert "POST" in answer.headers["Allow"]
    assert world.one("SELECT count(*) FROM rmm_alerts") == 0


@pytest.mark.parametrize("size, status", [(LIMIT, 200), (LIMIT + 1, 413), (2_000_000, 413)])
def test_the_size(world: World, size: int, status: int) -> None:
    assert world.post(padded(world, size)).status_code == status
    assert world.one("SELECT count(*) FROM rmm_alerts") == (1 if status == 200 else 0)


@pytest.mark.parametrize("size, status", [(LIMIT, 200), (LIMIT + 1, 413), (2_000_000, 413)])
def test_the_size_of_what_comes_in_chunks(world: World, size: int, status: int) -> None:
    body = padded(world, size)
    chunks = (body[start : start + 50_000] for start in range(0, size, 50_000))
    with serving(world.app) as address:
        try:
            answer = requests.post(address + url(world), data=chunks, headers=headers(world), timeout=20)
        except requests.ConnectionError:
            # The server may hang up on what it no longer reads; then nothing may have been taken.
            assert status == 413
        else:
            assert answer.status_code == status
    assert world.one("SELECT count(*) FROM rmm_alerts") == (1 if status == 200 else 0)


def test_chunks_without_a_length_are_bounded(world: World) -> None:
    answer = world.http.post(
        url(world),
        headers=headers(world),
        input_stream=io.BytesIO(padded(world, 2_000_000)),
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert answer.status_code == 413


def test_a_body_shorter_than_it_says_is_no_500(world: World) -> None:
    body = padded(world, 1000)
    answer = world.http.post(
        url(world),
        headers=headers(world),
        input_stream=io.BytesIO(body[:500]),
        environ_overrides={"CONTENT_LENGTH": "1000"},
    )
    assert answer.status_code == 400
    assert world.one("SELECT count(*) FROM rmm_alerts") == 0


def test_too_big_is_told_for_the_tenants_address_too(world: World) -> None:
    address = f"/api/webhooks/tacticalrmm?tenant={world.tenant}"
    assert world.post(padded(world, LIMIT + 1), url=address).status_code == 413


def test_the_host_may_set_another_limit(world: World) -> None:
    from dataclasses import replace

    from rmm_extension.extension import Mounted

    services = world.rmm
    settings = replace(services.settings, webhook_max_bytes=1024)
    world.app.extensions["rmm"] = Mounted(replace(services, settings=settings))
    assert world.post(padded(world, 1024)).status_code == 200
    assert world.post(padded(world, 1025)).status_code == 413


def test_no_session_no_cookie(world: World) -> None:
    for answer in (world.post(), world.post(secret="wrong"), world.post(b"junk")):
        assert "Set-Cookie" not in answer.headers
        assert answer.content_type == "application/json"


def test_a_session_that_comes_along_changes_nothing(world: World) -> None:
    client = world.app.test_client()
    client.set_cookie("session", "forged")
    answer = client.post(url(world), json=world.body(), headers=headers(world))
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_csrf_and_log_in_stay_in_the_way_of_everything_else(world: World) -> None:
    """Webhooks and messages to bots pass them although both are on; no other route that takes a POST does."""
    assert world.app.config.get("WTF_CSRF_ENABLED", True)
    assert world.post().status_code == 200
    unknown = "00000000-0000-0000-0000-000000000000"
    checked = 0
    for rule in world.app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or rule.endpoint.startswith(("rmm_webhooks.", "rmm_messages")):
            continue
        values: dict[str, Any] = {
            name: unknown if "uuid" in type(converter).__name__.lower() else "1"
            for name, converter in rule._converters.items()
        }
        with world.app.test_request_context():
            path = world.app.url_map.bind("localhost").build(rule.endpoint, values, method="POST")
        answer = world.http.post(path, headers=headers(world), data=json.dumps(world.body()))
        assert answer.status_code in (302, 303, 400, 401, 403), (path, answer.status_code)
        checked += 1
    assert checked > 10


def test_a_page_beside_the_webhooks_is_not_exempt(world: World) -> None:
    for path in ("/api/webhooks", "/api/webhooks/", "/api/webhooks/a/b/c"):
        answer = world.http.post(path, headers=headers(world))
        assert answer.status_code in (401, 404), path


def test_hooks_that_the_host_adds_later_do_not_stop_a_delivery(world: World) -> None:
    from reference_psa import create_app
    from tests.harness.schema import app_config

    app = create_app(app_config(world.app.config["SQLALCHEMY_DATABASE_URI"]))

    def wall() -> tuple[str, int]:
        return "No.", 403

    app.before_request(wall)
    answer = app.test_client().post(url(world), json=world.body(), headers=headers(world))
    assert answer.status_code == 200
    assert app.test_client().get("/").status_code != 200
    with app.app_context():
        app.extensions["rmm"].services.db.engine.dispose()
