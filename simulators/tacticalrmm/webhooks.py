"""Sending URL actions of type "rest": rendering, the request on the wire, and what is kept of it.

One request at a time for the whole server, as the real one loops over its agents.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.placeholders import Scope, render

USER_AGENT = "python-requests/2.34.0"
CLIENT_HEADERS = {
    "User-Agent": USER_AGENT,
    "Accept-Encoding": "gzip, deflate, br",
    "Accept": "*/*",
    "Connection": "keep-alive",
}
BARE_HEADERS = {"User-Agent": "python-urllib3/2.7.0", "Accept-Encoding": "identity"}
"""What is sent when the URL action's headers are empty: the lower client's own headers only."""

SAFE_BODY = (
    '{"event": "EVENT", "alert_id": "{{alert.id}}", "alert_type": "{{alert.alert_type}}", '
    '"severity": "{{alert.severity}}", "agent_id": "{{agent.agent_id}}", "client_id": "{{client.id}}", '
    '"site_id": "{{site.id}}", "check_id": "{{alert.assigned_check.id}}", '
    '"task_id": "{{alert.assigned_task.id}}", "alert_time": "{{alert.alert_time}}", '
    '"resolved_on": "{{alert.resolved_on}}"}'
)
"""Only ids, so no name can break the JSON. EVENT is failure or resolved."""


@dataclass
class Outgoing:
    """A rendered request. `headers` and `body` are what json.loads gave, or the text it choked on."""

    method: str
    url: str
    headers: Any
    body: Any

    @property
    def data(self) -> str | None:
        """The bytes' text: re-serialised ASCII JSON; GET and DELETE send none."""
        return None if self.method in ("get", "delete") else json.dumps(self.body)


@dataclass
class Outcome:
    """What the server keeps: the status (500 when the sending failed) and the answer's or error's text."""

    retcode: int
    text: str
    milliseconds: int
    answered: bool


def _loads(text: str) -> Any:
    """The parsed text, or the text itself when it is no JSON (a quote in a name does that)."""
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError:
        return text


def prepare(method: str, url: str, headers: str, body: str, scope: Scope) -> Outgoing:
    """Render all three parts of a URL action."""
    return Outgoing(
        method=method.lower(),
        url=render(url, scope),
        headers=_loads(render(headers, scope)),
        body=_loads(render(body, scope)),
    )


def send(lab: Lab, outgoing: Outgoing, kind: str, alert_id: int | None = None) -> Outcome:
    """Send once, wait at most 8 s (no limit on GET and DELETE), write the log, never retry."""
    with lab.delivery_lock:
        started = time.monotonic()
        retcode, text, answered = _request(lab, outgoing)
        outcome = Outcome(retcode, text, round((time.monotonic() - started) * 1000), answered)
    with lab.lock:
        lab.deliveries.append(_log_entry(lab, outgoing, outcome, kind, alert_id))
    return outcome


def _request(lab: Lab, outgoing: Outgoing) -> tuple[int, str, bool]:
    timeout = None if outgoing.method in ("get", "delete") else lab.webhook_timeout
    data = outgoing.data
    try:
        headers = _header_values(outgoing.headers)
        with requests.Session() as session:
            session.trust_env = False
            session.headers.clear()
            reply = session.request(
                outgoing.method,
                outgoing.url,
                data=data.encode() if data else None,
                headers=headers,
                timeout=timeout,
            )
            return reply.status_code, reply.text, True
    except Exception as error:  # noqa: BLE001 - the real server keeps the text of whatever happened
        return 500, str(error), False


def _header_values(headers: Any) -> dict[str, str]:
    """The client's headers and the action's.

    Empty text leaves only bare ones; other text that is no object fails as the real one does.
    """
    if headers == "":
        return BARE_HEADERS
    if not isinstance(headers, Mapping):
        raise AttributeError(f"'{type(headers).__name__}' object has no attribute 'items'")
    return CLIENT_HEADERS | dict(headers)


def _log_entry(lab: Lab, out: Outgoing, outcome: Outcome, kind: str, alert_id: int | None) -> dict[str, Any]:
    return {
        "at": lab.clock.now().isoformat(),
        "kind": kind,
        "alert_id": alert_id,
        "method": out.method.upper(),
        "url": out.url,
        "headers": out.headers,
        "body": out.data,
        "status": outcome.retcode,
        "answered": outcome.answered,
        "answer": outcome.text[:500],
        "ms": outcome.milliseconds,
    }
