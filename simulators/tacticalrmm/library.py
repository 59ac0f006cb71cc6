"""The scripts of the simulated server's library."""

from __future__ import annotations

from simulators.tacticalrmm.models import Script


def default_scripts() -> dict[int, Script]:
    """Scripts by primary key: own and built-in ones, one hidden, for every platform."""
    scripts = [
        Script(1, "Restart Print Service", "userdefined", "cmd", "Maintenance", ["windows"]),
        Script(
            2, "Collect Event Logs", "userdefined", "powershell", "Diagnostics", ["windows"], ["-Days", "3"]
        ),
        Script(3, "Disk Usage Report", "userdefined", "python", "Diagnostics", [], favorite=True),
        Script(4, "Linux - list upgrades", "builtin", "shell", "TRMM (Linux):Updates", ["linux"]),
        Script(5, "macOS - list updates", "builtin", "shell", "TRMM (Mac):Updates", ["darwin"]),
        Script(6, "With client name", "userdefined", "powershell", "PSA", [], ["-Client", "{{client.name}}"]),
        Script(7, "Old onboarding", "userdefined", "cmd", "PSA", ["windows"], hidden=True),
    ]
    return {script.id: script for script in scripts}
