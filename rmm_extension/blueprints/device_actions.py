"""What may be done with devices, as other pages show it: a device's own, its asset's, its ticket's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Flask, url_for

from rmm_extension.domain.actions import ActionState
from rmm_extension.domain.connection_states import works
from rmm_extension.providers.capabilities import PerformsActions
from rmm_extension.services import remote_access
from rmm_extension.services.queries import actions as queries
from rmm_extension.services.queries.paging import AnyRow
from rmm_extension.services.queries.targets import targets
from rmm_extension.services.remote_access import Obstacle

from .action_titles import titles
from .context import actor, allows, current_rmm, session


@dataclass(frozen=True, slots=True)
class Offer:
    """What the signed-in person is offered for one device; ``obstacle`` stands in the way to it just now."""

    run: bool = False
    remote: bool = False
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest actions of a device or a ticket, what each did in words, and where to ask again."""

    rows: Sequence[AnyRow] = ()
    titles: Mapping[UUID, str] | None = None
    url: str = ""

    @property
    def unfinished(self) -> bool:
        """Whether one of them is not over."""
        return any(not ActionState(row.state).is_over for row in self.rows)

    @property
    def of_several(self) -> bool:
        """Whether they are on more than one device, so that each is named."""
        return len({row.device_id for row in self.rows}) > 1


def add_to(app: Flask) -> None:
    """Let templates ask."""
    app.jinja_env.globals.update(rmm_offers=offers, rmm_recent_actions=recent)


def offers(device_ids: Collection[UUID]) -> Mapping[UUID, Offer]:
    """The offer for each of these devices, in a fixed number of statements."""
    ways, able = _ways(device_ids), _able(device_ids)
    return {id_: Offer(id_ in able, id_ in ways, ways.get(id_)) for id_ in device_ids}


def recent(*, device_id: UUID | None = None, ticket_id: str | None = None) -> Recent:
    """The newest actions on the device, or asked for from the ticket."""
    if not allows("rmm.execute"):
        return Recent()
    tenant_id = actor().tenant_id
    if device_id is not None:
        rows = queries.of_device(session(), tenant_id, device_id)
    else:
        rows = queries.of_ticket(session(), tenant_id, ticket_id or "")
    return Recent(rows, titles(rows), url_for("rmm.actions_recent", device=device_id, ticket=ticket_id))


def _able(device_ids: Collection[UUID]) -> Collection[UUID]:
    """The devices on which something may be run: there, by a vendor that can, of a connection that works."""
    if not allows("rmm.execute"):
        return ()
    able = {one.manifest.key for one in current_rmm().providers.all() if isinstance(one, PerformsActions)}
    return {
        one.id
        for one in targets(session(), actor().tenant_id, device_ids)
        if one.provider in able and one.deleted_at is None and works(one.connection_state)
    }


def _ways(device_ids: Collection[UUID]) -> Mapping[UUID, Obstacle | None]:
    if not allows(remote_access.PERMISSION):
        return {}
    return remote_access.obstacles(current_rmm(), session(), actor().tenant_id, device_ids)
