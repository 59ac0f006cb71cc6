"""What every use case works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Engine
from sqlalchemy.orm import scoped_session

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


def _nobody_to_wake() -> None:
    """Without Redis nobody is told; the scheduler's tick finds the work."""


@dataclass(frozen=True, slots=True)
class Rmm:
    """One mounted extension: made by ``init_app``, the same for all requests and jobs of an app.

    ``wake`` tells the workers, after a commit, that the outbox has something for them. It never raises and
    never waits long: the work is in PostgreSQL already, and the tick finds it without having been told.
    """

    settings: Settings
    host: PsaHost
    providers: ProviderRegistry
    db: Database
    vault: Vault
    wake: Callable[[], None] = _nobody_to_wake
    caches: dict[str, Any] = field(default_factory=dict, repr=False)
