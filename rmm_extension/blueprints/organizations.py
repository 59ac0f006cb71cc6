"""Mapping a vendor's organizations to clients."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.values import read_uuid
from rmm_extension.host import Client
from rmm_extension.models import Integration, OrganizationMapping
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connections, mapping
from rmm_extension.services.mapping import STATES, MappingFilter, MappingPage
from rmm_extension.services.queries.devices import gone_by_organization

from .abilities import needs
from .access import requires
from .context import act, actor, allows, current_rmm, session
from .narrowing import Options, argument, chips, word
from .presentation import words
from .routing import Routes
from .tabs import tabs

routes = Routes()

PAGE = 50
MOST_CLIENTS = 1000
"""So many names are offered while typing; any other is found by its full name."""
STATE_OPTIONS: Options = [(state, words(state)) for state in STATES]
SWITCHES = ("auto_sync", "auto_tickets")
_WITH_ID = re.compile(r"\[(?P<id>[^\[\]]+)\]\s*$")


@routes.get("/connections/<uuid:integration_id>/organizations")
@requires("rmm.view")
@needs("organizations")
def organizations(integration_id: UUID) -> ResponseReturnValue:
    """The organizations with their clients, suggestions and state."""
    row = connections.get(session(), actor().tenant_id, integration_id)
    provider = current_rmm().providers.get(row.provider)
    return render_template(
        "rmm/connections/organizations.html",
        row=row,
        manifest=provider.manifest,
        tabs=tabs(row, provider),
        back_to="",
        **mapping_values(row, provider),
    )


@routes.post("/connections/<uuid:integration_id>/organizations/<uuid:mapping_id>")
@requires("rmm.configure")
@needs("organizations")
def organization_save(integration_id: UUID, mapping_id: UUID) -> ResponseReturnValue:
    """Save one row, or accept its suggestion."""

    def work(opened: Session) -> str:
        row = mapping.update_mapping(current_rmm(), opened, actor(), mapping_id, **_changes(opened))
        return _saved(opened, row)

    return act(work, _back(integration_id))


@routes.post("/connections/<uuid:integration_id>/organizations/match")
@requires("rmm.configure")
@needs("organizations")
def organizations_match(integration_id: UUID) -> ResponseReturnValue:
    """Map every organization that is named exactly like one client."""

    def work(opened: Session) -> str:
        connections.get(opened, actor().tenant_id, integration_id)
        number = mapping.apply_exact_matches(current_rmm(), opened, actor(), integration_id)
        if not number:
            return "No further organization is named exactly like one client."
        return f"{_counted(number)} mapped to the client of the same name."

    return act(work, _back(integration_id))


@routes.post("/connections/<uuid:integration_id>/organizations/bulk")
@requires("rmm.configure")
@needs("organizations")
def organizations_bulk(integration_id: UUID) -> ResponseReturnValue:
    """Switch the sync of the selected organizations, or unmap them."""
    chosen = [found for value in request.form.getlist("ids") if (found := read_uuid(value))]
    action = request.form.get("action", "")

    def work(opened: Session) -> str:
        connections.get(opened, actor().tenant_id, integration_id)
        if not chosen:
            raise ConfigError("Select at least one organization first.")
        return _bulk(opened, integration_id, action, chosen)

    return act(work, _back(integration_id))


def mapping_values(row: Integration, provider: Provider) -> Mapping[str, Any]:
    """What the list shows, here and in the wizard."""
    state, text, number = argument("state", STATE_OPTIONS), argument("q") or "", _page_number()
    page = mapping.list_mappings(
        current_rmm(),
        session(),
        row.tenant_id,
        row.id,
        MappingFilter(state=state, text=text),
        limit=PAGE,
        offset=(number - 1) * PAGE,
    )
    may_edit = allows("rmm.configure")
    return {
        "mappings": page,
        "noun": provider.manifest.organization_noun,
        "text": text,
        "state_options": _states(page),
        "switches_tickets": provider.manifest.routes_alerts,
        "chips": chips({"q": ("Text", text), "state": ("State", word(STATE_OPTIONS, state))}),
        "may_edit": may_edit,
        "client_labels": _labels(_clients(row.tenant_id)) if may_edit and page.items else {},
        "contacts": _contacts(row.tenant_id, page) if may_edit else {},
        "gone": _gone(row) if may_edit else {},
        "page_number": number,
        "pages": max(1, -(-page.total // PAGE)),
    }


def _states(page: MappingPage) -> Options:
    """Each state with how many are in it; none can follow another where the vendor nests none."""
    shown = [key for key in STATES if key != "inherited" or page.counts[key] or argument("state") == key]
    return [(key, f"{words(key)} ({page.counts[key]})") for key in shown]


def _gone(row: Integration) -> Mapping[str, int]:
    """Devices that wait for a yes, where the connection removes devices at all."""
    if row.settings.get("deletionPolicy") != "mark_inactive":
        return {}
    return gone_by_organization(session(), row.tenant_id, row.id)


def _page_number() -> int:
    value = request.args.get("page", "1")
    return max(1, int(value)) if value.isascii() and value.isdigit() and len(value) < 6 else 1


def _clients(tenant_id: str) -> Sequence[Client]:
    return current_rmm().host.clients.search(session(), tenant_id, limit=MOST_CLIENTS)


def _labels(clients: Sequence[Client]) -> dict[str, str]:
    """What is offered for each client: its name, with its id where two share one."""
    shared = {name for name, number in Counter(client.name for client in clients).items() if number > 1}
    return {
        client.id: f"{client.name} [{client.id}]" if client.name in shared else client.name
        for client in clients
    }


def _contacts(tenant_id: str, page: MappingPage) -> Mapping[str, Any]:
    port = current_rmm().host.contacts
    ids = {item.client_id for item in page.items if item.client_id}
    return port.for_clients(session(), tenant_id, ids) if port and ids else {}


def _changes(opened: Session) -> dict[str, Any]:
    """What the form gives: a suggestion's client alone, or a whole row with the inputs that it has."""
    if "client_id" in request.form:
        return {"client_id": _given("client_id")}
    client_id = _client_named(opened, _given("client"))
    given: dict[str, Any] = {"client_id": client_id}
    if client_id == (request.form.get("client_before") or None) and "contact" in request.form:
        given["default_contact_id"] = _given("contact")
    # A box that is not ticked is not sent: the form says which it has.
    switches = [name for name in SWITCHES if name in request.form.getlist("switches")]
    return given | {name: request.form.get(name) == "1" for name in switches}


