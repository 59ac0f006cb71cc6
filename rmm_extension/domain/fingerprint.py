"""Digests of what a vendor says of a device, to tell a change from a repetition."""

from __future__ import annotations

from hashlib import blake2b
from operator import attrgetter

import msgspec

from .types import Device

_SLOW = ("hardware", "offline_after_minutes", "overdue_after_minutes")
"""What only the heavy listing brings: it must not make a routine listing differ from a full one."""
_APART = frozenset({"external_id", "last_seen_at", *_SLOW})

_core_values = attrgetter(*(name for name in Device.__struct_fields__ if name not in _APART))
_slow_values = attrgetter(*_SLOW)
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def core_digest(device: Device) -> bytes:
    """16 bytes over every mapped value that a routine listing brings, but ``last_seen_at``."""
    return blake2b(_encode(_core_values(device)), digest_size=16).digest()


def hardware_digest(device: Device) -> bytes | None:
    """16 bytes over what only a full listing brings; ``None`` for a device that came without it."""
    if device.hardware is None:
        return None
    return blake2b(_encode(_slow_values(device)), digest_size=16).digest()


def owner_digest(client_id: str | None) -> bytes:
    """4 bytes over the client a device is mapped to: kept behind the core digest, so that a move shows."""
    return blake2b((client_id or "").encode(), digest_size=4).digest()
