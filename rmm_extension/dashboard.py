"""rq-dashboard inside the app: to look at, behind a permission.

The extension's own page of runs is what an installation needs; this shows RQ's side of it. rq-dashboard was
made to be an app of its own, so it is fenced: it cannot change anything here, reads Redis with one client,
reads our jobs as the JSON they are, and brings the content security policy its inline scripts need.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from flask import Blueprint, Flask, Response, abort, redirect, request
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import Worker
from werkzeug.wrappers import Response as BaseResponse

from .domain.errors import ConfigError
from .services.context import Rmm

PERMISSION = "rmm.jobs.view"
CSP = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Inline and evaluated scripts (its templates are compiled in the browser) on its own paths only. It is set
before the app's own ``after_request`` functions run: a host that sets a policy should ``setdefault`` it."""

READING = frozenset(
    {
        "static",
        "favicon",
        "queues_overview",
        "workers_overview",
        "jobs_overview",
        "job_view",
        "list_queues",
        "list_jobs",
        "job_info",
        "list_workers",
    }
)
"""Views that only read. Every other one is refused, those of a later version included: one of today's changes
state on GET, and none asks for a CSRF token."""

Guard = Callable[[], BaseResponse | None]


def mount_rq_dashboard(app: Flask, guard: Guard | None = None, url_prefix: str | None = None) -> None:
    """Serve rq-dashboard under ``url_prefix`` (``/rmm/rq``); mount the extension first.

    ``guard`` lets a request through by returning ``None``; without one the permission ``rmm.jobs.view``
    decides. Raises ``ConfigError`` when the extra is not installed or Redis is not configured.
    """
    rmm: Rmm = app.extensions["rmm"].services
    url = rmm.settings.redis_url
    if url is None:
        raise ConfigError("rq-dashboard shows what is in Redis: set RMM_REDIS_URL.")
    if "rq_dashboard" in app.blueprints:
        raise ConfigError("rq-dashboard is mounted in this app already.")
    module = _load()
    _read_as_json(module)
    blueprint: Blueprint = module.blueprint
    # In place of its own hook, which makes a client per request and leaves it on the app for all threads.
    blueprint.before_request_funcs[None] = [_refuse_changes, guard or _permission_guard(rmm)]
    blueprint.after_request(_with_policy)
    app.config["RQ_DASHBOARD_REDIS_URL"] = (url,)
    app.config["RQ_DASHBOARD_DISABLE_DELETE"] = True
    client = Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=2)
    app.redis_conn = client  # type: ignore[attr-defined] # where its views look for it
    # At app level and under its own name: its pages ask for ``rq_dashboard.static``.
    app.register_blueprint(blueprint, url_prefix=url_prefix or f"{rmm.settings.url_prefix}/rq")


def _load() -> ModuleType:
    """A copy of the module for this app: the blueprint in it is a global that serves one app only."""
    try:
        spec = importlib.util.find_spec("rq_dashboard.web")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except ImportError as error:
        raise ConfigError(
            f"rq-dashboard cannot be imported ({error}): pip install 'rmm-extension[dashboard]'."
        ) from error
    return module


class _JsonJob(Job):
    """A job as the dashboard may read it: as JSON, its call shown by its description."""

    @classmethod
    def fetch(cls, id: str, connection: Redis | None = None, serializer: Any = None) -> Job:  # noqa: A002
        """RQ's own would unpickle whatever is in Redis."""
        return super().fetch(id, connection=connection, serializer=JSONSerializer)

    def get_call_string(self) -> str | None:
        """Only what was meant to be shown: arguments stay out."""
        return self.description


class _Workers:
    """In place of RQ's ``Worker`` in its views, which only ask for all of them."""

    all = staticmethod(partial(Worker.all, job_class=_JsonJob, serializer=JSONSerializer))


def _read_as_json(module: Any) -> None:
    module.config.serializer = JSONSerializer
    module.Job = _JsonJob
    module.Worker = _Workers


def _refuse_changes() -> None:
    view = (request.endpoint or "").rpartition(".")[2]
    if request.method not in ("GET", "HEAD", "OPTIONS") or view not in READING:
        abort(405, "The dashboard here only shows: cancel and start work on the extension's own pages.")
    if (request.view_args or {}).get("instance_number", 0) != 0:
        abort(404)


def _permission_guard(rmm: Rmm) -> Guard:
    def guard() -> BaseResponse | None:
        actor = rmm.host.actors.current()
        if actor is None:
            return redirect(rmm.host.urls.login(request.url)) if rmm.host.urls else abort(403)
        return None if rmm.host.permissions.allows(actor, PERMISSION) else abort(403)

    return guard


def _with_policy(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CSP)
    return response
