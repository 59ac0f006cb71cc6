from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from redis import Redis

from rmm_extension.dashboard import PERMISSION, READING, mount_rq_dashboard
from rmm_extension.domain.errors import ConfigError
from rmm_extension.jobs import queues, worker
from rmm_extension.services import runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from tests.jobs import tiny
from tests.jobs.tiny import MARA

PAGES = (
    "/rmm/rq/",
    "/rmm/rq/0/view/workers",
    "/rmm/rq/0/view/jobs",
    "/rmm/rq/0/data/queues.json",
    "/rmm/rq/0/data/workers.json",
    "/rmm/rq/static/js/jquery-3.5.1.min.js",
)


@pytest.fixture
def client(app: Flask, people: tiny.People) -> FlaskClient:
    """Somebody who may look."""
    mount_rq_dashboard(app)
    people.actor, people.permissions = MARA, {PERMISSION}
    return app.test_client()


def enqueue(rmm: Rmm, redis: Redis) -> str:
    with unit(rmm) as session:
        runs.start(rmm, session, MARA, "test_do", subject={"action": "it"})
    from rmm_extension.services import schedule

    handouts = schedule.hand_out(rmm)
    queues.enqueue_runs(redis, handouts)
    return queues.job_id(handouts[0])


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_it_without_the_permission(client: FlaskClient, people: tiny.People, path: str) -> None:
    with client.get(path) as answer:
        assert answer.status_code == 200
    people.permissions = {"rmm.view"}
    assert client.get(path).status_code == 403
    people.actor = None
    assert client.get(path).status_code == 403


def test_who_is_not_signed_in_is_sent_to_the_log_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    rmm = app.extensions["rmm"].services
    urls: Any = SimpleNamespace(login=lambda next_url: "/login?next=" + next_url)
    object.__setattr__(rmm.host, "urls", urls)
    mount_rq_dashboard(app)
    answer = app.test_client().get("/rmm/rq/")
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")


def test_the_hosts_own_guard_decides_where_it_gives_one(app: Flask) -> None:
    mount_rq_dashboard(app, guard=lambda: Response("no", 418))
    assert app.test_client().get("/rmm/rq/").status_code == 418


def test_nothing_can_be_changed_by_any_of_its_routes(
    app: Flask, client: FlaskClient, rmm: Rmm, redis: Redis
) -> None:
    job = enqueue(rmm, redis)
    values = {"job_id": job, "queue_name": queues.ALERTS, "registry_name": "queued", "instance_number": 0}
    tried = 0
    for rule in app.url_map.iter_rules():
        view = rule.endpoint.removeprefix("rq_dashboard.")
        if rule.endpoint == view or view in READING:
            continue
        url = app.url_map.bind("").build(rule.endpoint, {k: values[k] for k in rule.arguments})
        for method in ("GET", "POST", "DELETE", "PUT"):
            assert client.open(url, method=method).status_code in (404, 405), (method, url)
            tried += 1
    assert tried >= 5 * 4
    assert client.get(f"/rmm/rq/requeue/{queues.ALERTS}").status_code == 405
    assert client.post("/rmm/rq/").status_code == 405
    assert job in queues.queue(queues.ALERTS, redis).job_ids


def test_our_jobs_are_shown_by_their_description(client: FlaskClient, rmm: Rmm, redis: Redis) -> None:
    job = enqueue(rmm, redis)
    assert client.get(f"/rmm/rq/0/view/job/{job}").status_code == 200
    shown = client.get(f"/rmm/rq/0/data/job/{job}.json").get_json()
    assert shown["description"].startswith("rmm.test_do run=")
    listed = client.get(f"/rmm/rq/0/data/jobs/{queues.ALERTS}/queued/8/asc/1.json").get_json()
    assert job in [entry["id"] for entry in listed["jobs"]]


def test_a_working_worker_can_be_looked_at(app: Flask, client: FlaskClient, rmm: Rmm, redis: Redis) -> None:
    """rq-dashboard's own view unpickles the current job's call and answers 500 for JSON."""
    job = enqueue(rmm, redis)
    busy = worker.make_worker(app, queues.ALERTS, redis)
    busy.register_birth()
    busy.set_current_job_id(job)
    (shown,) = client.get("/rmm/rq/0/data/workers.json").get_json()["workers"]
    assert shown["current_job"]["call_string"].startswith("rmm.test_do run=")
    busy.register_death()


def test_another_instance_is_not_found(client: FlaskClient) -> None:
    assert client.get("/rmm/rq/7/view/queues").status_code == 404


def test_its_policy_is_for_its_own_paths_and_yields_to_none(app: Flask, client: FlaskClient) -> None:
    @app.after_request
    def host_policy(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", "default-src 'self'")
        return response

    assert "'unsafe-eval'" in client.get("/rmm/rq/").headers["Content-Security-Policy"]
    assert client.get("/elsewhere").headers["Content-Security-Policy"] == "default-src 'self'"


def test_two_apps_of_one_process_have_one_each(
    app: Flask, client: FlaskClient, database_url: str, redis_url: str
) -> None:
    second = tiny.make_app(database_url, redis_url)
    mount_rq_dashboard(second, guard=lambda: None)
    assert client.get("/rmm/rq/").status_code == 200
    assert second.test_client().get("/rmm/rq/").status_code == 200
    with pytest.raises(ConfigError, match="already"):
        mount_rq_dashboard(app)


def test_without_the_extra_it_says_what_to_install(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arrow", None)
    with pytest.raises(ConfigError, match=r"pip install 'rmm-extension\[dashboard\]'"):
        mount_rq_dashboard(app)


def test_without_redis_it_says_what_to_set(database_url: str) -> None:
    with pytest.raises(ConfigError, match="RMM_REDIS_URL"):
        mount_rq_dashboard(tiny.make_app(database_url, None))
