"""The programs of `make run`, as data."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Program:
    """One program that runs beside the others."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Its whole environment."""
    ready_url: str | None = None
    """Address that answers once the program is up; None when there is nothing to ask."""
    grace: float = 8.0
    """Seconds it may take to end before it is killed."""


@dataclass(frozen=True)
class Ports:
    """Loopback ports of what one can look at."""

    web: int
    simulator: int
    ninjaone: int

    @property
    def web_url(self) -> str:
        """Address of the PSA."""
        return f"http://127.0.0.1:{self.web}"

    @property
    def simulator_url(self) -> str:
        """Address of the simulated Tactical RMM's API."""
        return f"http://127.0.0.1:{self.simulator}"

    @property
    def control_url(self) -> str:
        """The page on which one plays Tactical RMM."""
        return f"{self.simulator_url}/_control/"

    @property
    def ninjaone_url(self) -> str:
        """Address of the simulated NinjaOne."""
        return f"http://127.0.0.1:{self.ninjaone}"

    @property
    def ninjaone_control_url(self) -> str:
        """The page on which one plays NinjaOne."""
        return f"{self.ninjaone_url}/_control/"


def prepare_database(env: Mapping[str, str]) -> Program:
    """Migrates the host's and the extension's tables and, the first time, adds the demonstration data."""
    return Program("init", flask("psa", "init"), env)


def programs(env: Mapping[str, str], ports: Ports) -> list[Program]:
    """All that runs until Ctrl-C."""
    return [
        Program("tactical", simulator("tacticalrmm", ports.simulator), env, ready_url=ports.control_url),
        Program("ninjaone", ninjaone(env, ports), env, ready_url=ports.ninjaone_control_url),
        Program("web", web_server(ports.web), env, ready_url=f"{ports.web_url}/"),
        Program("worker", flask("rmm", "worker"), env),
        Program("scheduler", flask("rmm", "scheduler"), env),
    ]


def flask(*words: str) -> tuple[str, ...]:
    """A command of the reference PSA."""
    return (sys.executable, "-m", "flask", "--app", "wsgi", *words)


def simulator(name: str, port: int) -> tuple[str, ...]:
    """A simulated vendor."""
    return (sys.executable, "-m", f"simulators.{name}", "--port", str(port))


def ninjaone(env: Mapping[str, str], ports: Ports) -> tuple[str, ...]:
    """The simulated NinjaOne. It has some of Tactical RMM's machines too, and knows where the PSA is."""
    callback = f"{env.get('RMM_URL_PREFIX', '/rmm')}/oauth/callback"
    homes = (env.get("RMM_PUBLIC_URL", ports.web_url), ports.web_url, f"http://localhost:{ports.web}")
    uris = dict.fromkeys(f"{home.rstrip('/')}{callback}" for home in homes)
    return (*simulator("ninjaone", ports.ninjaone), "--twins", *(f"--redirect-uri={uri}" for uri in uris))


def web_server(port: int) -> tuple[str, ...]:
    """gunicorn, or waitress where gunicorn is not installed."""
    address = f"127.0.0.1:{port}"
    if importlib.util.find_spec("gunicorn") is None:
        return (sys.executable, "-m", "waitress", f"--listen={address}", "wsgi:app")
    options = ("--workers", "2", "--threads", "4", "--graceful-timeout", "4", "--no-control-socket")
    return (
        sys.executable,
        "-m",
        "gunicorn",
        "wsgi:app",
        "--bind",
        address,
        "--log-level",
        "warning",
        *options,
    )


def environment(base: Mapping[str, str], ports: Ports, urls: Mapping[str, str]) -> dict[str, str]:
    """What every program gets: the caller's environment and, below it, this installation's values.

    `urls` holds DATABASE_URL, RMM_REDIS_URL and the secrets, which always count.
    """
    defaults = {
        "RMM_PUBLIC_URL": ports.web_url,
        "RMM_ALLOWED_NETWORKS": "127.0.0.0/8",
        "PSA_SIMULATOR_TACTICAL_URL": ports.simulator_url,
        "RMM_NINJAONE_BASE_URL": ports.ninjaone_url,
    }
    return {**defaults, **base, **urls, "PYTHONUNBUFFERED": "1", "NO_PROXY": without_proxy(base)}


def without_proxy(base: Mapping[str, str]) -> str:
    """The caller's NO_PROXY with this machine in it: the simulators must not be looked for behind a proxy."""
    named = [name for name in (base.get("NO_PROXY") or base.get("no_proxy") or "").split(",") if name]
    return ",".join(dict.fromkeys([*named, "127.0.0.1", "localhost"]))
