"""Devices that a complete listing no longer names: marked, and removed only by policy and with proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.errors import Conflict, HostCapabilityMissing
from rmm_extension.host import Actor
from rmm_extension.models import utc_now
from rmm_extension.services import audit, mapping
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import json_text

from . import device_events, sql
from .page import Overtaken
from .pages import Pages
from .scope import Listing, Scope
from .targets import Targets

LISTINGS = 2
"""How many complete listings without a device prove that it is gone."""
SHARE = 0.2
"""The part of an organization that may be removed at once without a person's yes."""
POLICY = "deletionPolicy"
_REASON = "Its device is no longer listed by the vendor."


@dataclass(frozen=True, slots=True)
class Missing:
    """What the end of a listing says: counts, and organizations that need a person, with the sentence."""

    counts: Counter[str] = field(default_factory=Counter)
    attention: dict[str, str] = field(default_factory=dict)


def mark(session: Session, scope: Scope, listing: Listing) -> int:
    """Mark what complete organizations did not name; how many devices.

    In a transaction of its own: it holds devices, and :func:`remove` begins with assets.
    """
    if not listing.complete:
        return 0
    values = {**_place(scope, listing), "now": utc_now(), "seen": json_text(listing.seen)}
    ((marked,),) = sql.rows(session, sql.MARK_MISSING, values)
    return int(marked)


def remove(session: Session, scope: Scope, listing: Listing, settings: Mapping[str, Any]) -> Missing:
    """Remove what is proved gone from complete organizations, if the policy says so. Raises ``Overtaken``."""
    found = Missing()
    if listing.complete and settings.get(POLICY) == "mark_inactive":
        place = _place(scope, listing)
        allowed = _allowed(session, place, found)
        found.counts["removed"] = _remove(scope.rmm, session, {**place, "organizations": allowed})
    return found


def note_mappings(session: Session, pages: Pages, targets: Targets, attention: Mapping[str, str]) -> None:
    """Write when each organization was synced, and what is wrong with it; one statement."""
    complete, earlier = pages.listing.complete, pages.listing.earlier
    now = utc_now()
    rows = [
        (
            known,
            now if name in complete or name in earlier else None,
            attention.get(name) or _failures(pages.failures[name]),
            # What an earlier attempt found wrong with it is not known here.
            name in earlier and name not in complete,
        )
        for name, known in targets.ids.items()
    ]
    rows += [(known, None, reason, False) for known, reason in targets.broken.items()]
    if rows:
        ids, times, errors, known_before = (list(column) for column in zip(*rows, strict=True))
        noted = {"ids": ids, "synced": times, "errors": errors, "earlier": known_before}
        values = {**pages.scope.place, **noted}
        sql.execute(session, sql.NOTE_MAPPINGS, values)


def confirm_missing(rmm: Rmm, session: Session, actor: Actor, mapping_id: UUID) -> int:
    """A person's yes: remove an organization's devices that are proved gone, however many; their number."""
    if rmm.host.assets is None:
        raise HostCapabilityMissing("This PSA keeps no assets.")
    row = mapping.get(session, actor.tenant_id, mapping_id)
    try:
        removed = _remove(rmm, session, _of(actor.tenant_id, row.integration_id, [row.external_id]))
    except Overtaken as error:
        raise Conflict("These devices were changed meanwhile: look at them again.") from error
    # Assets, then devices, then mappings, as a sync takes them.
    row = mapping.get(session, actor.tenant_id, mapping_id, lock=True)
    row.last_error = None
    audit.record(
        session,
        actor,
        "organization.missing_devices_removed",
        subject_type="organization",
        subject_id=row.id,
        subject_name=row.name,
        integration_id=row.integration_id,
        changes={"devices": removed},
    )
    return removed


def _place(scope: Scope, listing: Listing) -> dict[str, Any]:
    return _of(scope.tenant_id, scope.integration_id, listing.complete)


def _of(tenant_id: str, integration_id: UUID, organizations: Collection[str]) -> dict[str, Any]:
    return {
        "tenant": tenant_id,
        "integration": integration_id,
        "organizations": list(organizations),
        "listings": LISTINGS,
    }


def _allowed(session: Session, place: Mapping[str, Any], found: Missing) -> list[str]:
    """Organizations of which few enough devices are gone; the others are noted for a person."""
    allowed = []
    for organization, devices, gone in sql.rows(session, sql.REMOVABLE, place):
        if gone <= devices * SHARE:
            allowed.append(organization)
        else:
            found.attention[organization] = (
                f"{gone} of {devices} devices are no longer listed. That is more than {SHARE:.0%} at once: "
                "confirm that they are gone, or check the vendor's side."
            )
    return allowed


def _remove(rmm: Rmm, session: Session, values: Mapping[str, Any]) -> int:
    gone = sql.rows(session, sql.REMOVED, values) if values["organizations"] else ()
    if not gone:
        return 0
    # Assets before devices, as a page locks them. One that another device still stands for is in use.
    assets = {asset for _, asset, is_shared in gone if asset and not is_shared}
    if assets and rmm.host.assets is not None:
        rmm.host.assets.mark_inactive(session, values["tenant"], assets, _REASON)
    ids = [device_id for device_id, *_ in gone]
    if sql.execute(session, sql.REMOVE, {**values, "ids": ids, "now": utc_now()}) != len(ids):
        raise Overtaken
    device_events.tell_deleted(session, values["tenant"], ids)
    return len(ids)


def _failures(count: int) -> str | None:
    if not count:
        return None
    return f"{count} device{'s' if count > 1 else ''} could not be written: see the last run."
