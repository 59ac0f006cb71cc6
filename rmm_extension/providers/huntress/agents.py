"""Agents of Huntress as devices. Fields by Huntress's API v1; none but id and organization is needed.

Huntress tells no status. Its agents call back all the time, so that the last call says whether a host is
there: one that called within the hour before the answer counts as online, one that did not as offline. How
often an agent calls is not published; an hour is long enough that a call or two may be missing. Of an agent
that never called nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rmm_extension.domain.addresses import lan_ipv4, usable_macs
from rmm_extension.domain.serials import usable_serial
from rmm_extension.domain.types import AgentStatus, Device, DeviceKind, Hardware
from rmm_extension.domain.values import identifier, moment, storable, text
from rmm_extension.providers.device_pages import Unreadable

SILENT_AFTER = timedelta(hours=1)
"""How long after its last call an agent counts as online."""
_PROTECTED = frozenset({"healthy", "protected"})
_AT_RISK = frozenset({"unhealthy", "at risk", "disabled", "unprotected"})
_ISOLATION = frozenset({"isolated", "pending isolation", "pending release"})
_FACTS = (
    ("Domain", "domain_name"),
    ("Architecture", "arch"),
    ("EDR version", "edr_version"),
    ("Firewall", "firewall_status"),
    ("Defender", "defender_status"),
    ("Defender details", "defender_substatus"),
    ("Defender policy", "defender_policy_status"),
)


def device_of(row: Mapping[str, Any], now: datetime, *, full: bool) -> Device:
    """The device; ``full`` with its network addresses. Raises :class:`Unreadable`."""
    external_id, organization = identifier(row.get("id")), identifier(row.get("organization_id"))
    if external_id is None or organization is None:
        raise Unreadable("it has no id" if external_id is None else "it names no organization")
    seen, system, platform = moment(row.get("last_callback_at")), _text(row, "os"), _text(row, "platform")
    antivirus = _antivirus(_text(row, "defender_status"))
    return Device(
        external_id=external_id,
        external_organization_id=organization,
        name=_text(row, "hostname") or f"Agent {external_id}",
        kind=_kind(system, platform),
        status=status_of(seen, now),
        last_seen_at=seen,
        serial=usable_serial(_text(row, "serial_number")),
        platform=platform.casefold() if platform else None,
        os_type=system,
        os_version=_version(row),
        agent_version=_text(row, "version") or _text(row, "edr_version"),
        lan_ip=lan_ipv4(_text(row, "ipv4_address")),
        wan_ip=_text(row, "external_ip"),
        antivirus=antivirus,
        antivirus_product="Microsoft Defender" if antivirus else None,
        custom_fields=_facts(row),
        hardware=Hardware(macs=_macs(row)) if full else None,
    )


def status_of(seen: datetime | None, now: datetime) -> AgentStatus:
    """Whether the agent is there, by its last call."""
    if seen is None:
        return AgentStatus.UNKNOWN
    return AgentStatus.ONLINE if now - seen <= SILENT_AFTER else AgentStatus.OFFLINE


def _kind(system: str | None, platform: str | None) -> DeviceKind:
    """By the name of the system: Huntress has no word for it. That of a Linux rarely says which it is."""
    if "server" in (system or "").casefold():
        return DeviceKind.SERVER
    desktops = ("windows", "darwin")
    return DeviceKind.WORKSTATION if (platform or "").casefold() in desktops else DeviceKind.UNKNOWN


def _version(row: Mapping[str, Any]) -> str | None:
    build = _text(row, "os_build_version")
    if build:
        return build
    parts = [identifier(row.get(name)) for name in ("os_major", "os_minor", "os_patch")]
    return ".".join(part for part in parts if part) if parts[0] else None


def _antivirus(status: str | None) -> str | None:
    """What Microsoft Defender under Huntress's management is. Of a host with another program, or where the
    word is a new one, nothing is said: somebody else may know."""
    word = (status or "").casefold()
    return "protected" if word in _PROTECTED else "at_risk" if word in _AT_RISK else None


def _macs(row: Mapping[str, Any]) -> tuple[str, ...]:
    found = row.get("mac_addresses")
    listed = found if isinstance(found, list) else [found]
    return usable_macs((one, None) for one in listed if isinstance(one, str))


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """What Huntress tells beside, in its own words; isolation always, for it is what one looks for."""
    facts: dict[str, Any] = {label: found for label, name in _FACTS if (found := _text(row, name))}
    tags = row.get("tags")
    named = [found for one in tags if (found := text(one))] if isinstance(tags, list) else []
    if named:
        facts["Tags"] = ", ".join(named)
    firewall = _text(row, "firewall_status")
    if firewall:
        facts["Isolation"] = firewall if firewall.casefold() in _ISOLATION else "Not isolated"
    return facts


def _text(row: Mapping[str, Any], name: str) -> str | None:
    found = row.get(name)
    return (
        storable(text(found))
        if isinstance(found, (str, int, float)) and not isinstance(found, bool)
        else None
    )
