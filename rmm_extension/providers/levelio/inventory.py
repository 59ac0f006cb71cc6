"""Walking the fleet of Level: one list of all devices, page by page.

A routine run lists everything, as a full one does: Level has no filter by time, and one list of the account
takes fewer requests than one for each group. What a run asks for beside that costs no request: the blocks
about system, network and security on every run, for the list's facts have to be the same each time, and those
about hardware on a full one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

import msgspec

from rmm_extension.domain.errors import NotFound
from rmm_extension.domain.types import Device, DevicePage
from rmm_extension.providers.device_pages import Batch, Unreadable
from rmm_extension.providers.levelio import organizations, rows
from rmm_extension.providers.levelio.client import LevelClient, path_of
from rmm_extension.providers.levelio.mapping import device_of
from rmm_extension.providers.levelio.organizations import DEVICES, UNGROUPED
from rmm_extension.providers.values import count, identifier, text

_ALWAYS = ("operating_system", "network_interfaces", "security")
_HEAVY = ("cpus", "memory", "disks", "motherboard")
ROUTINE: Mapping[str, str] = {f"include_{name}": "true" for name in _ALWAYS}
"""The blocks that every run asks for."""
FULL: Mapping[str, str] = {f"include_{name}": "true" for name in (*_ALWAYS, *_HEAVY)}
"""All blocks there are."""
_NO_GROUP = "The group with id {} does not exist at Level, or is of another account."
_NO_DEVICES = "Level lists no devices at all, though its groups count some: nothing is taken for gone."
_device = msgspec.json.Decoder(rows.Device).decode
_named = msgspec.json.Decoder(rows.Named).decode


class Walk:
    """One run over the devices of some groups."""

    def __init__(self, client: LevelClient, *, full: bool) -> None:
        self.client = client
        self.full = full

    def pages(self, organization_ids: Sequence[str]) -> Iterator[DevicePage]:
        """All pages; the groups are complete with the last one, and only with a list that ended well.

        A row that cannot be read still proves that its device is there. One that does not even tell its id
        leaves every group incomplete.
        """
        groups = organizations.read(self.client)
        wanted = dict.fromkeys(organization_ids)
        there = wanted.keys() & {*groups, UNGROUPED}
        warnings = [_NO_GROUP.format(key[:50]) for key in wanted if key not in there]
        total, is_sound, is_empty = _total(groups, there), True, True
        params = FULL if self.full else ROUTINE
        for raws in self.client.listing(DEVICES, msgspec.Raw, errors=[], params=params):
            batch = self._batch(raws, there)
            is_sound, is_empty = is_sound and batch.is_sound, False
            yield batch.page(warnings, total)
            warnings = []
        if is_empty and any(count(group.device_count) for group in groups.values()):
            is_sound = False
            warnings.append(_NO_DEVICES)
        complete = tuple(there) if is_sound else ()
        yield DevicePage(devices=(), errors=tuple(warnings), completed_organizations=complete)

    def _batch(self, raws: Sequence[msgspec.Raw], wanted: Set[str]) -> Batch:
        batch = Batch()
        for raw in raws:
            try:
                device = device_of(_device(raw), full=self.full)
            except (msgspec.ValidationError, Unreadable) as error:
                _leave_out(batch, raw, error)
                continue
            batch.take(device, wanted)
        return batch


def fetch(client: LevelClient, external_id: str) -> Device | None:
    """One device now, with all blocks; ``None`` when Level does not know it."""
    try:
        reply = client.read(path_of("devices", external_id), params=FULL)
    except NotFound:
        return None
    try:
        found = device_of(reply.decode(rows.Device), full=True)
    except Unreadable as error:
        raise reply.misshapen(f"{error} - at `$.id`") from None
    if found.external_id != external_id:
        raise reply.misshapen("another device - at `$.id`")
    return found


def _total(groups: Mapping[str, rows.Group], wanted: Set[str]) -> int | None:
    """How many devices there are to come, where every wanted group counts its own."""
    numbers = [count(groups[key].device_count) if key in groups else None for key in wanted]
    known = [one for one in numbers if one is not None]
    return sum(known) if known and len(known) == len(numbers) else None


def _leave_out(batch: Batch, raw: msgspec.Raw, error: Exception) -> None:
    """Note why, and that the device is there."""
    try:
        found = _named(raw)
    except msgspec.ValidationError:
        found = rows.Named()
    batch.leave_out("Device", identifier(found.id), text(found.hostname), error)
