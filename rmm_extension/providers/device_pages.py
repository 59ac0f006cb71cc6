"""Sorting the rows of a list of devices: what is written, and what is only known to be there."""

from __future__ import annotations

from collections.abc import Sequence, Set

import msgspec

from rmm_extension.domain.types import Device, DevicePage
from rmm_extension.providers.gathering import bounded
from rmm_extension.providers.reply import place


class Unreadable(ValueError):
    """A row without what makes it a device; the text says what is missing."""


class Batch(msgspec.Struct):
    """A page of the list. ``present`` are ids of devices that are there and are not written.

    ``is_sound``: every row told at least its id, so that the page proves which devices are there.
    """

    devices: list[Device] = []
    present: list[str] = []
    errors: list[str] = []
    is_sound: bool = True

    def take(self, device: Device, wanted: Set[str]) -> None:
        """Write the device if its organization is wanted; else it is only there."""
        if device.external_organization_id in wanted:
            self.devices.append(device)
        else:
            self.present.append(device.external_id)

    def leave_out(self, noun: str, external_id: str | None, name: str | None, error: Exception) -> None:
        """Note why a row could not be read, and that its device is there; ``noun`` is what it is called."""
        why = str(error) if isinstance(error, Unreadable) else f"unexpected value at {place(str(error))}"
        called = f"{noun} {external_id or '?'}" + (f" ({name[:60]})" if name else "")
        self.errors.append(f"{called} could not be read: {why}.")
        if external_id is None:
            self.is_sound = False
        else:
            self.present.append(external_id)

    def page(self, warnings: Sequence[str], total: int | None = None) -> DevicePage:
        """What the page brings, behind these warnings."""
        return DevicePage(
            devices=tuple(self.devices),
            errors=(*warnings, *bounded(self.errors)),
            elsewhere=tuple(self.present),
            total=total,
        )
