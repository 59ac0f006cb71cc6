"""Everything the simulated server holds, in memory, under one lock."""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulators.common.clock import Clock
from simulators.common.gateway import LOG_LENGTH
from simulators.common.misbehaviour import Misbehaviours
from simulators.tacticalrmm.fleet import CUSTOM_FIELDS, Fleet, FleetOptions, build_fleet
from simulators.tacticalrmm.keys import GLOBAL_STORE
from simulators.tacticalrmm.library import default_scripts
from simulators.tacticalrmm.models import (
    Agent,
    Alert,
    AlertTemplate,
    Check,
    Client,
    HistoryRow,
    Site,
    Task,
    UrlAction,
)
from simulators.tacticalrmm.replies import missing
from simulators.tacticalrmm.roles import Role, default_api_keys, default_users
from simulators.tacticalrmm.status import status_of


@dataclass
class Condition:
    """Something that is wrong on an agent right now, whether or not an alert is open for it."""

    agent_pk: int
    alert_type: str
    severity: str
    check_id: int | None = None
    task_id: int | None = None


@dataclass
class ScheduledDrift:
    """A change of the fleet after some more matching requests were answered.

    The agent is deleted, or moved to ``site_id``; without an agent a new one is installed there.
    """

    prefix: str
    remaining: int
    agent_id: str = ""
    site_id: int | None = None


@dataclass
class ScriptOutput:
    """What agents print when a command or script reaches them."""

    stdout: str = "script stdout line\n"
    stderr: str = ""
    retcode: int = 0


@dataclass
class Token:
    """A session token of the password login."""

    user_name: str
    expires: datetime


@dataclass
class Lab:
    """The server. Read and change it only while holding `lock`."""

    options: FleetOptions = field(default_factory=FleetOptions)
    beta_enabled: bool = True
    time_scale: float = 1.0
    clock: Clock = field(default_factory=Clock)
    fleet: Fleet = field(init=False)
    nats: str = "ok"
    webhook_timeout: float = 8.0

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.delivery_lock = threading.Lock()
        self.users = default_users()
        self.api_keys = default_api_keys(self.users)
        self.misbehaviours = Misbehaviours()
        self.reset()

    def reset(self) -> None:
        """Back to the freshly generated server."""
        now = self.clock.now()
        self.picker = random.Random(self.options.seed + 1)
        self.fleet = build_fleet(self.options, now)
        self.scripts = default_scripts()
        self.custom_fields = list(CUSTOM_FIELDS)
        self.global_store = dict(GLOBAL_STORE)
        self.tokens: dict[str, Token] = {}
        self.block_local_user_logon = False
        self.throttle_hits: dict[tuple[str, str], list[float]] = {}
        self.alerts: dict[int, Alert] = {}
        self.checks: dict[int, Check] = {}
        self.tasks: dict[int, Task] = {}
        self.conditions: list[Condition] = []
        self.url_actions: dict[int, UrlAction] = {}
        self.template = AlertTemplate(1, "PSA webhook", now)
        self.notify_on_info_alerts = False
        self.notify_on_warning_alerts = True
        self.history: list[HistoryRow] = []
        self.script_output = ScriptOutput()
        self.commands: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.requests: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.counters: Counter[str] = Counter()
        self.scheduled: list[ScheduledDrift] = []
        self.next_ids = Counter({"alert": 1, "check": 1, "task": 1, "history": 1, "url_action": 1})
        self.misbehaviours.clear()

    def caller_of(self, environ: dict[str, Any]) -> str | None:
        """The owner of the request's API key."""
        key = self.api_keys.get(environ.get("HTTP_X_API_KEY", ""))
        return key.user.name if key else None

    # --- look-ups -------------------------------------------------------------------------------

    def take_id(self, kind: str) -> int:
        """The next primary key of that kind; never reused."""
        value = self.next_ids[kind]
        self.next_ids[kind] += 1
        return value

    def agents(self) -> Iterable[Agent]:
        """Every agent, by primary key."""
        return self.fleet.agents.values()

    def agent(self, agent_id: str) -> Agent:
        """The agent with that 40-character id, or a 404."""
        for agent in self.agents():
            if agent.agent_id == agent_id:
                return agent
        raise missing("Agent")

    def site_of(self, agent: Agent) -> Site:
        """Site of the agent."""
        return self.fleet.sites[agent.site_id]

    def client_of(self, agent: Agent) -> Client:
        """Client of the agent."""
        return self.fleet.clients[self.site_of(agent).client_id]

    def status(self, agent: Agent) -> str:
        """Status of the agent at this moment."""
        return status_of(agent, self.clock.now())

    def visible_agents(self, role: Role | None) -> list[Agent]:
        """Agents inside the scope of the role."""
        return [a for a in self.agents() if role and role.sees_client(self.site_of(a).client_id)]

    def open_alerts(self, agent: Agent) -> list[Alert]:
        """Unresolved alerts of the agent."""
        return [a for a in self.alerts.values() if a.agent_pk == agent.pk and not a.resolved]
