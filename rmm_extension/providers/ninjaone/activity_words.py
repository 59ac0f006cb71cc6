"""The activities of NinjaOne that say something of a device: what follows from each, and its words."""

from __future__ import annotations

from rmm_extension.domain.signals import SignalKind

_PARTS = {
    "CPU": "Processor",
    "MEMORY": "Memory",
    "DISK_DRIVE": "Drive",
    "DISK_VOLUME": "Volume",
    "DISK_PARTITION": "Partition",
    "ADAPTER": "Network adapter",
    "RAID_CONTROLLER": "RAID controller",
    "RAID_PHYSICAL_DRIVE": "Drive of a RAID",
    "RAID_LOGICAL_DISK": "Disk of a RAID",
}
_NODES = {
    "NODE_CREATED": "Added at the vendor",
    "NODE_UPDATED": "Changed at the vendor",
    "NODE_RE_ENROLLED": "Enrolled again",
    "NODE_IDENTIFICATION_UPDATED": "Identified anew",
    "NODE_MANUALLY_APPROVED": "Approved",
    "NODE_AUTOMATICALLY_APPROVED": "Approved automatically",
    "ADAPTER_CONFIG_CHANGED": "Network settings changed",
    "SOFTWARE_OS_UPDATED": "Operating system updated",
}
_PATCHING = {
    "SCAN_COMPLETED": "Scan for patches of {} ended",
    "INSTALLED": "Patches of {} installed",
    "INSTALL_FAILED": "Patches of {} failed to install",
    "APPLY_PATCH_COMPLETED": "Patching of {} ended",
}
_PATCHED = {"": "the system", "SOFTWARE_": "software"}
SIGNALS: dict[str, tuple[SignalKind, str]] = {
    **{code: (SignalKind.CHANGED, words) for code, words in _NODES.items()},
    **{f"{part}_ADDED": (SignalKind.CHANGED, f"{words} added") for part, words in _PARTS.items()},
    **{f"{part}_REMOVED": (SignalKind.CHANGED, f"{words} removed") for part, words in _PARTS.items()},
    "NODE_DELETED": (SignalKind.DELETED, "Deleted at the vendor"),
    "SYSTEM_REBOOTED": (SignalKind.SEEN, "Restarted"),
    "USER_LOGGED_IN": (SignalKind.SEEN, "Signed in"),
    "USER_LOGGED_OUT": (SignalKind.SEEN, "Signed out"),
    "SOFTWARE_ADDED": (SignalKind.SOFTWARE, "Software added"),
    "SOFTWARE_REMOVED": (SignalKind.SOFTWARE, "Software removed"),
    "SOFTWARE_UPDATED": (SignalKind.SOFTWARE, "Software updated"),
    **{
        f"{prefix}PATCH_MANAGEMENT_{code}": (SignalKind.PATCHES, words.format(what))
        for prefix, what in _PATCHED.items()
        for code, words in _PATCHING.items()
    },
}
"""By the status code, whatever the activity's type: no source says which type owns these codes."""

LONGEST = 100
"""Characters of a subject that are told."""


def said_of(code: str, about: str | None) -> str:
    """What happened, with what it was about: ``Software added: 7-Zip``."""
    words = SIGNALS[code][1] if code in SIGNALS else code.replace("_", " ").capitalize()
    return f"{words}: {about[:LONGEST]}" if about else words
