"""What `make run` says once everything is up."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from reference_psa.local.programs import Ports

RULE = "=" * 78


def banner(ports: Ports, late: Sequence[str] = ()) -> str:
    """Addresses, log-ins and what to try; a warning for programs that do not answer yet."""
    lines = [RULE, f"  The PSA:            {ports.web_url}", f"  Simulated vendor:   {ports.control_url}"]
    lines += ["", "  Log in as:", *(f"    {line}" for line in login_lines())]
    lines += [
        "",
        "  Try:",
        "    - Settings › Integrations › RMM: look at the connections, test one, sync it",
        "    - raise an alert on the simulated vendor's page and watch its ticket appear",
        "    - close that ticket and watch the alert being reset at the vendor",
    ]
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


def known_logins() -> Sequence[tuple[str, ...]]:
    """The seed's accounts: e-mail address, password, role, tenant. Empty when the seed offers none."""
    try:
        logins: Sequence[tuple[str, ...]] = importlib.import_module("reference_psa.seed").LOGINS
    except (ImportError, AttributeError):
        return ()
    return logins
