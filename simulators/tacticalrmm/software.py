"""Installed software of Windows agents, and the rows of the software endpoints."""

from __future__ import annotations

import random
from typing import Any

from simulators.tacticalrmm import names
from simulators.tacticalrmm.models import Agent

UNKNOWN_DATE = "0001-01-01 00:00:00 +0000 UTC"


def software_row(agent: Agent) -> dict[str, Any] | None:
    """`{id, software, agent}` or nothing: Linux and macOS agents never have a row, nor new agents."""
    if agent.plat != "windows" or agent.hardware is None:
        return None
    return {"id": agent.pk, "software": _items(agent.pk), "agent": agent.pk}


def _items(seed: int) -> list[dict[str, str]]:
    picker = random.Random(seed)
    chosen = picker.sample(names.SOFTWARE, k=picker.randint(4, len(names.SOFTWARE)))
    old_agent = picker.random() < 0.15
    return [_item(picker, *entry, brief=old_agent) for entry in sorted(chosen)]


def _item(picker: random.Random, name: str, version: str, publisher: str, *, brief: bool) -> dict[str, str]:
    """A full item, or only name and version as some agents report for everything they have."""
    if brief:
        return {"name": name, "version": version}
    known = picker.random() < 0.8
    day = f"20{picker.randint(19, 25)}-{picker.randint(1, 12):02d}-{picker.randint(1, 28):02d}"
    return {
        "name": name,
        "size": "81.4 MB",
        "source": "",
        "version": version,
        "location": f"C:\\Program Files\\{name}\\",
        "publisher": publisher,
        "uninstall": f'"C:\\Program Files\\{name}\\uninstall.exe"',
        "install_date": f"{day} 00:00:00 +0000 UTC" if known else UNKNOWN_DATE,
    }
