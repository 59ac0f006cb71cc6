"""Patches in words: their states, and how long they are what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rmm_extension.domain.patches import WAITING, PatchStatus
from rmm_extension.services.queries.device_patches import PatchesKnown

from .narrowing import Options

STATES: Options = [
    (PatchStatus.FAILED.value, "Failed"),
    (PatchStatus.REJECTED.value, "Rejected"),
    (PatchStatus.INSTALLED.value, "Installed"),
]
"""What lists of the fleet may show instead of what waits."""
STATES_OF_DEVICE: Options = [("waiting", "Pending"), *STATES]
"""What a device's list may be narrowed to."""


def statuses_of(state: str | None) -> Sequence[str]:
    """The statuses behind a word; those that wait where there is none."""
    return [state] if state and state != "waiting" else sorted(WAITING)


def told_numbers(known: PatchesKnown, facts: Mapping[str, Any]) -> Mapping[str, int | None]:
    """How many wait and failed of each kind: as listed, or as the vendor tells it where none is.

    ``None`` where nobody tells it.
    """
    return {
        f"{kind}_{name}": _number(known, facts, kind, name)
        for kind in ("os", "software")
        for name in ("pending", "failed")
    }


def _number(known: PatchesKnown, facts: Mapping[str, Any], kind: str, name: str) -> int | None:
    if kind in known.told:
        return known.number(sorted(WAITING) if name == "pending" else [PatchStatus.FAILED], kind)
    told = facts.get(f"{kind}_patches_{name}")
    return told if isinstance(told, int) else None
