"""One device of a page that needs writing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from rmm_extension.domain.types import Device
from rmm_extension.models import new_id


class Known(NamedTuple):
    """What is stored of a device, as far as a page needs it; ``stored`` is all of one fetched alone.

    Of one without an asset, ``proposal`` is what waits for a person, ``declined`` the assets that it is not.
    """

    id: UUID
    core_hash: bytes | None
    hardware_hash: bytes | None
    last_seen_at: datetime | None
    asset_id: str | None
    organization: str
    is_missing: bool
    is_deleted: bool
    status: str
    proposal: dict[str, Any] | None = None
    declined: list[str] | None = None
    stored: Device | None = None


@dataclass(slots=True)
class Item:
    """A device that is new, changed or back, with its stored row and what is decided on its asset.

    ``is_changed`` is false for one whose asset needs nothing; where it ``seeks``, it is as it was and only
    looks for an asset. ``yields`` is set when a device of another
    connection, seen later, fills the asset. ``adopted`` says by what an existing asset was recognized,
    ``proposal`` names assets a person may say it is.
    """

    device: Device
    row: Known | None
    client_id: str | None
    core_hash: bytes
    hardware_hash: bytes | None
    is_changed: bool = True
    seeks: bool = False
    yields: bool = False
    adopted: str | None = None
    proposal: dict[str, Any] | None = None
    asset_id: str | None = None
    id: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.id = self.row.id if self.row else new_id()
        if self.row is not None:
            self.asset_id = self.row.asset_id

    @property
    def follows_client(self) -> bool:
        """Whether the asset's client is to be set: the device is new here, or its mapping has moved.

        Otherwise a client that a person has given the asset stays.
        """
        return self.row is None or self.row.asset_id is None or self.has_new_owner

    @property
    def has_new_owner(self) -> bool:
        """Whether the device's organization leads to another client than at the last write."""
        stored = self.row.core_hash if self.row else None
        return stored is not None and self.core_hash[16:] != stored[16:]

    @property
    def has_new_hardware(self) -> bool:
        """Whether the vendor told of the hardware, and otherwise than at the last write."""
        return self.hardware_hash is not None and (
            self.row is None or self.hardware_hash != self.row.hardware_hash
        )

    @property
    def is_idle(self) -> bool:
        """Whether it only looked for an asset, and nothing new came of it."""
        return self.seeks and self.asset_id is None and not self.has_new_proposal

    @property
    def has_new_proposal(self) -> bool:
        """Whether a person is to decide on something that did not wait for them before."""
        return self.proposal is not None and (self.row is None or self.proposal != self.row.proposal)

    def propose(self, asset_ids: Iterable[str], reason: str | None) -> None:
        """Leave to a person whether it is one of these, but for those that they said it is not."""
        declined = set(self.row.declined or ()) if self.row else set()
        if open_ones := [one for one in asset_ids if one not in declined]:
            self.proposal = {"asset_ids": open_ones, "reason": reason}

    @property
    def fills_asset(self) -> bool:
        """Whether the asset has to be created or updated."""
        return self.asset_id is None or (self.is_changed and not self.yields)

    @property
    def marks(self) -> Iterator[str]:
        """What the summary says of the item beside created or updated."""
        if self.adopted:
            yield "adopted"
        if self.has_new_proposal:
            yield "proposed"
        if self.row is not None:
            if self.has_new_owner or self.row.organization != self.device.external_organization_id:
                yield "moved"
            if self.row.is_missing or self.row.is_deleted:
                yield "returned"
