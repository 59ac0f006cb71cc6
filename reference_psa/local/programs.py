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


SIMULATORS = {"tacticalrmm": 8911, "ninjaone": 8912, "levelio": 8913, "huntress": 8914, "teams": 8915}
"""The simulated vendors, by their keys, and their usual ports."""
_WITHOUT_TWINS = ("tacticalrmm", "teams")


@dataclass(frozen=True)
class Ports:
    """Loopback ports of what one can look at."""

    web: int
    simulators: Mapping[str, int]
    """By the key of the vendor."""

    @property
    def web_url(self) -> str:
        """Address of the PSA."""
        return f"http://127.0.0.1:{self.web}"

    def simulator_url(self, vendor: str) -> str:
        """Address of a simulated vendor's API."""
        return f"http://127.0.0.1:{self.simulators[vendor]}"

    def control_url(self, vendor: str) -> str:
        """The page on which one plays the vendor."""
        return f"{self.simulator_url(vendor)}/_control/"


def prepare_database(env: Mapping[str, str]) -> Program:
    """Migrates the host's and the extension's tables and, the first time, adds the demonstration data."""
    return Program("init", flask("psa", "init"), env)


def programs(env: Mapping[str, str], ports: Ports) -> list[Program]:
    """All that runs until Ctrl-C."""
    return [
        *(
            Program(vendor, simulated(vendor, env, ports), env, ready_url=ports.control_url(vendor))
            for vendor in ports.simulators
        ),
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


def simulated(vendor: str, env: Mapping[str, str], ports: Ports) -> tuple[str, ...]:
    """A vendor of the demonstration. The other RMMs have some of Tactical RMM's machines, too."""
    command = simulator(vendor, ports.simulators[vendor])
    if vendor in _WITHOUT_TWINS:
        return command
    return (*command, "--twins", *(redirect_uris(env, ports) if vendor == "ninjaone" else ()))


def redirect_uris(env: Mapping[str, str], ports: Ports) -> list[str]:
    """The options that tell NinjaOne every address at which the PSA may be opened."""
    callback = f"{env.get('RMM_URL_PREFIX', '/rmm')}/oauth/callback"
    homes = (env.get("RMM_PUBLIC_URL", ports.web_url), ports.web_url, f"http://localhost:{ports.web}")
    return [
        f"--redirect-uri={uri}" for uri in dict.fromkeys(f"{home.rstrip('/')}{callback}" for home in homes)
    ]


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
        "PSA_SIMULATOR_TACTICAL_URL": ports.simulator_url("tacticalrmm"),
    }
    # Tactical RMM's address is the customer's own; that of the others is the same for everybody.
    hosted = [vendor for vendor in ports.simulators if vendor != "tacticalrmm"]
    defaults |= {f"RMM_{vendor.upper()}_BASE_URL": ports.simulator_url(vendor) for vendor in hosted}
    return {**defaults, **base, **urls, "PYTHONUNBUFFERED": "1", "NO_PROXY": without_proxy(base)}


def without_proxy(base: Mapping[str, str]) -> str:
    """The caller's NO_PROXY with this machine in it: the simulators must not be looked for behind a proxy."""
    named = [name for name in (base.get("NO_PROXY") or base.get("no_proxy") or "").split(",") if name]
    return ",".join(dict.fromkeys([*named, "127.0.0.1", "localhost"]))
