"""The outermost layer of a simulator: request log, faults, and what happens after an answer."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from simulators.common.clock import Clock
from simulators.common.misbehaviour import Canned, Misbehaviours, WsgiApp, apply_fault

CONTROL = "/_control/"
LOG_LENGTH = 200


class Logged(Protocol):
    """What the layer needs of a vendor's state."""

    lock: threading.RLock
    clock: Clock
    counters: Counter[str]
    requests: deque[dict[str, Any]]
    misbehaviours: Misbehaviours

    def caller_of(self, environ: dict[str, Any]) -> str | None:
        """Whose key or token a request carries; never the key itself."""


class Gateway:
    """WSGI layer around the application. The control page passes through untouched.

    `after` gets the path of a request that has its answer, under the lock.
    """

    def __init__(self, inner: WsgiApp, lab: Logged, canned: Canned, after: Callable[[str], None]) -> None:
        self.inner = inner
        self.lab = lab
        self.canned = canned
        self.after = after

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
            apply_fault(fault, self.canned, self.inner, environ, noting_start)
            if fault
            else self.inner(environ, noting_start)
        )
        with self.lab.lock:
            self.after(path)
        return body

    def _log(self, environ: dict[str, Any], path: str) -> dict[str, Any]:
        """Count the request and remember it. Of a key only the name of its owner is kept."""
        method = environ["REQUEST_METHOD"]
        with self.lab.lock:
            entry = {
                "at": self.lab.clock.now().isoformat(),
                "method": method,
                "path": path,
                "query": environ.get("QUERY_STRING", ""),
                "user": self.lab.caller_of(environ),
                "user_agent": environ.get("HTTP_USER_AGENT", ""),
                "status": None,
            }
            self.lab.counters[f"{method} {path}"] += 1
            self.lab.requests.append(entry)
        return entry
