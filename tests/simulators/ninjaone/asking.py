"""One request for each address that is read, with a device that has something to tell."""

from __future__ import annotations

from typing import Any

from tests.harness.ninjaone import Ninja


def filled(ninja: Ninja, path: str) -> str:
    """The address with ids in it, and small pages."""
    number = {"/organization": 2, "/device/": ninja.lab.device(node_class="WINDOWS_WORKSTATION").id}
    for start, one in number.items():
        if path.startswith(start):
            path = path.replace("{id}", str(one))
    return path


def answers(ninja: Ninja, path: str) -> list[Any]:
    """What the address answers: without and, where it has such, with parameters that add to it."""
    variants = {"/devices-detailed": ["", "?expand=warranty"], "/queries/volumes": ["", "?include=bl"]}
    variants |= {"/devices/search": ["?q=10.&limit=50"]}
    urls = [f"/v2{filled(ninja, path)}{query}" for query in variants.get(path, [""])]
    replies = [ninja.get(url, ninja.token()) for url in urls]
    assert [one.status_code for one in replies] == [200] * len(replies)
    return [one.json() for one in replies]
