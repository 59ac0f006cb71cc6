"""Faults switched on at run time: wrong statuses, slow answers, cut bodies, wrong shapes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

MODES = (
    "unauthorized",
    "forbidden",
    "not_found_html",
    "throttled",
    "server_error",
    "dashboard_html",
    "slow",
    "cut_body",
    "wrong_shape",
    "redirect",
)
"""Names of the faults, as the control API takes them."""


@dataclass
class Fault:
    """A fault on every path that starts with `prefix`; `count` answers, or until cleared when null."""

    mode: str
    prefix: str = "/"
    count: int | None = None
    seconds: float = 5.0
    retry_after: str | None = "30"
    body: str | None = None
    location: str = "http://127.0.0.1:9/"
    status: int = 500
    after: int = 0
    """Requests below the prefix that are still answered well before the fault begins."""


class Misbehaviours:
    """The faults in force, oldest first; the first that matches a path answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        if fault.mode not in MODES:
            raise ValueError(f"mode is one of {', '.join(MODES)}")
        with self._lock:
            self._faults.append(fault)

    def clear(self, prefix: str | None = None) -> None:
        """Lift all faults, or those of one prefix."""
        with self._lock:
            self._faults = [f for f in self._faults if prefix is not None and f.prefix != prefix]

    def listing(self) -> list[dict[str, Any]]:
        """The faults in force, as plain data."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def take(self, path: str) -> Fault | None:
        """The fault for this path, counting it down."""
        with self._lock:
            for fault in self._faults:
                if not path.startswith(fault.prefix):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                self._count_down(fault)
                return fault
        return None

    def _count_down(self, fault: Fault) -> None:
        if fault.count is None:
            return
        fault.count -= 1
        if fault.count <= 0:
            self._faults.remove(fault)


WsgiApp = Callable[..., Iterable[bytes]]
Canned = Mapping[str, Callable[[Fault], Response]]
"""By mode, the answer of a vendor that does not depend on the request."""


def apply_fault(
    fault: Fault, canned: Canned, inner: WsgiApp, environ: dict[str, Any], start: Callable[..., Any]
) -> Iterable[bytes]:
    """Answer a request the way the fault says."""
    if fault.mode == "slow":
        time.sleep(fault.seconds)
        return inner(environ, start)
    if fault.mode == "cut_body":
        return _cut(inner, environ, start)
    if fault.mode == "redirect":
        return Response("", 302, {"Location": fault.location})(environ, start)
    return canned[fault.mode](fault)(environ, start)


def _cut(inner: WsgiApp, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Announce the whole body and send half of it; the HTTP server then closes the connection."""
    chunks, status, headers = run_wsgi_app(inner, environ, buffered=True)
    body = b"".join(chunks)
    headers["Content-Length"] = str(len(body))
    start(status, list(headers.items()))
    return [body[: len(body) // 2]]
