"""What may be done with devices, as other pages show it: a device's own, its asset's, its ticket's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask, url_for

from rmm_extension.domain.actions import ActionState
from rmm_extension.domain.connection_states import works
from rmm_extension.domain.contracts.actions import ActionSpec, form_fields, runs_without_script, script_field
from rmm_extension.models import DeviceRow, Integration
from rmm_extension.providers.capabilities import PerformsActions
from rmm_extension.services import remote_access
from rmm_extension.services.actions import registry
from rmm_extension.services.queries import actions as queries
from rmm_extension.services.queries.actions import ActionFilter
from rmm_extension.services.queries.paging import AnyRow
from rmm_extension.services.remote_access import Obstacle

from .action_titles import titles
from .context import actor, allows, current_rmm, session
from .opened import opened_url


@dataclass(frozen=True, slots=True)
class Offer:
    """What the signed-in person is offered for one device: actions, and what one of the vendor's library of
    scripts is called; ``obstacle`` stands in the way to remote access just now."""

    actions: Sequence[ActionSpec] = ()
    library: str | None = None
    remote: bool = False
    obstacle: Obstacle | None = None

    @property
    def run(self) -> bool:
        """Whether anything may be run."""
        return bool(self.actions or self.library)


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest actions of a device, an asset or a ticket, what each did in words, where they are asked for
    again, and where all of them stand; ``place`` is the page that shows them."""

    place: str = ""
    rows: Sequence[AnyRow] = ()
    titles: Mapping[UUID, str] | None = None
    url: str = ""
    all_url: str = ""

    @property
    def unfinished(self) -> bool:
        """Whether one of them is not over."""
        return any(not ActionState(row.state).is_over for row in self.rows)

    @property
    def of_several(self) -> bool:
        """Whether they are on more than one device, so that each is named."""
        return len({row.device_id for row in self.rows}) > 1

    def opened_url(self, row: AnyRow) -> str:
        """Where one of them is read in full: on the page they are shown on."""
        return opened_url(self.place, row.id)


def add_to(app: Flask) -> None:
    """Let templates ask."""
    app.jinja_env.globals.update(rmm_offers=offers, rmm_recent_actions=recent, rmm_opened_url=opened_url)


def offers(device_ids: Collection[UUID]) -> Mapping[UUID, Offer]:
    """The offer for each of these devices, in a fixed number of statements."""
    may_run, may_open = allows("rmm.execute"), allows(remote_access.PERMISSION)
    if not (may_run or may_open):
        return dict.fromkeys(device_ids, Offer())
    rmm, tenant_id = current_rmm(), actor().tenant_id
    found = remote_access.with_connections(session(), tenant_id, device_ids)
    ways = remote_access.obstacles(rmm, session(), tenant_id, found) if may_open else {}
    able = _able(found) if may_run else {}
    return {id_: _offer(able.get(id_, ()), id_ in ways, ways.get(id_)) for id_ in device_ids}


def recent(
    place: str, *, device_id: UUID | None = None, asset_id: str | None = None, ticket_id: str | None = None
) -> Recent:
    """The newest actions on the device, or on those of the asset, or asked for from the ticket."""
    if not allows("rmm.execute"):
        return Recent()
    wanted = ActionFilter(device_id=device_id, asset_id=asset_id, ticket_id=ticket_id)
    rows = queries.newest(session(), actor().tenant_id, wanted)
    about: dict[str, Any] = {"device": device_id, "asset": asset_id, "ticket": ticket_id}
    return Recent(
        place,
        rows,
        titles(rows),
        url_for("rmm.actions_recent", **about, back=place),
        url_for("rmm.action_list", **about),
    )


def for_people(provider: str) -> Sequence[ActionSpec]:
    """The vendor's actions on devices that are for people; others only read, for workflows."""
    found = registry.for_provider(current_rmm(), provider)
    return [one for one in found if one.on_device and one.permission == "rmm.execute"]


def scripted(specs: Sequence[ActionSpec]) -> ActionSpec | None:
    """The one among them that runs what is chosen from the vendor's library."""
    return next((one for one in specs if script_field(one)), None)


def library_noun(spec: ActionSpec) -> str:
    """What one of the vendor's library is called, by the input that takes it: a script, an automation."""
    return next(field.label for field in form_fields(spec.input) if field.kind == "script")


def _offer(specs: Sequence[ActionSpec], remote: bool, obstacle: Obstacle | None) -> Offer:
    library = scripted(specs)
    return Offer(
        actions=[one for one in specs if runs_without_script(one)],
        library=library_noun(library) if library else None,
        remote=remote,
        obstacle=obstacle,
    )


def _able(found: Collection[tuple[DeviceRow, Integration]]) -> Mapping[UUID, Sequence[ActionSpec]]:
    """What may be run on which device: one that is there, by a vendor that can, of a working connection."""
    of_vendor = {
        one.manifest.key: for_people(one.manifest.key)
        for one in current_rmm().providers.all()
        if isinstance(one, PerformsActions)
    }
    return {
        device.id: of_vendor[connection.provider]
        for device, connection in found
        if connection.provider in of_vendor and device.deleted_at is None and works(connection.state)
    }
