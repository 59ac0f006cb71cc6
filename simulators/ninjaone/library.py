"""The scripts and built-in actions there are."""

from __future__ import annotations

from typing import Any

from simulators.ninjaone.models import Script

CATEGORIES = [
    {"id": 1, "name": "Uncategorized", "internal": False},
    {"id": 2, "name": "Maintenance", "internal": False},
    {"id": 3, "name": "Built-in", "internal": True},
]
CREDENTIAL_ROLES = ["system", "SR_LOCAL_ADMINISTRATOR", "loggedonuser"]
CREDENTIALS = [{"id": 7, "name": "Domain admin", "type": "BASIC"}]


def default_scripts() -> list[Script]:
    """Library scripts by id, built-in actions by uid; one is switched off."""
    return [
        Script(
            "SCRIPT", "Restart print spooler", 11, description="Restarts the spooler – Drucker", category_id=2
        ),
        Script(
            "SCRIPT",
            "Clean up disk",
            12,
            parameters=("-Deep", "-DryRun"),
            variables=(
                _variable("days", "INTEGER", "30", required=True),
                _variable("scope", "DROPDOWN", "temp", values=["temp", "logs", "all"]),
                _variable("notify", "CHECKBOX", "false"),
            ),
            category_id=2,
        ),
        Script("SCRIPT", "Collect logs", 13, language="sh", systems=("Linux", "Mac")),
        Script("SCRIPT", "Old inventory", 14, active=False),
        Script(
            "ACTION",
            "Run disk check",
            uid="5a5f5c5e-0001-4000-8000-000000000001",
            language="native",
            category_id=3,
        ),
        Script(
            "ACTION",
            "Flush DNS cache",
            uid="5a5f5c5e-0002-4000-8000-000000000002",
            language="native",
            category_id=3,
        ),
    ]


def _variable(
    name: str, kind: str, default: str, *, required: bool = False, values: list[str] | None = None
) -> dict[str, Any]:
    return {
        "id": f"var-{name}",
        "name": name,
        "description": f"{name} of the run",
        "type": kind,
        "source": "LITERAL",
        "defaultValue": default,
        "required": required,
        "valueList": values or [],
    }
