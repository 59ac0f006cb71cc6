"""Acme RMM's server, as far as ``acme/acme_rmm.py`` asks it: what it holds, and a thread that answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

HEADER = "X-Acme-Secret"
API_KEY = "acme-key-0123456789abcdef"
PAGE = 2
"""Machines on a page."""


@dataclass
class Account:
    """What Acme knows: customers, machines and alerts as its API tells them, and what it was asked to do."""

    customers: list[dict[str, Any]] = field(default_factory=list)
    machines: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    rebooted: list[str] = field(default_factory=list)

    def raise_alert(self, number: str, machine: dict[str, Any], check: str, text: str) -> dict[str, Any]:
        """Something is wrong with a machine; the body of the webhook that tells of it."""
        found = {
            "id": number,
            "machine_id": machine["id"],
            "machine_name": machine["name"],
            "customer_id": machine["customer_id"],
            "check": check,
            "level": "critical",
            "text": text,
            "raised_at": datetime.now(UTC).isoformat(),
            "cleared_at": None,
        }
        self.alerts.append(found)
        return found

    def answer(self, method: str, path: str, after: str) -> tuple[int, Any]:
        """The status and the body of an answer."""
        match (method, *path.removeprefix("/api/").split("/")):
            case ("GET", "account"):
                return 200, {"name": "Northwind IT"}
            case ("GET", "customers"):
                return 200, self.customers
            case ("GET", "customers", customer, "machines"):
                return self._machines(customer, int(after or 0))
            case ("GET", "alerts"):
                return 200, [alert for alert in self.alerts if alert["cleared_at"] is None]
            case ("GET", "alerts" | "machines" as kind, number):
                return self._one(kind, number)
            case ("POST", "alerts", number, "clear"):
                return self._clear(number)
            case ("POST", "machines", number, "reboot"):
                self.rebooted.append(number)
                return 202, {"order": f"order-{len(self.rebooted)}"}
        return 404, {"error": "There is no such thing."}

    def _machines(self, customer: str, start: int) -> tuple[int, Any]:
        own = [machine for machine in self.machines if machine["customer_id"] == customer]
        end = start + PAGE
        return 200, {"machines": own[start:end], "next": str(end) if end < len(own) else None}

    def _one(self, kind: str, number: str) -> tuple[int, Any]:
        rows = self.alerts if kind == "alerts" else self.machines
        found = next((row for row in rows if row["id"] == number), None)
        return (200, found) if found else (404, {"error": "There is no such thing."})

    def _clear(self, number: str) -> tuple[int, Any]:
        status, found = self._one("alerts", number)
        if status == 200:
            found["cleared_at"] = found["cleared_at"] or datetime.now(UTC).isoformat()
        return status, found


@contextmanager
def serving(account: Account) -> Iterator[str]:
    """The server's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["X-Acme-Key"] == API_KEY
            url = urlsplit(self.path)
            after = parse_qs(url.query).get("after", [""])[0]
            status, body = account.answer(self.command, url.path, after) if known else (401, {})
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815 - the name http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing of requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
