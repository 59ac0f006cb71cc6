"""Installed software of Windows agents, and the rows of the software endpoints."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from simulators.tacticalrmm import names
from simulators.tacticalrmm.models import Agent

UNKNOWN_DATE = "0001-01-01 00:00:00 +0000 UTC"


def software_row(agent: Agent) -> dict[str, Any] | None:
    """`{id, software, agent}` or nothing: Linux and macOS agents never have a row, nor new agents."""
    if not _tells(agent):
        return None
    return {"id": agent.pk, "software": items_of(agent), "agent": agent.pk}


def items_of(agent: Agent) -> list[dict[str, str]]:
    """What the agent tells now."""
    return _items(agent.pk) if agent.software is None else agent.software


def install(agent: Agent, name: str, version: str, publisher: str = "") -> None:
    """Put a product on the agent, in place of its other versions."""
    if not _tells(agent):
        raise ValueError("only Windows agents that have checked in tell software")
    others = [item for item in items_of(agent) if item["name"] != name]
    item = _item(random.Random(name), name, version, publisher, brief=not publisher)
    agent.software = sorted([*others, item], key=lambda one: one["name"])


def remove(agent: Agent, name: str) -> None:
    """Take all versions of a product off the agent."""
    kept = [item for item in items_of(agent) if item["name"] != name]
    if not _tells(agent) or len(kept) == len(items_of(agent)):
        raise ValueError(f"{name} is not installed")
    agent.software = kept


def clear(agent: Agent) -> None:
    """Let the agent tell an empty list, as one does that cannot read its software."""
    if _tells(agent):
        agent.software = []


def stream(agents: Iterable[Agent]) -> tuple[int, Iterator[bytes]]:
    """Length and pieces of the list of all agents. Row by row, so that a large fleet needs no memory."""
    rows = [(agent, agent.software) for agent in agents if _tells(agent)]
    length = sum(map(len, _pieces(rows)))
    return length, _pieces(rows)


def _pieces(rows: list[tuple[Agent, list[dict[str, str]] | None]]) -> Iterator[bytes]:
    yield b"["
    for number, (agent, changed) in enumerate(rows):
        items = _items(agent.pk) if changed is None else changed
        row = msgspec.json.encode({"id": agent.pk, "software": items, "agent": agent.pk})
        yield b"," + row if number else row
    yield b"]"


def _tells(agent: Agent) -> bool:
    return agent.plat == "windows" and agent.hardware is not None


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
