"""Platforms: ``windows``, ``linux``, ``darwin``; their names, and what is made for a device's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

LABELS = {"windows": "Windows", "linux": "Linux", "darwin": "macOS"}


def platform_label(platform: str) -> str:
    """The platform's name; an unknown one is its own name."""
    return LABELS.get(platform, platform)


def platform_of(facts: Mapping[str, Any]) -> str | None:
    """A device's platform by its facts: what the vendor says, else by the system's name; ``None`` where
    nobody said."""
    return facts.get("platform") or _by_system(facts.get("os_type"))


def suits(platform: str | None, made_for: Collection[str] | None) -> bool:
    """Whether what is made for some platforms, or without any for all, may be for this one; yes where the
    device's is not known."""
    return platform is None or not made_for or platform in made_for


def _by_system(os_type: str | None) -> str | None:
    word = (os_type or "").casefold()
    if not word:
        return None
    if "windows" in word:
        return "windows"
    return "darwin" if word.startswith(("mac", "darwin", "os x")) else "linux"
