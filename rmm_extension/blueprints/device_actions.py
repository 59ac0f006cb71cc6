"""What may be done with devices, as other pages show it: a device's own, its asset's, its ticket's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Flask

from rmm_extension.services import remote_access
from rmm_extension.services.remote_access import Obstacle

from .context import actor, allows, current_rmm, session


@dataclass(frozen=True, slots=True)
class Offer:
    """What the signed-in person is offered for one device; ``obstacle`` stands in the way to it just now."""

    remote: bool = False
    obstacle: Obstacle | None = None


def add_to(app: Flask) -> None:
    """Let templates ask."""
    app.jinja_env.globals.update(rmm_offers=offers)


def offers(device_ids: Collection[UUID]) -> Mapping[UUID, Offer]:
    """The offer for each of these devices, in a fixed number of statements."""
    ways = _ways(device_ids)
    return {id_: Offer(id_ in ways, ways.get(id_)) for id_ in device_ids}


def _ways(device_ids: Collection[UUID]) -> Mapping[UUID, Obstacle | None]:
    if not allows(remote_access.PERMISSION):
        return {}
    return remote_access.obstacles(current_rmm(), session(), actor().tenant_id, device_ids)
