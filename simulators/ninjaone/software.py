"""Installed software, told by its place in a list so that a large fleet needs no memory.

A device's n-th product follows from its id alone; a report can thus give rows of all devices in any order.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from typing import Any, overload

from simulators.ninjaone import names
from simulators.ninjaone.enums import AGENTS
from simulators.ninjaone.models import Device

PRODUCTS = 211
"""Size of the catalogue; a prime, so that any step visits all of it."""

MOST = 60
"""Products on one device at most."""


@cache
def catalogue() -> tuple[dict[str, Any], ...]:
    """The products there are. Some tell no publisher, no date, no size."""
    picker = random.Random(211)
    return tuple(_product(picker, number) for number in range(PRODUCTS))


def _product(picker: random.Random, number: int) -> dict[str, Any]:
    base = names.PRODUCTS[number % len(names.PRODUCTS)]
    name = base if number < len(names.PRODUCTS) else f"{base} {number}"
    day = f"20{picker.randint(19, 25)}-{picker.randint(1, 12):02d}-{picker.randint(1, 28):02d}"
    code = f"{{{picker.getrandbits(128):032X}}}"
    row = {
        "installDate": day,
        "location": f"C:\\Program Files\\{name}\\",
        "name": name,
        "publisher": picker.choice(names.PUBLISHERS),
        "size": picker.randint(10**5, 10**9),
        "version": f"{picker.randint(1, 30)}.{picker.randint(0, 9)}.{picker.randint(0, 9999)}",
        "productCode": code,
    }
    if number % 7 == 3:
        del row["installDate"], row["size"]
    return row


class SoftwareOf(Sequence[dict[str, Any]]):
    """The products of a device, made when looked at."""

    def __init__(self, device_id: int) -> None:
        """The same for the same device."""
        self._start = device_id * 17 % PRODUCTS
        self._step = device_id % 13 + 1
        self._length = 15 + device_id * 7 % (MOST - 14)

    def __len__(self) -> int:
        """Number of products."""
        return self._length

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        """One product, or some."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._length))]
        if not 0 <= index < self._length:
            raise IndexError(index)
        return catalogue()[(self._start + index * self._step) % PRODUCTS]


def software_of(device: Device) -> Sequence[dict[str, Any]]:
    """What the device tells now; only classes with an agent tell any."""
    if device.software is not None:
        return device.software
    return SoftwareOf(device.id) if device.node_class in AGENTS else ()


def install(device: Device, name: str, version: str, publisher: str | None = None) -> None:
    """Put a product on the device, in place of its other versions."""
    others = [row for row in software_of(device) if row["name"] != name]
    device.software = [*others, {"name": name, "version": version, "publisher": publisher}]


def remove(device: Device, name: str) -> None:
    """Take all versions of a product off the device."""
    kept = [row for row in software_of(device) if row["name"] != name]
    if len(kept) == len(software_of(device)):
        raise ValueError(f"{name} is not installed")
    device.software = kept
