"""Network addresses as devices report them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from socket import AF_INET, inet_pton

_HEX = re.compile(r"[0-9a-f]{12}")
# Adapters of VPN clients, hypervisor hosts and the system itself: their addresses repeat between machines.
_VIRTUAL = re.compile(
    r"virtual (ethernet|switch|adapter)|virtualbox|host-only|wan miniport|wi-?fi direct|bluetooth|loopback"
    r"|kernel debug|tap-|\btap\b|\btun\b|tunnel|teredo|isatap|vpn|wireguard|zerotier|tailscale|anyconnect"
    r"|fortinet|sonicwall|pangp|docker|vethernet|npcap|ras async|multiplexor",
    re.IGNORECASE,
)
_SHARED_PREFIXES = ("00:50:56:c0:00", "0a:00:27:00:00", "02:00:4c:4f:4f:50")
_USELESS = frozenset({"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"})


def normal_mac(value: str | None) -> str | None:
    """``aa:bb:cc:dd:ee:ff`` from any common notation; ``None`` for other text and for zero addresses."""
    bare = re.sub(r"[\s:.\-]", "", value or "").lower()
    if not _HEX.fullmatch(bare):
        return None
    mac = ":".join(bare[i : i + 2] for i in range(0, 12, 2))
    return None if mac in _USELESS or mac.startswith(_SHARED_PREFIXES) else mac


def is_virtual_adapter(description: str | None) -> bool:
    """Whether the adapter's name says that it is not a network card of this machine."""
    return bool(description and _VIRTUAL.search(description))


def usable_macs(adapters: Iterable[tuple[str | None, str | None]]) -> tuple[str, ...]:
    """The distinct MAC addresses of real adapters, in order, from ``(address, adapter name)`` pairs."""
    found = (normal_mac(mac) for mac, name in adapters if mac and not is_virtual_adapter(name))
    return tuple(dict.fromkeys(mac for mac in found if mac))


def lan_ipv4(text: str | None) -> str | None:
    """The first private IPv4 address of a comma-separated list, else the first IPv4 address.

    Prefix lengths (``/24``) are cut off; IPv6, loopback and link-local addresses are passed over.
    """
    fallback = None
    for part in (text or "").split(","):
        address = part.partition("/")[0].strip()
        rank = _rank(address)
        if rank == 2:
            return address
        if rank == 1 and fallback is None:
            fallback = address
    return fallback


def _rank(address: str) -> int:
    """2 for a private address, 1 for another one of a machine, 0 for anything else."""
    try:
        first, second, _, _ = inet_pton(AF_INET, address)
    except (OSError, ValueError):
        return 0
    if first in (0, 127) or first >= 224 or (first, second) == (169, 254):
        return 0
    private = first == 10 or (first == 172 and 16 <= second < 32) or (first == 192 and second == 168)
    return 2 if private else 1
