"""Everything the simulated services hold, in memory, under one lock."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from simulators.common.clock import Clock
from simulators.common.gateway import LOG_LENGTH
from simulators.common.misbehaviour import Misbehaviours
from simulators.teams.courier import Courier
from simulators.teams.directory import bots, people, teams
from simulators.teams.models import Bot, Channel, Message, Notification, Person, Team, Token
from simulators.teams.settings import Settings
from simulators.teams.signing import SigningKey


@dataclass
class Lab:
    """The services. Read and change them only while holding `lock`."""

    clock: Clock = field(default_factory=Clock)
    url: str = "http://127.0.0.1:8915"
    """Where they are reached, as the latest request named it."""

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.misbehaviours = Misbehaviours()
        self.courier = Courier(self)
        self.reset()

    def reset(self) -> None:
        """Back to the beginning; the clock stays."""
        self.settings = Settings()
        self.bots: dict[str, Bot] = {one.app_id: one for one in bots()}
        self.people: dict[int, Person] = {one.number: one for one in people()}
        self.teams: dict[int, Team] = {one.number: one for one in teams()}
        self.keys = [SigningKey(1), SigningKey(2)]
        self.tokens: dict[str, Token] = {}
        self.messages: list[Message] = []
        self.notifications: list[Notification] = []
        self.sends: dict[tuple[str, str, str], list[float]] = {}
        self.numbers: Counter[str] = Counter()
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.requests: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH * 5)
        self.counters: Counter[str] = Counter()
        self.misbehaviours.clear()
        self.courier.forget()

    @property
    def service_url(self) -> str:
        """Where activities say that they are answered."""
        return f"{self.url}/{self.settings.region}/"

    def next_number(self, kind: str) -> int:
        """The number of the next row of a kind."""
        self.numbers[kind] += 1
        return 1000 + self.numbers[kind]

    def now(self) -> str:
        """The time as the services tell it."""
        return self.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def token_of(self, authorization: str) -> Token | None:
        """The token of a header, if it still lasts."""
        scheme, _, value = authorization.partition(" ")
        found = self.tokens.get(value) if scheme == "Bearer" else None
        return found if found and found.until > self.clock.timestamp() else None

    def caller_of(self, environ: dict[str, Any]) -> str | None:
        """The name of the bot whose token a request carries."""
        token = self.token_of(environ.get("HTTP_AUTHORIZATION", ""))
        return self.bots[token.app_id].name if token and token.app_id in self.bots else None

    def person(self, **wanted: Any) -> Person:
        """The first person whose attributes are these; LookupError when there is none."""
        return _first(self.people.values(), wanted)

    def team(self, **wanted: Any) -> Team:
        """The first team whose attributes are these; LookupError when there is none."""
        return _first(self.teams.values(), wanted)

    def channel(self, channel_id: str) -> tuple[Team, Channel] | None:
        """A channel with its team."""
        found = ((team, one) for team in self.teams.values() for one in team.channels)
        return next(((team, one) for team, one in found if one.id == channel_id), None)

    def rotate(self, *, keep: bool = True) -> SigningKey:
        """Sign with a new key from now on; without `keep` the older ones are no longer told."""
        newest = SigningKey(max(one.number for one in self.keys) + 1)
        self.keys = [newest, *(self.keys if keep else [])]
        return newest


def _first(rows: Any, wanted: dict[str, Any]) -> Any:
    for one in rows:
        if all(getattr(one, name) == value for name, value in wanted.items()):
            return one
    raise LookupError(f"nothing with {wanted}")
