"""What a device's report rows say, in few bytes: a run holds these for every device at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import msgspec

from rmm_extension.domain.serials import usable_serial
from rmm_extension.providers.ninjaone import rows
from rmm_extension.providers.values import (
    Scalar,
    count,
    epoch,
    flag,
    gigabytes,
    maker,
    number,
    text,
)


class Machine(msgspec.Struct, frozen=True, gc=False):
    """The machine: who made it, its serial number, its memory in GB."""

    serial: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    memory_gb: float | None = None


class System(msgspec.Struct, frozen=True, gc=False):
    """The operating system; ``booted`` in epoch seconds."""

    name: str | None = None
    version: str | None = None
    booted: int | None = None
    needs_reboot: bool | None = None


class Health(msgspec.Struct, frozen=True, gc=False):
    """Patches and threats, counted by NinjaOne, and whether it gives a reason to reboot."""

    os_pending: int | None = None
    os_failed: int | None = None
    software_pending: int | None = None
    software_failed: int | None = None
    threats: int | None = None
    reboots: bool = False


class Antivirus(msgspec.Struct, frozen=True, gc=False):
    """One product: protected, at_risk or unknown."""

    product: str
    state: str


class Processor(msgspec.Struct, frozen=True, gc=False):
    """One socket."""

    name: str | None = None
    cores: int | None = None


class Volume(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One volume of a drive in the machine, in bytes."""

    name: str
    capacity: int | None = None
    free: int | None = None


class Card(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One network interface."""

    name: str
    macs: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()


class SignIn(msgspec.Struct, frozen=True, gc=False):
    """Who signed in, and when (epoch seconds; 0 where nobody says)."""

    user: str
    at: float = 0.0


def machine(row: rows.System) -> Machine:
    """The serial number is the system's, else the BIOS's: board makers leave fillers in either."""
    serial = usable_serial(text(row.serial_number)) or usable_serial(text(row.bios_serial_number))
    memory = gigabytes(row.total_physical_memory)
    return Machine(serial, maker(row.manufacturer), maker(row.model), memory)


def system(row: rows.OperatingSystem) -> System:
    """The operating system by its full name, release and build."""
    name, version = named_system(row.name, row.release_id, row.build_number)
    return System(name, version, seconds(row.last_boot_time), flag(row.needs_reboot))


@lru_cache(maxsize=4096, typed=True)
def named_system(name: Scalar, release: Scalar = None, build: Scalar = None) -> tuple[str | None, str | None]:
    """``("Windows", "11 Pro, 24H2 (build 26100)")``: the system without and with its version."""
    cleaned = text(name)
    if cleaned is None:
        return None, None
    kind, version = _split(cleaned.removeprefix("Microsoft "))
    told, number_of_build = text(release), text(build)
    if told and told not in version:
        version = f"{version}, {told}" if version else told
    if number_of_build and number_of_build not in version:
        version = f"{version} (build {number_of_build})".strip()
    return kind, version or None


def _split(name: str) -> tuple[str, str]:
    """The first word of Windows and macOS, and everything before the first digit of the others."""
    for family, spelling in (("Windows", "Windows"), ("macOS", "macOS"), ("macOS", "Mac OS X")):
        if name.startswith(spelling):
            return family, name.removeprefix(spelling).strip()
    start = next((place for place, sign in enumerate(name) if sign.isdigit()), len(name))
    return (name[:start].strip(), name[start:]) if name[:start].strip() else (name, "")


# A healthy fleet has few distinct counts: equal ones are then one in memory.
@lru_cache(maxsize=4096)
def _health(counts: tuple[int | None, ...], *, reboots: bool) -> Health:
    return Health(*counts, reboots=reboots)  # type: ignore[misc, arg-type]


def health(row: rows.Health) -> Health:
    """The counts; a reason that is not given is none."""
    counts = (
        count(row.pending_os_patches),
        count(row.failed_os_patches),
        count(row.pending_software_patches),
        count(row.failed_software_patches),
        count(row.active_threats_count),
    )
    reason = (text(row.pending_reboot_reason) or "").casefold()
    return _health(counts, reboots=reason not in ("", "no", "false"))


# The words of Windows' Security Center; a word that is none of these says nothing.
_STOPPED = frozenset({"off", "snoozed", "expired", "disabled"})


@lru_cache(maxsize=4096, typed=True)
def _antivirus(name: Scalar, state: Scalar, definitions: Scalar) -> Antivirus:
    running, current = _bare(state), _bare(definitions)
    if running in _STOPPED or current == "outofdate":
        found = "at_risk"
    else:
        found = "protected" if (running, current) == ("on", "uptodate") else "unknown"
    return Antivirus(text(name) or "", found)


def antivirus(row: rows.Antivirus) -> Antivirus:
    """Protected is what runs with fresh definitions; ``Up-to-Date`` and ``UP_TO_DATE`` both mean that."""
    return _antivirus(row.product_name, row.product_state, row.definition_status)


def _bare(value: Scalar) -> str:
    return "".join(sign for sign in (text(value) or "").casefold() if sign.isalnum())


def processor(row: rows.Processor) -> Processor:
    """One socket's name and cores."""
    return _processor(row.name, row.num_cores)


@lru_cache(maxsize=4096, typed=True)
def _processor(name: Scalar, cores: Scalar) -> Processor:
    return Processor(text(name), count(cores) or None)


# Discs, sticks and shares are no storage of the machine.
_ELSEWHERE = ("cd", "dvd", "compact disc", "optical", "removable", "floppy", "network", "ram disk")


def volume(row: rows.Volume) -> Volume | None:
    """A volume of the machine's own drives; ``None`` for others and for one without a name."""
    kind = (text(row.device_type) or "").casefold()
    name = text(row.drive_letter) or text(row.name) or text(row.label)
    if name is None or any(word in kind for word in _ELSEWHERE):
        return None
    return Volume(name, _size(row.capacity), _size(row.free_space))


def _size(value: Scalar) -> int | None:
    found = number(value)
    return int(found) if found is not None and 0 <= found < 2.0**62 else None


def card(row: rows.Card) -> Card:
    """A network interface by the name its owner gave it."""
    name = text(row.adapter_name) or text(row.interface_name) or "Network interface"
    return Card(name, texts(row.mac_address), texts(row.ip_address))


def texts(value: rows.Texts) -> tuple[str, ...]:
    """The texts of a list, or the one that came alone."""
    several: Iterable[Scalar] = value if isinstance(value, list) else (value,)
    return tuple(found for one in several if (found := text(one)))


def sign_in(row: rows.SignIn) -> SignIn | None:
    """Who signed in; ``None`` for nobody."""
    user = text(row.user_name)
    return None if user is None else SignIn(user, number(row.logon_time) or 0.0)


def seconds(value: Scalar) -> int | None:
    """Epoch seconds, whole; ``None`` for a time that is not believed."""
    found: datetime | None = epoch(value)
    return None if found is None else int(found.timestamp())
