"""What `make run` says once everything is up."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from reference_psa.local.programs import Ports

RULE = "=" * 78
LABELS = {
    "tacticalrmm": "Tactical RMM",
    "ninjaone": "NinjaOne",
    "levelio": "Level",
    "huntress": "Huntress",
    "teams": "Microsoft Teams",
}
CREDENTIALS = {
    "ninjaone": """\
NinjaOne  sign in as {keys.ADMIN_USER}, password {keys.PASSWORD}
            with client ID {keys.WEB_CLIENT_ID}, secret {keys.WEB_CLIENT_SECRET}
          or without a person
            with client ID {keys.MACHINE_CLIENT_ID}, secret {keys.MACHINE_CLIENT_SECRET}""",
    "levelio": """\
Level     API key {keys.WRITE_KEY} (one that only reads: {keys.READONLY_KEY})
            webhook: add the PSA's address on the simulated vendor's page, give the PSA its secret""",
    "huntress": """\
Huntress  API key {keys.API_KEY}, secret {keys.API_SECRET}
          or the account's, which only reads: {keys.READER_KEY}, {keys.READER_SECRET}
            webhook: as with Level""",
    "teams": """\
Teams     single-tenant bot: Microsoft App ID {keys.APP_ID}
            secret {keys.CLIENT_SECRET}
            directory {keys.DIRECTORY_ID}
            messaging endpoint: paste the PSA's address into the simulated vendor's page, under Bots""",
}
"""By vendor, what its connection asks for; Tactical RMM's is told among the steps."""


def banner(ports: Ports, late: Sequence[str] = ()) -> str:
    """Addresses, log-ins and what to try; a warning for programs that do not answer yet."""
    lines = [RULE, *address_lines(ports)]
    lines += ["", "  Log in as:", *(f"    {line}" for line in login_lines())]
    lines += [
        "",
        "  Try, as an administrator:",
        "    1. Settings › Integrations › RMM: open “Simulated fleet” and enter its credentials, or",
        "       connect another Tactical RMM:",
        f"       address {ports.simulator_url('tacticalrmm')}, API key {simulator_key()}",
        "    2. map its clients, switch the webhook on, and paste address and secret into the",
        "       simulated vendor's page",
        "    3. trigger an alert there and watch its ticket appear; resolve it and watch it close;",
        "       comment on another ticket first and watch it stay open",
        "",
        "  Connect the other vendors, too, whose organizations share some machines with it:",
    ]
    for vendor in ports.simulators:
        lines += vendor_lines(vendor)
    if late:
        lines += ["", f"  Not answering yet: {', '.join(late)}. The lines above may say why."]
    return "\n".join([*lines, "", "  Ctrl-C ends everything.", RULE])


def address_lines(ports: Ports) -> list[str]:
    """The PSA, and the pages on which one plays the vendors."""
    rows = [("The PSA:", ports.web_url)]
    rows += [(f"Simulated {LABELS[vendor]}:", ports.control_url(vendor)) for vendor in ports.simulators]
    return [f"  {name:<26} {url}" for name, url in rows]


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


def vendor_lines(vendor: str) -> list[str]:
    """What it takes to connect a simulated vendor; nothing where it is not there, or was told already."""
    if vendor not in CREDENTIALS:
        return []
    try:
        keys = importlib.import_module(f"simulators.{vendor}.keys")
    except ImportError:
        return []
    return [f"    {line}" for line in CREDENTIALS[vendor].format(keys=keys).splitlines()]


def known_logins() -> Sequence[tuple[str, ...]]:
    """The seed's accounts: e-mail address, password, role, tenant. Empty when the seed offers none."""
    try:
        logins: Sequence[tuple[str, ...]] = importlib.import_module("reference_psa.seed").LOGINS
    except (ImportError, AttributeError):
        return ()
    return logins
