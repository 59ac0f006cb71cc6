"""NinjaOne's reports, read whole before the devices: tens of requests for any fleet, none for a device.

What is kept of 100,000 devices has to fit into a worker, so equal texts and counts are one in memory, and the
longer lists stay packed until their device is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from rmm_extension.domain.errors import NotFound, PermissionMissing
from rmm_extension.providers.gathering import bounded
from rmm_extension.providers.ninjaone import facts, rows
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.errors import WrongHost
from rmm_extension.providers.prefetch import prefetch
from rmm_extension.providers.values import count

_pack = msgspec.msgpack.Encoder().encode
_volumes = msgspec.msgpack.Decoder(list[facts.Volume]).decode
_cards = msgspec.msgpack.Decoder(list[facts.Card]).decode


class Told(msgspec.Struct, gc=False):
    """What the reports say of one device; ``None`` and nothing where they do not name it."""

    machine: facts.Machine | None = None
    system: facts.System | None = None
    health: facts.Health | None = None
    antivirus: tuple[facts.Antivirus, ...] = ()
    processors: tuple[facts.Processor, ...] = ()
    sign_in: facts.SignIn | None = None
    packed_volumes: bytes = b""
    packed_cards: bytes = b""

    @property
    def volumes(self) -> list[facts.Volume]:
        """The volumes, in the order of the report."""
        return _volumes(self.packed_volumes) if self.packed_volumes else []

    @property
    def cards(self) -> list[facts.Card]:
        """The network interfaces, in the order of the report."""
        return _cards(self.packed_cards) if self.packed_cards else []

    def with_volumes(self, volumes: Sequence[facts.Volume]) -> Told:
        """The same with these volumes."""
        self.packed_volumes = _pack(list(volumes)) if volumes else b""
        return self


NOTHING = Told()


class Report(NamedTuple):
    """One report: its rows, how one is kept, and what stays unknown where it may not be read."""

    path: str
    kind: type[rows.ReportRow]
    keep: Callable[[Told, Any], None]
    subject: str


def _keep_machine(told: Told, row: rows.System) -> None:
    told.machine = facts.machine(row)


def _keep_system(told: Told, row: rows.OperatingSystem) -> None:
    told.system = facts.system(row)


def _keep_health(told: Told, row: rows.Health) -> None:
    told.health = facts.health(row)


def _keep_antivirus(told: Told, row: rows.Antivirus) -> None:
    told.antivirus += (facts.antivirus(row),)


def _keep_processor(told: Told, row: rows.Processor) -> None:
    told.processors += (facts.processor(row),)


def _keep_volume(told: Told, row: rows.Volume) -> None:
    found = facts.volume(row)
    if found is not None:
        told.packed_volumes = _pack([*told.volumes, found])


def _keep_card(told: Told, row: rows.Card) -> None:
    told.packed_cards = _pack([*told.cards, facts.card(row)])


def _keep_sign_in(told: Told, row: rows.SignIn) -> None:
    found = facts.sign_in(row)
    if found is not None and (told.sign_in is None or (found.at, found.user) > _order(told.sign_in)):
        told.sign_in = found


def _order(known: facts.SignIn) -> tuple[float, str]:
    return known.at, known.user


ANTIVIRUS = "/v2/queries/antivirus-status"
CARDS = "/v2/queries/network-interfaces"
ROUTINE: Sequence[Report] = (
    Report("/v2/queries/computer-systems", rows.System, _keep_machine, "Serial numbers and models"),
    Report("/v2/queries/operating-systems", rows.OperatingSystem, _keep_system, "Operating systems"),
    Report("/v2/queries/device-health", rows.Health, _keep_health, "Counts of patches and threats"),
    Report(ANTIVIRUS, rows.Antivirus, _keep_antivirus, "The state of antivirus programs"),
)
"""Read in every run: what they tell is part of what tells a change from a repetition, so that a run without
one of them would take every device for changed."""
HEAVY: Sequence[Report] = (
    Report("/v2/queries/processors", rows.Processor, _keep_processor, "Processors"),
    Report("/v2/queries/volumes", rows.Volume, _keep_volume, "Disks"),
    Report("/v2/queries/logged-on-users", rows.SignIn, _keep_sign_in, "Who signed in last"),
    Report(CARDS, rows.Card, _keep_card, "Network interfaces"),
)
"""Read in full runs only."""


class Reports:
    """What all reports said; ``warnings`` name those that may not be read and rows that cannot be."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._devices: defaultdict[int, Told] = defaultdict(Told)
        self._read: set[str] = set()

    @classmethod
    def read(cls, client: NinjaOneClient, *, full: bool) -> Reports:
        """Read them one after the other, the next page while the last one is sorted in.

        One that the sign-in may not read leaves its facts unknown; any other error is raised.
        """
        found = cls()
        for report in (*ROUTINE, *HEAVY) if full else ROUTINE:
            try:
                found._take(client, report)
            except WrongHost:
                raise
            except (PermissionMissing, NotFound) as error:
                found.warnings.append(f"{report.subject} are left out: {error}")
        return found

    def of(self, device_id: str) -> Told:
        """What they say of a device."""
        key = count(device_id)
        return NOTHING if key is None else self._devices.get(key, NOTHING)

    def has(self, path: str) -> bool:
        """Whether the report was read to its end: whoever it does not name has nothing there."""
        return path in self._read

    @property
    def names_any(self) -> bool:
        """Whether they name any device at all."""
        return bool(self._devices)

    def _take(self, client: NinjaOneClient, report: Report) -> None:
        errors: list[str] = []
        # Not cancelled with its stream: after a report that may not be read, the client goes on.
        for page in prefetch(client.report(report.path, report.kind, errors=errors)):
            for row in page:
                device_id = count(row.device_id)
                if device_id is not None:
                    report.keep(self._devices[device_id], row)
        self._read.add(report.path)
        self.warnings += bounded(errors)