def _given(name: str) -> str:
    return request.form.get(name, "").replace("\x00", "")


def _client_named(opened: Session, typed: str) -> str | None:
    """The client of this name, or the one whose id stands in brackets; blank is none."""
    name = " ".join(typed.split())[:500]
    if not name:
        return None
    port = current_rmm().host.clients
    with_id = _WITH_ID.search(name)
    if with_id and with_id["id"] in port.get_many(opened, actor().tenant_id, [with_id["id"]]):
        return with_id["id"]
    found = port.search(opened, actor().tenant_id, name, MOST_CLIENTS)
    same = [client for client in found if client.name.casefold() == name.casefold()]
    if len(same) == 1:
        return same[0].id
    if same:
        raise ConfigError(f"Several clients are named “{name}”: choose one of the list, with its id.")
    raise ConfigError(f"There is no active client named “{name}”: choose one of the list.")


def _saved(opened: Session, row: OrganizationMapping) -> str:
    if row.client_id is None:
        return f"“{row.name}” is not mapped to a client."
    found = current_rmm().host.clients.get_many(opened, actor().tenant_id, [row.client_id])
    owner = found[row.client_id].name if row.client_id in found else "its client"
    if row.inherited_from is not None:
        return f"“{row.name}” follows what it lies in, and so belongs to {owner}."
    return f"“{row.name}” is mapped to {owner}; its devices follow at the next sync."


def _bulk(opened: Session, integration_id: UUID, action: str, chosen: Sequence[UUID]) -> str:
    if action == "unmap":
        return f"{_counted(mapping.unmap(opened, actor(), integration_id, chosen))} unmapped. Assets stay."
    if action in ("sync_on", "sync_off"):
        switched = action == "sync_on"
        number = mapping.set_auto_sync(opened, actor(), integration_id, chosen, switched)
        return f"{_counted(number)} switched {'on' if switched else 'off'} for device sync."
    if action in ("tickets_on", "tickets_off"):
        switched = action == "tickets_on"
        number = mapping.set_auto_tickets(opened, actor(), integration_id, chosen, switched)
        return (
            f"Alerts of {_counted(number)} {'may become' if switched else 'become no'} tickets from now on."
        )
    raise ConfigError("Choose what to do with the selected organizations.")


def _counted(number: int) -> str:
    return "1 organization" if number == 1 else f"{number} organizations"


def _back(integration_id: UUID) -> str:
    """The list as it was narrowed when the form was sent, in the wizard or on the connection's page."""
    kept = {key: request.form.get(f"back_{key}") for key in ("q", "state", "page")}
    query: dict[str, Any] = {key: value for key, value in kept.items() if value}
    if request.form.get("back_to") == "setup":
        return url_for("rmm.setup_step", integration_id=integration_id, step="organizations", **query)
    return url_for("rmm.organizations", integration_id=integration_id, **query)
