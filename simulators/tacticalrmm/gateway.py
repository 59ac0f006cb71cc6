"""The outermost layer: request log, faults, beta switch, redirects and the Date header."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, request
from werkzeug.routing import RequestRedirect

from simulators.tacticalrmm.clock import http_date
from simulators.tacticalrmm.drift import run_scheduled
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.misbehaviour import WsgiApp, apply_fault
from simulators.tacticalrmm.replies import not_routed

CONTROL = "/_control/"


class Gateway:
    """WSGI layer around the application. The control page passes through untouched."""

    def __init__(self, inner: WsgiApp, lab: Lab) -> None:
        self.inner = inner
        self.lab = lab

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path.startswith(CONTROL):
            return self.inner(environ, start)
        entry = self._log(environ, path)
        fault = self.lab.misbehaviours.take(path)
        entry["fault"] = fault.mode if fault else None

        def noting_start(status: str, headers: list[Any], *rest: Any) -> Any:
            entry["status"] = int(status.split()[0])
            return start(status, headers, *rest)

        body = (
            apply_fault(fault, self.inner, environ, noting_start)
            if fault
            else self.inner(environ, noting_start)
        )
        with self.lab.lock:
            run_scheduled(self.lab, path)
        return body

    def _log(self, environ: dict[str, Any], path: str) -> dict[str, Any]:
        """Count the request and remember it. Of a key only the name of its owner is kept."""
        method = environ["REQUEST_METHOD"]
        key = self.lab.api_keys.get(environ.get("HTTP_X_API_KEY", ""))
        entry = {
            "at": self.lab.clock.now().isoformat(),
            "method": method,
            "path": path,
            "query": environ.get("QUERY_STRING", ""),
            "user": key.user.name if key else None,
            "user_agent": environ.get("HTTP_USER_AGENT", ""),
            "status": None,
        }
        with self.lab.lock:
            self.lab.counters[f"{method} {path}"] += 1
            self.lab.requests.append(entry)
        return entry


def before(lab: Lab) -> Response | None:
    """Answers given before any credentials are looked at."""
    if request.path.startswith("/beta/") and not lab.beta_enabled:
        return not_routed()
    if isinstance(request.routing_exception, RequestRedirect):
        query = request.query_string.decode()
        location = request.path + "/" + (f"?{query}" if query else "")
        return Response("", 301, {"Location": location, "Content-Type": "text/html; charset=utf-8"})
    return None


def install(app: Flask, lab: Lab) -> None:
    """Put the layer around the application."""
    app.before_request(lambda: before(lab))

    @app.after_request
    def finish(reply: Response) -> Response:
        reply.autocorrect_location_header = False
        reply.headers["Date"] = http_date(lab.clock.now())
        if not request.path.startswith(CONTROL):
            reply.headers.setdefault("Vary", "origin")
        return reply

    app.wsgi_app = Gateway(app.wsgi_app, lab)  # type: ignore[method-assign, assignment]
