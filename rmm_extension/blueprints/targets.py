"""On which devices something is to be done, and from which ticket: as the address or a form says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, request, url_for

from rmm_extension.domain.errors import Conflict
from rmm_extension.host import TicketState
from rmm_extension.services.queries.targets import TargetRow, all_on_ticket, targets

from .context import actor, current_rmm, session
from .listing import client_names
from .narrowing import read_uuids
from .opened import came_from
from .presentation import number
from .returning import back_url, place_url

MOST = 50
"""On so many devices something is done at once."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The devices, by name, and the ticket the result is noted on."""

    devices: Sequence[TargetRow]
    ticket: TicketState | None
    came_from: str

    @property
    def only(self) -> TargetRow | None:
        """The device, where it is one."""
        return self.devices[0] if len(self.devices) == 1 else None

    @property
    def words(self) -> str:
        """“SERVER-01”, or how many they are."""
        return self.only.name if self.only else f"{number(len(self.devices))} devices"

    @property
    def clients(self) -> Mapping[str, str]:
        """Names of the devices' clients, by id."""
        return client_names(self.devices)

    @property
    def by_connection(self) -> Mapping[UUID, Sequence[TargetRow]]:
        """The devices of each connection: an action is one connection's."""
        found: dict[UUID, list[TargetRow]] = {}
        for device in self.devices:
            found.setdefault(device.integration_id, []).append(device)
        return found

    @property
    def back(self) -> str:
        """Where the person came from; a device's own page where nothing says so."""
        fallback = f"device:{self.only.id}" if self.only else "devices:"
        return back_url(self.came_from or fallback)

    @property
    def is_place(self) -> bool:
        """Whether they came from a page that shows what comes of it."""
        return place_url(self.came_from) is not None

    def parameters(self, devices: Sequence[TargetRow] | None = None) -> dict[str, Any]:
        """The same as parameters of an address or hidden fields of a form."""
        found: dict[str, Any] = {"ids": [str(device.id) for device in devices or self.devices]}
        if self.ticket:
            found["ticket"] = self.ticket.id
        if self.came_from:
            found["back"] = self.came_from
        return found

    def url(self, endpoint: str, devices: Sequence[TargetRow] | None = None, **more: Any) -> str:
        """A page about these devices, or some of them."""
        return url_for(endpoint, **self.parameters(devices), **more)


def read_targets() -> Targets:
    """What the request names; devices that are not there are left out.

    A ticket that is not about all of the devices is refused: its note would tell of somebody else's.
    """
    values = request.values
    devices = targets(session(), actor().tenant_id, read_uuids(values.getlist("ids"), MOST))
    return Targets(devices, _ticket(values.get("ticket", "").replace("\x00", ""), devices), came_from())


def _ticket(ticket_id: str, devices: Sequence[TargetRow]) -> TicketState | None:
    if not ticket_id or not devices:
        return None
    port, tenant_id = current_rmm().host.tickets, actor().tenant_id
    state = port.state(session(), tenant_id, ticket_id) if port else None
    if state is None:
        abort(404)
    if not all_on_ticket(session(), tenant_id, ticket_id, [device.id for device in devices]):
        which = "this device" if len(devices) == 1 else "all of these devices"
        raise Conflict(f"Ticket {state.number} is not about {which}.")
    return state
