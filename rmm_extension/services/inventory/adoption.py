"""Which asset a device is: an existing one instead of a duplicate, where that is sure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum, auto
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.matching import AssetDecision, Identity, match_asset
from rmm_extension.domain.types import AgentStatus, Device
from rmm_extension.host import AssetKey, AssetMatch
from rmm_extension.services.driver import json_text

from . import sql
from .items import Item
from .scope import Listing, Scope

PROPOSAL = "adoption_proposal"
"""The key of a device's facts under which a proposal waits for a person."""
DECLINED = "adoption_declined"
"""The key under which stand the assets that a person said a device without one is not."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class _Occupant(NamedTuple):
    """A device of the same connection that an asset belongs to."""

    external_id: str
    organization: str
    serial: str | None
    last_seen_at: datetime | None
    is_gone: bool


class _Claim(Enum):
    FREE = auto()
    TAKEN = auto()
    OPEN = auto()
    """Only the end of the listing can tell."""


def settle(session: Session, scope: Scope, items: list[Item], held: list[Device]) -> list[Item]:
    """Decide on the asset of every item; those that must wait go to ``held``, the others are returned."""
    homeless = [item for item in items if item.asset_id is None]
    if homeless and scope.rmm.host.assets is not None:
        waiting = _adopt(session, scope, homeless)
        held.extend(item.device for item in waiting)
        gone = {id(item) for item in waiting}
        items = [item for item in items if id(item) not in gone]
    _yield_to_later(session, scope, items)
    return items


def _adopt(session: Session, scope: Scope, items: Sequence[Item]) -> list[Item]:
    """Give each item the asset it surely is, or a proposal; the items that have to wait."""
    port = scope.rmm.host.assets
    assert port is not None
    keys = [_key(item) for item in items if item.client_id]
    found = _Found(port.find(session, scope.tenant_id, keys) if keys else ())
    if not found.ids:
        return []
    occupants = _occupants(session, scope, found.ids)
    chooser = _Chooser(scope, occupants)
    # The one seen last first: of two that fit, that is the installation in use.
    by_last_seen = sorted(items, key=lambda item: _seen(item.device), reverse=True)
    return [item for item in by_last_seen if not chooser.decide(item, found)]


def _key(item: Item) -> AssetKey:
    device = item.device
    assert item.client_id is not None
    return AssetKey(client_id=item.client_id, serial=device.serial, macs=_macs(device), name=device.name)


def _macs(device: Device) -> tuple[str, ...]:
    return device.hardware.macs if device.hardware else ()


class _Found:
    """The host's matches, by what they may be matched with."""

    def __init__(self, matches: Iterable[AssetMatch]) -> None:
        self.ids: dict[str, Identity] = {}
        self._by: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for match in matches:
            identity = Identity.of(match.serial, match.macs, match.name)
            self.ids[match.asset_id] = identity
            for kind, value in _handles(identity):
                self._by[match.client_id, kind, value].append(match.asset_id)

    def candidates(self, client_id: str, identity: Identity) -> list[tuple[str, Identity]]:
        """The client's assets that share something with this identity."""
        ids = {
            asset: None
            for kind, value in _handles(identity)
            for asset in self._by.get((client_id, kind, value), ())
        }
        return [(asset, self.ids[asset]) for asset in ids]


def _handles(identity: Identity) -> Iterable[tuple[str, str]]:
    if identity.serial:
        yield "serial", identity.serial
    for mac in identity.macs:
        yield "mac", mac
    if identity.name:
        yield "name", identity.name


