"""A tiny Tactical RMM in a process of its own (``python -m benchmarks.tactical``): clients of 1,000 agents.

The first part of a path names the fleet: ``/seen-10/agents/?client=3`` is the third of ten clients, with
every ``last_seen`` moved. Standard rows have 5 KB, rows of the beta list what a Windows agent has.
"""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.tiny_server import JsonHandler, serve, started

CLIENTS = 10
"""Clients whose pages are made once and kept; pages of others are made for every request."""
AGENTS = 1_000
ROW_BYTES = 5_000
HEAVY_BYTES = {"base": 140_000, "light": 30_000}
"""Size of a row of the beta list, by what the vendor says."""
VARIANTS = ("base", "seen", "changed")
"""What the vendor says: at first, with every ``last_seen`` moved, with a changed value in every row."""
SLOW = "slow"
"""As ``seen``, with the delays of a real server."""
_DELAYS = {"clients/": 0.14, "id_map": 0.2 / 3000, "agents": 4.3 / 3000, "core/customfields/": 0.01}
"""Seconds a real server needed: for a whole answer, or for each agent in it."""


def vendor() -> AbstractContextManager[str]:
    """The address of a vendor in a process of its own."""
    return started("benchmarks.tactical")


class _Vendor(JsonHandler):
    """Answers what the provider asks, under a path that names the fleet."""

    def answer(self) -> None:
        """Answer with JSON."""
        parts = urlsplit(self.path)
        _, fleet, path = parts.path.split("/", 2)
        variant, clients = fleet.split("-")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        body = _body("seen" if variant == SLOW else variant, int(clients), path, query)
        if variant == SLOW:
            time.sleep(_delay(path, query, int(clients)))
        self.send_json(len(body), [body])


def _delay(path: str, query: dict[str, str], clients: int) -> float:
    if path == "agents/" and "client" in query:
        return _DELAYS["agents"] * AGENTS
    return _DELAYS["id_map"] * AGENTS * clients if path == "agents/" else _DELAYS.get(path, 0)


def _body(variant: str, clients: int, path: str, query: dict[str, str]) -> bytes:
    if path == "beta/v1/agent/":
        return _heavy_page(query, HEAVY_BYTES[variant])
    if path == "beta/v1/site/":
        return json.dumps({"count": 0, "next": None, "results": []}).encode()
    if path == "agents/" and "client" in query:
        number = int(query["client"])
        return _kept_page(variant, number) if number <= CLIENTS else _page(variant, number)
    if path == "agents/":
        return _id_map(clients)
    return _clients(clients) if path in ("clients/", "beta/v1/client/") else b"[]"


@cache
def _clients(clients: int) -> bytes:
    rows = [{"id": n, "name": f"Client {n}", "agent_count": AGENTS} for n in range(1, clients + 1)]
    return json.dumps(rows).encode()


@cache
def _id_map(clients: int) -> bytes:
    rows = [
        {
            "id": n * AGENTS + i,
            "agent_id": _agent_id(n, i),
            "hostname": f"PC-{n}-{i}",
            "client": f"Client {n}",
        }
        for n in range(1, clients + 1)
        for i in range(AGENTS)
    ]
    return json.dumps(rows).encode()


@cache
def _kept_page(variant: str, number: int) -> bytes:
    return _page(variant, number)


def _page(variant: str, number: int) -> bytes:
    return b"[" + b",".join(_agent(variant, number, index) for index in range(AGENTS)) + b"]"


def _heavy_page(query: dict[str, str], size_of_row: int) -> bytes:
    client, size, page = int(query["client_id"]), int(query["page_size"]), int(query["page"])
    wanted = range((page - 1) * size, min(page * size, AGENTS))
    rows = b",".join(_heavy(client, index) + _services(size_of_row) for index in wanted)
    end = "null" if page * size >= AGENTS else '"next"'
    return b'{"count":%d,"next":%s,"previous":null,"results":[%s]}' % (AGENTS, end.encode(), rows)


def _heavy(client: int, index: int) -> bytes:
    """A row of ``GET /beta/v1/agent/`` but for its services: nearly all of it, and read by nobody."""
    row = {
        "agent_id": _agent_id(client, index),
        "hostname": f"PC-{client}-{index}",
        "monitoring_type": "workstation",
        "last_seen": f"2026-06-01T12:00:00.{index:06d}Z",
        "operating_system": "Windows 11 Pro, 64 bit v23H2 (build 22631.3593)",
        "version": "2.11.0",
        "total_ram": 16,
        "offline_time": 4,
        "overdue_time": 30,
        "disks": [{"device": "C:", "total": "465.3 GB", "free": "100.1 GB", "percent": 78}],
        "wmi_detail": {
            "bios": [[{"SerialNumber": f"SN{client:04d}{index:06d}"}]],
            "network_config": [[{"MACAddress": f"02:00:{client:02x}:00:{index >> 8:02x}:{index & 255:02x}"}]],
        },
    }
    return json.dumps(row).encode()[:-1]


@cache
def _services(size: int) -> bytes:
    count = size // len(json.dumps(_UNREAD))
    return b',"services":' + json.dumps([_UNREAD] * count).encode() + b"}"


def _agent_id(client: int, index: int) -> str:
    return f"{client:04d}{index:06d}".ljust(40, "a")


def _agent(variant: str, client: int, index: int) -> bytes:
    """One row of ``GET /agents/``, filled up with fields that nobody reads."""
    minute = 30 if variant == "seen" else 0
    row: dict[str, Any] = {
        "agent_id": _agent_id(client, index),
        "alert_template": None,
        "hostname": f"PC-{client}-{index}",
        "site_name": f"Site {index % 4}",
        "client_name": f"Client {client}",
        "monitoring_type": "server" if index % 10 == 0 else "workstation",
        "description": "Bought in 2024, second floor",
        "needs_reboot": False,
        "pending_actions_count": 0,
        "status": "online",
        "overdue_text_alert": False,
        "overdue_email_alert": False,
        "overdue_dashboard_alert": False,
        "last_seen": f"2026-06-01T12:{minute:02d}:{index % 60:02d}.{index:06d}Z",
        "boot_time": 1780000000.0 + index,
        "checks": {
            "total": 8,
            "passing": 8,
            "failing": 0,
            "warning": 0,
            "info": 0,
            "has_failing_checks": False,
        },
        "maintenance_mode": False,
        "logged_username": f"user{index}",
        "italic": False,
        "block_policy_inheritance": False,
        "plat": "windows",
        "goarch": "amd64",
        "has_patches_pending": False,
        "version": "2.11.0" if variant != "changed" else "2.12.0",
        "operating_system": "Windows 11 Pro, 64 bit v23H2 (build 22631.3593)",
        "public_ip": f"203.0.113.{index % 250}",
        "cpu_model": ["13th Gen Intel(R) Core(TM) i5-13500"],
        "graphics": "Intel(R) UHD Graphics 770",
        "local_ips": f"10.{client % 250}.{index // 250}.{index % 250}",
        "make_model": "Dell Inc. OptiPlex 7010",
        "physical_disks": ["Samsung SSD 980 PRO 512GB 477 GB NVMe"],
        "serial_number": f"SN{client:04d}{index:06d}",
        "custom_fields": [],
        "unread": [],
    }
    room = (ROW_BYTES - len(json.dumps(row))) // len(json.dumps(_UNREAD))
    row["unread"] = [_UNREAD] * room
    return json.dumps(row).encode()


_UNREAD = {"name": "wuauserv", "status": "running", "pid": 4321, "start_type": "manual", "delayed": False}

if __name__ == "__main__":
    serve(_Vendor)
