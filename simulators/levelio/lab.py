"""Everything the simulated server holds, in memory, under one lock."""

from __future__ import annotations

import random
import secrets
import threading
import uuid
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulators.common.clock import Clock
from simulators.common.gateway import LOG_LENGTH
from simulators.common.misbehaviour import Misbehaviours
from simulators.common.schedule import Schedule
from simulators.levelio.courier import Courier
from simulators.levelio.fleet import Fleet, FleetOptions, build_fleet
from simulators.levelio.keys import READONLY_KEY, WRITE_KEY
from simulators.levelio.library import default_automations, default_triggers
from simulators.levelio.models import Alert, ApiKey, Device, HttpStep, Run, Webhook
from simulators.levelio.settings import Settings


@dataclass
class Lab:
    """The server. Read and change it only while holding `lock`."""

    options: FleetOptions = field(default_factory=FleetOptions)
    clock: Clock = field(default_factory=Clock)
    fleet: Fleet = field(init=False)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.misbehaviours = Misbehaviours()
        self.courier = Courier(self)
        self.reset()

    def reset(self) -> None:
        """Back to the freshly generated server; the clock stays."""
        self.settings = Settings()
        self.picker = random.Random(self.options.seed + 1)
        self.fleet = build_fleet(self.options, self.clock.timestamp())
        self.keys = {
            one.name: one for one in (ApiKey("PSA", WRITE_KEY, True), ApiKey("Reports", READONLY_KEY, False))
        }
        self.alerts: dict[str, Alert] = {}
        self.automations = default_automations()
        self.triggers = default_triggers(list(self.automations.values()))
        self.runs: dict[str, Run] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.steps: dict[int, HttpStep] = {}
        self.numbers: Counter[str] = Counter()
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.requests: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH * 5)
        self.counters: Counter[str] = Counter()
        self.calls: dict[str, list[float]] = {}
        self.schedule = Schedule()
        self.misbehaviours.clear()
        self.courier.forget()

    def key_of(self, authorization: str) -> ApiKey | None:
        """The key whose value this is."""
        return next((one for one in self.keys.values() if one.value == authorization), None)

    def caller_of(self, environ: dict[str, Any]) -> str | None:
        """The name of the key a request carries."""
        key = self.key_of(environ.get("HTTP_AUTHORIZATION", ""))
        return key.name if key else None

    def regenerate(self, name: str) -> ApiKey:
        """A new value for a key; the old one is dead at once."""
        key = self.keys[name]
        key.value = f"SIMlevel{secrets.token_hex(12)}"
        return key

    def next_number(self, kind: str) -> int:
        """The number of the next row of a kind."""
        self.numbers[kind] += 1
        return 1000 + self.numbers[kind]

    def new_uuid(self) -> str:
        """A fresh UUID."""
        return str(uuid.UUID(int=self.picker.getrandbits(128), version=4))

    def now(self) -> float:
        """Seconds since the epoch, with milliseconds, as the API tells every time."""
        return round(self.clock.timestamp(), 3)

    def devices(self) -> Iterable[Device]:
        """Every device, by number."""
        return self.fleet.devices.values()

    def device(self, **wanted: Any) -> Device:
        """The first device whose attributes are these; LookupError when there is none."""
        for one in self.devices():
            if all(getattr(one, name) == value for name, value in wanted.items()):
                return one
        raise LookupError(f"no device with {wanted}")

    def active_alerts(self, device_id: str | None = None) -> list[Alert]:
        """Alerts that are not resolved, of one device or all."""
        return [
            one for one in self.alerts.values() if one.resolved is None and device_id in (None, one.device_id)
        ]


def moment(seconds: float | None) -> str | None:
    """A time as the API tells it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