class _Chooser:
    """Decides item by item, remembering what was given away."""

    def __init__(self, scope: Scope, occupants: Mapping[str, Sequence[_Occupant]]) -> None:
        self._scope = scope
        self._occupants = occupants
        self._given: set[str] = set()

    def decide(self, item: Item, found: _Found) -> bool:
        """Settle an item; false when it has to wait."""
        if item.client_id is None:
            return True
        device = item.device
        identity = Identity.of(device.serial, _macs(device), device.name)
        candidates = found.candidates(item.client_id, identity)
        claims = {asset: self._claim(asset, identity, device) for asset, _ in candidates}
        free = [pair for pair in candidates if claims[pair[0]] is not _Claim.TAKEN]
        decision = match_asset(identity, free, by_name=self._scope.manifest.matches_by_name)
        if decision.adopt and claims[decision.adopt] is _Claim.OPEN:
            return False
        if decision.adopt is None and decision.reason != "serial":
            decision = self._of_a_twin(candidates, identity) or decision
        self._note(item, decision)
        return True

    def _note(self, item: Item, decision: AssetDecision) -> None:
        if decision.adopt:
            item.asset_id, item.adopted = decision.adopt, decision.reason
            item.is_changed = True
            self._given.add(decision.adopt)
        elif decision.propose:
            item.propose(decision.propose, decision.reason)

    def _of_a_twin(
        self, candidates: Sequence[tuple[str, Identity]], identity: Identity
    ) -> AssetDecision | None:
        """A proposal of assets with this serial whose own agent still reports: a person knows which it is."""
        same = (asset for asset, other in candidates if identity.serial and other.serial == identity.serial)
        twins = tuple(asset for asset in same if asset not in self._given)
        return AssetDecision(reason="serial", propose=twins) if twins else None

    def _claim(self, asset_id: str, identity: Identity, device: Device) -> _Claim:
        """Whether the asset can become this device's, as far as the connection's own devices say."""
        if asset_id in self._given:
            return _Claim.TAKEN
        claims = [self._beside(other, identity, device) for other in self._occupants.get(asset_id, ())]
        if _Claim.TAKEN in claims:
            return _Claim.TAKEN
        return _Claim.OPEN if _Claim.OPEN in claims else _Claim.FREE

    def _beside(self, other: _Occupant, identity: Identity, device: Device) -> _Claim:
        """A reinstalled machine has the serial of one that is gone or silent since; all else is a second.

        Tactical RMM keeps the row of the old agent when a machine is installed anew.
        """
        serial = Identity.of(other.serial, (), "").serial
        if serial is None or serial != identity.serial:
            return _Claim.TAKEN
        if other.is_gone:
            return _Claim.FREE
        listing = self._scope.listing
        return _Claim.OPEN if listing is None else _told(listing, other, device)


def _told(listing: Listing, other: _Occupant, device: Device) -> _Claim:
    """What the listing says of the earlier device."""
    if other.external_id in listing.seen:
        is_heir = device.status is AgentStatus.ONLINE and other.external_id in listing.silent
        return _Claim.FREE if is_heir and _seen(device) > (other.last_seen_at or _NEVER) else _Claim.TAKEN
    if other.organization in listing.complete:
        # Complete, and yet it was not named: but it may have moved to one that is still to come.
        return _Claim.FREE if listing.is_over else _Claim.OPEN
    if other.organization in listing.earlier or not listing.is_over:
        return _Claim.OPEN
    return _Claim.TAKEN


def _occupants(session: Session, scope: Scope, assets: Iterable[str]) -> dict[str, list[_Occupant]]:
    found: dict[str, list[_Occupant]] = defaultdict(list)
    values = {**scope.place, "assets": json_text(list(assets))}
    for asset_id, *rest in sql.rows(session, sql.OCCUPANTS, values):
        found[asset_id].append(_Occupant._make(rest))
    return found


def _yield_to_later(session: Session, scope: Scope, items: Sequence[Item]) -> None:
    """Where several devices are one asset, the one seen last fills it."""
    mine = [item for item in items if item.asset_id and item.is_changed]
    if not mine:
        return
    pairs = [{"asset_id": item.asset_id, "external_id": item.device.external_id} for item in mine]
    others = sql.rows(session, sql.OTHERS_SEEN, {**scope.place, "devices": json_text(pairs)})
    later = {(asset, external_id): seen for asset, external_id, seen in others}
    here: dict[str | None, datetime] = {}
    for item in mine:
        here[item.asset_id] = max(here.get(item.asset_id, _NEVER), _seen(item.device))
    for item in mine:
        other = later.get((item.asset_id, item.device.external_id), _NEVER)
        item.yields = max(other, here[item.asset_id]) > _seen(item.device)


def heirs(session: Session, scope: Scope, items: Sequence[Item]) -> list[UUID]:
    """The devices that tell their assets anew with their next look: one that fell silent yields to them, and
    may have told the asset last."""
    left = {item.asset_id for item in items if item.yields and item.device.status is not AgentStatus.ONLINE}
    if not left:
        return []
    return [row[0] for row in sql.rows(session, sql.REPORTING, {**scope.place, "assets": json_text(left)})]


def _seen(device: Device) -> datetime:
    return device.last_seen_at or _NEVER
