"""Which features the role behind the credentials allows, asked without doing anything.

Tactical RMM 1.5.1 asks for the role's switch before it looks for the object: about an object that does not
exist it answers 403 without the switch and 404 with it (recorded over HTTP for alerts and commands, read in
its permission classes for the others). So what would change something is asked of an agent or an alert that
cannot exist, with a body that even an existing one would refuse. Any other answer proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rmm_extension.domain.errors import AuthFailed, NotFound, PermissionMissing, ProviderError
from rmm_extension.domain.types import PermissionLine
from rmm_extension.providers.permission_states import MISSING, NOT_CHECKED, OK, WARNING, not_found_out
from rmm_extension.providers.tacticalrmm import roles
from rmm_extension.providers.tacticalrmm.client import BetaOff, TacticalClient, WrongHost

NO_AGENT = "no-agent-this-only-asks-for-permission-0"
"""An id no agent has: theirs are letters only. Long enough to be routed."""
_NO_NUMBER = 2**31 - 1
"""The last number that an id of the server's database can be."""
_AGENT = f"/agents/{NO_AGENT}/"
_ALLOWED = "The role allows it."
_STANDARD = "Not used: the source of devices is set to the standard API."


@dataclass(frozen=True, slots=True)
class Probe:
    """One feature: the switches it needs, and a request that tells whether the role has them.

    ``of_nothing`` requests are about an object that does not exist; the others read something small.
    """

    feature: str
    switches: tuple[str, ...]
    path: str
    method: str = "GET"
    json: Any = None
    params: dict[str, str] = field(default_factory=dict)
    of_nothing: bool = True

    def line(self, client: TacticalClient) -> PermissionLine:
        """Ask, and say what the answer means."""
        state, message = self._answer(client)
        return PermissionLine(feature=self.feature, switches=self.switches, state=state, message=message)

    def _answer(self, client: TacticalClient) -> tuple[str, str]:
        try:
            self._ask(client)
        except PermissionMissing:
            return MISSING, f"The role lacks {' and '.join(self.switches)}, or the user has no role."
        except (WrongHost, BetaOff) as error:
            return NOT_CHECKED, str(error)
        except NotFound:
            return (OK, _ALLOWED) if self.of_nothing else (NOT_CHECKED, "The server does not know this list.")
        except AuthFailed:
            raise
        except ProviderError as error:
            return not_found_out(error)
        if self.of_nothing:
            return NOT_CHECKED, "The server answers for an agent or alert that does not exist."
        return OK, _ALLOWED

    def _ask(self, client: TacticalClient) -> None:
        if self.method in ("GET", "PATCH") and not self.of_nothing:
            client.read(self.path, method=self.method, json=self.json, params=self.params)
        elif self.method == "GET":
            client.read(self.path)
        else:
            client.write(self.method, self.path, json=self.json)


BASE = (
    Probe("List clients", (roles.CLIENTS,), "/clients/", of_nothing=False),
    Probe("List sites", (roles.SITES,), "/clients/sites/", of_nothing=False),
    Probe("List devices", (roles.AGENTS,), _AGENT),
    Probe("Read alerts", (roles.ALERTS,), "/alerts/", method="PATCH", json={"top": 1}, of_nothing=False),
    Probe("Names of custom fields", (roles.CUSTOM_FIELDS,), "/core/customfields/", of_nothing=False),
)
"""What every connection needs, or reads in any case."""

OTHERS = (
    Probe(
        "Resolve alerts", (roles.MANAGE_ALERTS,), f"/alerts/{_NO_NUMBER}/", method="PUT", json={"type": ""}
    ),
    Probe("Software", (roles.SOFTWARE,), f"/software/{NO_AGENT}/"),
    Probe(
        "List scripts",
        (roles.SCRIPTS,),
        "/scripts/",
        params={"showCommunityScripts": "false"},
        of_nothing=False,
    ),
    Probe("Run scripts", (roles.RUN_SCRIPTS,), f"{_AGENT}runscript/", method="POST", json={}),
    Probe("Run commands", (roles.RUN_COMMANDS,), f"{_AGENT}cmd/", method="POST", json={}),
    # PATCH plans a reboot and needs a time, which this body lacks; POST would reboot at once.
    Probe("Reboot", (roles.REBOOT,), f"{_AGENT}reboot/", method="PATCH", json={}),
    Probe("Output and exit codes", (roles.HISTORY,), f"{_AGENT}history/"),
    Probe("Ping", (roles.AGENTS,), f"{_AGENT}ping/"),
)
"""What features beyond the lists need, each on its own."""

_HARDWARE = Probe("Hardware facts (beta API)", (roles.AGENTS,), f"/beta/v1/agent/{_NO_NUMBER}/")
_SCOPE = ("can_view_clients", "can_view_sites")


def lines(client: TacticalClient, source: str) -> Iterator[PermissionLine]:
    """The whole table. Raises ``AuthFailed`` when the credentials themselves are refused."""
    yield from (probe.line(client) for probe in BASE)
    yield _hardware(client, source)
    yield from (probe.line(client) for probe in OTHERS)
    yield _scope(client, source)


def scope_warning(seen: int, visible: int) -> str | None:
    """What the beta API shows too much, when it shows ``seen`` clients and the role sees ``visible``."""
    if seen <= visible:
        return None
    return (
        f"The beta API is on, but it ignores the scope of the role: it shows {seen:,} clients where the role"
        f" sees only {visible:,}."
    )


def _hardware(client: TacticalClient, source: str) -> PermissionLine:
    if source != "standard":
        return _HARDWARE.line(client)
    return PermissionLine(
        feature=_HARDWARE.feature, switches=_HARDWARE.switches, state=NOT_CHECKED, message=_STANDARD
    )


def _scope(client: TacticalClient, source: str) -> PermissionLine:
    state, message = _compare(client) if source != "standard" else (NOT_CHECKED, _STANDARD)
    return PermissionLine(feature="Scope of the role", switches=_SCOPE, state=state, message=message)


def _compare(client: TacticalClient) -> tuple[str, str]:
    try:
        seen, visible = len(client.beta_clients()), len(client.clients())
    except BetaOff:
        return OK, "The beta API is off, and everything else keeps to the scope of the role."
    except AuthFailed:
        raise
    except ProviderError as error:
        return not_found_out(error)
    warning = scope_warning(seen, visible)
    if warning:
        return WARNING, f"{warning} Devices of unmapped clients are never read."
    return OK, f"The beta API shows the {visible:,} clients that the role sees, and no more."
