"""Everything the simulated server holds, in memory, under one lock."""

from __future__ import annotations

import random
import secrets
import threading
import uuid
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from simulators.common.clock import Clock
from simulators.common.gateway import LOG_LENGTH
from simulators.common.misbehaviour import Misbehaviours
from simulators.ninjaone.applications import Code, Grant, default_applications, default_users
from simulators.ninjaone.courier import Courier
from simulators.ninjaone.cursors import Cursor
from simulators.ninjaone.fleet import Fleet, FleetOptions, build_fleet
from simulators.ninjaone.journal import Journal
from simulators.ninjaone.keys import REDIRECT_URIS
from simulators.ninjaone.library import default_scripts
from simulators.ninjaone.models import Alert, Device, Job, Subscription
from simulators.ninjaone.settings import Settings


@dataclass
class ScheduledDrift:
    """A change of the fleet after some more requests below ``prefix`` were answered.

    ``action`` is add or move (with ``organization_id``), delete, or serial (with ``serial``).
    """

    prefix: str
    remaining: int
    action: str
    device_id: int = 0
    organization_id: int = 0
    serial: str | None = None


@dataclass
class Lab:
    """The server. Read and change it only while holding `lock`."""

    options: FleetOptions = field(default_factory=FleetOptions)
    redirect_uris: tuple[str, ...] = REDIRECT_URIS
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
        self.users = default_users()
        self.applications = default_applications(self.redirect_uris)
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, Grant] = {}
        self.refresh_tokens: dict[str, Grant] = {}
        self.sign_ins: dict[str, Any] = {}
        self.token_calls: Counter[str] = Counter()
        self.alerts: dict[str, Alert] = {}
        self.journal = Journal()
        self.jobs: dict[str, Job] = {}
        self.scripts = default_scripts()
        self.subscriptions: list[Subscription] = []
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.actions: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.cursors: dict[str, Cursor] = {}
        self.requests: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH * 5)
        self.counters: Counter[str] = Counter()
        self.calls: dict[str, list[float]] = {}
        self.scheduled: list[ScheduledDrift] = []
        self.misbehaviours.clear()
        self.courier.forget()

    def caller_of(self, environ: dict[str, Any]) -> str | None:
        """The application (and user) a request's token belongs to."""
        grant = self.tokens.get(environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer "))
        if grant is None:
            return None
        user = self.users.get(grant.user_id or 0)
        return f"{grant.client_id} {user.email}" if user else grant.client_id

    def now(self) -> float:
        """Seconds since the epoch, with milliseconds, as the API tells every time."""
        return round(self.clock.timestamp(), 3)

    def new_uid(self) -> str:
        """A fresh UUID."""
        return str(uuid.UUID(int=self.picker.getrandbits(128), version=4))

    def issue(
        self, client_id: str, user_id: int | None = None, scopes: Iterable[str] = ("monitoring",)
    ) -> str:
        """A new access token."""
        token = f"sim-access-{secrets.token_hex(24)}"
        expires = self.clock.timestamp() + self.settings.expires_in
        self.tokens[token] = Grant(client_id, user_id, tuple(scopes), expires)
        return token

    def devices(self) -> Iterable[Device]:
        """Every device, by id."""
        return self.fleet.devices.values()

    def device(self, **wanted: Any) -> Device:
        """The first device whose attributes are these; LookupError when there is none."""
        for one in self.devices():
            if all(getattr(one, name) == value for name, value in wanted.items()):
                return one
        raise LookupError(f"no device with {wanted}")

    def active_alerts(self, device_id: int | None = None) -> list[Alert]:
        """Alerts that are on, of one device or all."""
        return [one for one in self.alerts.values() if device_id in (None, one.device_id)]
