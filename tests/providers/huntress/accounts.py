"""Connections to an account of Huntress that does not exist, its answers, and an incident in each shape."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import responses

from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.huntress import Huntress

BASE = "https://93.184.216.34"
KEY, SECRET = "SECRET-key-of-the-account", "SECRET-secret-of-the-account"
NOON = datetime(2026, 10, 9, 12, tzinfo=UTC)
CHANGED = datetime(2026, 10, 9, 3, 5, tzinfo=UTC)
SINCE = datetime(2026, 10, 9, 1, tzinfo=UTC)
SUBJECT = "CRITICAL - Incident on DESKTOP-ARL0EQ1 (Acme Corp)"
SUMMARY = "Huntress detected a malicious scheduled task on this host."


def huntress() -> Huntress:
    """The provider with its vendor's address replaced by one that answers nobody."""
    return Huntress(Runtime(base_urls={"huntress": BASE}))


class Turns:
    """A pace that lets everything through at once, and remembers who asked."""

    def __init__(self, wait: float = 0.0) -> None:
        self.wait = wait
        self.taken: list[tuple[str, float]] = []

    def turn(self, account: str, rate: object, patience: float) -> float:
        self.taken.append((account, patience))
        return self.wait


def connection(**more: Any) -> Connection:
    """A connection whose account is known."""
    given: dict[str, Any] = {
        "tenant_id": "t",
        "integration_id": "1",
        "provider": "huntress",
        "instance_url": "",
        "secrets": {"api_key": KEY, "api_secret": SECRET},
        "settings": {"account_subdomain": "acme-msp", "account_id": "5", "account_name": "Acme MSP"},
        "pace": Turns(),
    }
    return Connection(**(given | more))


def says(path: str, body: Any, status: int = 200, *, method: str = "GET", **options: Any) -> None:
    """Answer this address so."""
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if text.startswith("<") else "application/json"
    responses.add(method, BASE + path, body=text, status=status, content_type=kind, **options)


def lists(path: str, rows: list[Any], token: str | None = None, **options: Any) -> None:
    """Answer this address with a page of rows."""
    pagination = {"next_page_token": token, "next_page_url": "https://x"} if token else {}
    says(path, {path.rpartition("/")[2]: rows, "pagination": pagination}, **options)


def asked() -> list[str]:
    """What was asked for so far, without host and query."""
    return [
        f"{call.request.method} {str(call.request.path_url).partition('?')[0]}" for call in responses.calls
    ]


def queries() -> list[dict[str, str]]:
    """The queries of what was asked for so far."""
    return [dict(parse_qsl(urlsplit(str(call.request.url)).query)) for call in responses.calls]


def in_rest(**changes: Any) -> dict[str, Any]:
    """An incident as the API's list tells it."""
    row = {
        "id": 1234,
        "account_id": 5,
        "agent_id": 12,
        "body": "<p>A task <b>runs</b> at start.</p>",
        "closed_at": None,
        "indicator_counts": {"footholds": 1, "process_detections": 2, "antivirus_detections": 0},
        "indicator_types": ["footholds", "process_detections"],
        "organization_id": 4,
        "platform": "windows",
        "remediations": {"total_count": 1, "has_more": False, "items": [remediation()]},
        "sent_at": "2026-10-09T03:05:00Z",
        "severity": "critical",
        "status": "sent",
        "status_updated_at": "2026-10-09T03:05:00Z",
        "subject": SUBJECT,
        "summary": SUMMARY,
        "updated_at": "2026-10-09T03:05:00Z",
    }
    return row | changes


def in_webhook(event: str = "created", **changes: Any) -> dict[str, Any]:
    """The same incident as a webhook tells it: its organization is an object, and it has no remediations."""
    row = in_rest()
    for name in ("account_id", "organization_id", "remediations", "indicator_types"):
        del row[name]
    more = {
        "event_type": f"incident_report.{event}",
        "account": {"id": 5, "name": "Acme MSP"},
        "organization": {"id": 4, "name": "Acme Corp"},
        "api_url": "https://api.huntress.io/v1/incident_reports/1234",
        "created_at": "2026-10-09T03:00:00Z",
    }
    return row | more | changes


def remediation(number: int = 1, status: str = "approved", **changes: Any) -> dict[str, Any]:
    """A remediation."""
    row = {
        "id": number,
        "type": "assisted",
        "action": "Delete File",
        "parameters": [{"name": "path", "description": r"c:\windows\evil.exe"}],
        "status": status,
    }
    return row | changes


def agent(**changes: Any) -> dict[str, Any]:
    """An agent as the API tells it."""
    row = {
        "id": 12,
        "account_id": 5,
        "arch": "x86_64",
        "domain_name": "ACME",
        "edr_version": "0.3.20",
        "external_ip": "198.51.100.42",
        "hostname": "DESKTOP-ARL0EQ1",
        "defender_policy_status": "Compliant",
        "defender_status": "Healthy",
        "defender_substatus": "Up to date",
        "firewall_status": "Enabled",
        "ipv4_address": "10.0.0.12",
        "last_callback_at": "2026-10-09T11:40:00Z",
        "mac_addresses": ["7c:a7:b0:16:2f:78"],
        "organization_id": 4,
        "os": "Windows 11 Pro",
        "os_build_version": "22631",
        "os_major": 10,
        "os_minor": 0,
        "platform": "windows",
        "serial_number": "wtIe1bvDbh",
        "tags": ["Production"],
        "version": "0.14.2",
    }
    return row | changes


def escalation(**changes: Any) -> dict[str, Any]:
    """An escalation as the API's list tells it."""
    row = {
        "id": 84938,
        "account": {"id": 5, "name": "Acme MSP"},
        "organizations": [{"id": 4, "name": "Acme Corp"}],
        "created_at": "2026-10-09T02:00:00Z",
        "resolved_at": None,
        "severity": "high",
        "status": "open",
        "subject": "Defender Disabled",
        "subtype": None,
        "type": "Environmental Issue",
        "updated_at": "2026-10-09T02:10:00Z",
    }
    return row | changes
