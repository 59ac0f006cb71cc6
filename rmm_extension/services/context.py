"""What every use case works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Engine
from sqlalchemy.orm import scoped_session

from rmm_extension.domain.errors import Conflict
from rmm_extension.domain.settings import Settings
from rmm_extension.host import PsaHost
from rmm_extension.providers.registry import ProviderRegistry

from .vault import Vault


class Database(Protocol):
    """The part of the host's Flask-SQLAlchemy object that the extension uses."""

    @property
    def session(self) -> scoped_session[Any]: ...

    @property
    def engine(self) -> Engine: ...


class ShortStore(Protocol):
    """Keeps texts for a short time, outside the database and its backups; they may be lost before.

    Both raise ``Conflict`` with a sentence while it is away, and never wait long.
    """

    def put(self, key: str, value: str, seconds: int) -> None:
        """Keep a text for so many seconds, in place of an earlier one."""

    def get(self, key: str) -> str | None:
        """The text, while it is kept."""


class NoStore:
    """What stands for it in an installation without Redis."""

    def put(self, key: str, value: str, seconds: int) -> None:
        """Refuse."""
        raise Conflict(_NO_REDIS)

    def get(self, key: str) -> str | None:
        """Refuse."""
        raise Conflict(_NO_REDIS)


_NO_REDIS = "This installation runs without Redis (RMM_REDIS_URL is not set), which this needs."


def _nobody_to_wake() -> None:
    """Without Redis nobody is told; the scheduler's tick finds the work."""


@dataclass(frozen=True, slots=True)
class Rmm:
    """One mounted extension: made by ``init_app``, the same for all requests and jobs of an app.

    ``wake`` tells the workers, after a commit, that the outbox has something for them. It never raises and
    never waits long: the work is in PostgreSQL already, and the tick finds it without having been told.
    ``short`` keeps what must not outlive the moment.
    """

    settings: Settings
    host: PsaHost
    providers: ProviderRegistry
    db: Database
    vault: Vault
    wake: Callable[[], None] = _nobody_to_wake
    short: ShortStore = field(default_factory=NoStore)
    caches: dict[str, Any] = field(default_factory=dict, repr=False)
