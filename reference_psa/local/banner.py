"""What `make run` says once everything is up."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from reference_psa.local.programs import Ports

RULE = "=" * 78


def banner(ports: Ports, late: Sequence[str] = ()) -> str:
    """Addresses, log-ins and what to try; a warning for programs that do not answer yet."""
    lines = [
        RULE,
        f"  The PSA:                  {ports.web_url}",
        f"  Simulated Tactical RMM:   {ports.control_url}",
        f"  Simulated NinjaOne:       {ports.ninjaone_control_url}",
    ]
    lines += ["", "  Log in as:", *(f"    {line}" for line in login_lines())]
    lines += [
        "",
        "  Try, as an administrator:",
        "    1. Settings › Integrations › RMM: open “Simulated fleet” and enter its credentials, or",
        "       connect another Tactical RMM:",
        f"       address {ports.simulator_url}, API key {simulator_key()}",
        "    2. map its clients, switch the webhook on, and paste address and secret into the",
        "       simulated vendor's page",
        "    3. trigger an alert there and watch its ticket appear; resolve it and watch it close;",
        "       comment on another ticket first and watch it stay open",
    ]
    lines += ["", *ninjaone_lines(ports)]
    if late:
        lines += ["", f"  Not answering yet: {', '.join(late)}. The lines above may say why."]
    return "\n".join([*lines, "", "  Ctrl-C ends everything.", RULE])


def login_lines() -> list[str]:
    """One aligned line per demonstration account."""
    rows = [tuple(map(str, login)) for login in known_logins()]
    if not rows:
        return ["(no demonstration accounts)"]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def simulator_key() -> str:
    """An API key the simulated Tactical RMM takes."""
    try:
        key: str = importlib.import_module("simulators.tacticalrmm.keys").INTEGRATION_KEY
    except (ImportError, AttributeError):
        return "(none)"
    return key


def ninjaone_lines(ports: Ports) -> list[str]:
    """What it takes to connect the simulated NinjaOne; nothing where it is not there."""
    try:
        keys = importlib.import_module("simulators.ninjaone.keys")
    except ImportError:
        return []
    return [
        "  Connect NinjaOne too, whose organizations share some machines with Tactical RMM:",
        f"    address {ports.ninjaone_url} (any other leads there as well)",
        f"    sign in as {keys.ADMIN_USER}, password {keys.PASSWORD}",
        f"      with client ID {keys.WEB_CLIENT_ID}, secret {keys.WEB_CLIENT_SECRET}",
        "    or without a person",
        f"      with client ID {keys.MACHINE_CLIENT_ID}, secret {keys.MACHINE_CLIENT_SECRET}",
    ]


def known_logins() -> Sequence[tuple[str, ...]]:
    """The seed's accounts: e-mail address, password, role, tenant. Empty when the seed offers none."""
    try:
        logins: Sequence[tuple[str, ...]] = importlib.import_module("reference_psa.seed").LOGINS
    except (ImportError, AttributeError):
        return ()
    return logins
