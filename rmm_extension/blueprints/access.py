"""Letting people in: every view names the permission it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec

from flask import Flask, abort, current_app, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, validate_csrf
from wtforms import ValidationError

from .context import allows, current_actor, current_rmm, end_reading, session

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]

DENIED = {
    "rmm.view": "see RMM pages",
    "rmm.configure": "configure RMM connections",
    "rmm.alerts.manage": "work on RMM alerts",
    "rmm.sync": "start syncs",
    "rmm.execute": "run actions on devices",
    "rmm.remote_access": "open remote sessions",
    "rmm.workflows.manage": "manage workflows",
    "rmm.jobs.view": "see background work",
}
"""What each permission lets people do, as the refusal says it."""


def requires(permission: str) -> Callable[[View[P]], View[P]]:
    """Let only signed-in people of an active tenant with the permission into the view.

    Forms are checked for their token here, whether or not the host checks it as well. A view that returns
    ends its transaction with a commit, so that reading never costs a rollback.
    """
    if permission not in DENIED:
        raise ValueError(f"There is no permission {permission}.")

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            sent_away = _enter(permission)
            if sent_away is not None:
                return sent_away
            answer = view(*args, **kwargs)
            end_reading()
            return answer

        guarded.rmm_permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def check(permission: str) -> None:
    """Refuse in words what needs a further permission than the view itself."""
    if not allows(permission):
        abort(403, description=f"Your role may not {DENIED[permission]}. An administrator can change that.")


def unguarded(app: Flask, blueprint: str = "rmm") -> Iterator[str]:
    """Endpoints of the blueprint whose view names no permission; static files are no views."""
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith(f"{blueprint}.") or rule.endpoint == f"{blueprint}.static":
            continue
        if not hasattr(app.view_functions[rule.endpoint], "rmm_permission"):
            yield rule.endpoint


def _enter(permission: str) -> ResponseReturnValue | None:
    actor = current_actor()
    if actor is None:
        return _to_login()
    tenant = current_rmm().host.tenants.get(session(), actor.tenant_id)
    if tenant is None or not tenant.is_active:
        abort(403, description="This organization's access is suspended. Nothing is lost meanwhile.")
    check(permission)
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        _check_token()
    return None


def _to_login() -> ResponseReturnValue:
    urls = current_rmm().host.urls
    if urls is None:
        abort(401)
    reading = request.method in ("GET", "HEAD")
    return redirect(urls.login(request.full_path.rstrip("?") if reading else request.root_path + "/"))


def _check_token() -> None:
    if g.get("csrf_valid") or not current_app.config.get("WTF_CSRF_ENABLED", True):
        return
    field = current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token")
    try:
        validate_csrf(request.form.get(field) or request.headers.get("X-CSRFToken"))
    except ValidationError as error:
        raise CSRFError(str(error)) from error
