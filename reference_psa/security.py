"""What guards every page: the log-in wall, and the headers that tell browsers what to refuse."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, cast

from flask import Flask, Response, abort, current_app, g, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect

from reference_psa.db import db
from reference_psa.models import Tenant, User
from reference_psa.roles import role_allows

P = ParamSpec("P")

csrf = CSRFProtect()
login_manager = LoginManager()

PUBLIC_ENDPOINTS = frozenset(
    # A calendar's address is its own key.
    {"auth.login", "health.healthz", "calendar.feed", "static", "bootstrap.static"}
)

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "style-src 'self'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "object-src 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def init_security(app: Flask) -> None:
    """Put the wall, CSRF protection and headers before every page."""
    csrf.init_app(app)
    login_manager.init_app(app)
    login_manager.user_loader(load_user)
    app.before_request(require_session)
    app.after_request(add_headers)


def load_user(key: str) -> User | None:
    """The user of a session, as long as both the user and the tenant are there."""
    tenant_id, _, user_id = key.partition("/")
    user = db.session.get(User, (tenant_id, user_id))
    return user if user and user.is_enabled else None


def require_session() -> ResponseReturnValue | None:
    """Send whoever has no session to the log-in page; answer programs with 401."""
    if _is_public() or current_user.is_authenticated:
        return None
    if request.path.startswith("/api/"):
        problem = jsonify(type="about:blank", title="Sign in first", status=401)
        problem.content_type = "application/problem+json"
        return problem, 401
    target = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(url_for("auth.login", next=target))


def _is_public() -> bool:
    endpoint = request.endpoint or ""
    return endpoint in PUBLIC_ENDPOINTS or endpoint.endswith(".static")


def add_headers(response: Response) -> Response:
    """Add what every answer carries; a page that knows better keeps its own."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def requires(right: str) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Let only users with the right into the view."""

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if not role_allows(current_user.role, right):
                abort(403)
            return view(*args, **kwargs)

        return guarded

    return decorate


def current_tenant() -> Tenant:
    """The tenant the signed-in user works for, read once per request."""
    if "psa_tenant" not in g:
        g.psa_tenant = db.get_or_404(Tenant, current_user.tenant_id)
    return cast(Tenant, g.psa_tenant)
