"""Everything the simulated server holds, in memory, under one lock."""

from __future__ import annotations

import base64
import binascii
import random
import secrets
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from simulators.common.clock import Clock
from simulators.common.gateway import LOG_LENGTH
from simulators.common.misbehaviour import Misbehaviours
from simulators.common.schedule import Schedule
from simulators.huntress import keys
from simulators.huntress.courier import Courier
from simulators.huntress.fleet import Fleet, FleetOptions, build_fleet
from simulators.huntress.models import Agent, Credential, Endpoint, Escalation, Incident, Report, User
from simulators.huntress.settings import Settings
from simulators.huntress.throttle import Meter

ACCOUNT_ID = 5
ACCOUNT_NAME = "Simulated MSP"
SUBDOMAIN = "simulated-msp"
FIRST_INCIDENT = 1201
FIRST_ESCALATION = 84901


def default_credentials() -> dict[str, Credential]:
    """The keys at the start, by what the control page calls them."""
    admin = User(12345, "security@msp.example", "Sam Security")
    viewer = User(12346, "viewer@msp.example", "Vera Viewer")
    return {
        "writer": Credential("writer", keys.API_KEY, keys.API_SECRET, admin, writes=True),
        "reader": Credential("reader", keys.READER_KEY, keys.READER_SECRET),
        "limited": Credential("limited", keys.LIMITED_KEY, keys.LIMITED_SECRET, viewer),
    }


@dataclass
class Lab:
    """The server. Read and change it only while holding `lock`."""

    options: FleetOptions = field(default_factory=FleetOptions)
    clock: Clock = field(default_factory=Clock)
    fleet: Fleet = field(init=False)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.misbehaviours = Misbehaviours()
        self.settings = Settings()
        self.courier = Courier(self)
        self.reset()

    def reset(self) -> None:
        """Back to the freshly generated server; the clock stays."""
        self.settings = Settings()
        self.picker = random.Random(self.options.seed + 1)
        self.fleet = build_fleet(self.options, self.clock.timestamp())
        self.credentials = default_credentials()
        self.incidents: dict[int, Incident] = {}
        self.escalations: dict[int, Escalation] = {}
        self.reports: dict[int, Report] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.rejections: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH * 5)
        self.requests: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH * 5)
        self.counters: Counter[str] = Counter()
        self.meter = Meter()
        self.schedule = Schedule()
        self.misbehaviours.clear()
        self.courier.forget()

    def schedule_answered(self, path: str) -> None:
        """Let happen what was planned for after this answer."""
        self.schedule.answered(path)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.clock.timestamp()

    def credential_of(self, environ: dict[str, Any]) -> Credential | None:
        """The key a request signs in with; None for none or a wrong one."""
        scheme, _, encoded = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        try:
            key, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        for one in self.credentials.values():
            if scheme.lower() == "basic" and (one.key, one.secret) == (key, secret):
                return one
        return None

    def caller_of(self, environ: dict[str, Any]) -> str | None:
        """Whose key a request carries."""
        found = self.credential_of(environ)
        return found.label if found else None

    def regenerate(self, label: str) -> Credential:
        """A new key and secret in place of the old; LookupError for a label that is none."""
        one = self.credentials[label]
        one.key, one.secret = f"hk_{secrets.token_hex(12)}", f"hs_{secrets.token_hex(24)}"
        return one

    def agent(self, **wanted: Any) -> Agent:
        """The first agent whose attributes are these; LookupError when there is none."""
        for one in self.fleet.agents.values():
            if all(getattr(one, name) == value for name, value in wanted.items()):
                return one
        raise LookupError(f"no agent with {wanted}")

    def next_id(self, rows: dict[int, Any], first: int) -> int:
        """An id above all that were given so far."""
        return max(rows, default=first - 1) + 1
