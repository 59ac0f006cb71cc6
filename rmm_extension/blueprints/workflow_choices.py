"""What the forms of workflows offer: connections, scripts of their libraries, and what a field picks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from rmm_extension.domain.connection_states import standing, works
from rmm_extension.domain.contracts.actions import FormField, form_fields
from rmm_extension.services.actions import refresh_scripts, scripts_due
from rmm_extension.services.queries import actions as queries
from rmm_extension.services.unit import unit
from rmm_extension.workflows.options import options
from rmm_extension.workflows.recipes import Recipe

from .choices import connection_rows
from .context import actor, current_rmm, end_reading, session
from .jobs import progress_values
from .narrowing import Options
from .presentation import connection_label

SCRIPT = "script"
"""What a field picks that names a script of the library."""


CONNECTION = "connection"
"""What a field of a recipe picks that names a connection, as ``<vendor>:<connection>``."""


def offered(fields: Sequence[FormField], connection_id: UUID | None) -> dict[str, Options]:
    """The live choices of these fields by what they pick; none of what is typed freely. What there is none of
    yet is typed, too, so that a workflow can be made before a vendor is connected."""
    found: dict[str, Options] = {}
    for field in _all(fields):
        if field.picks and field.picks not in found:
            known = options(current_rmm(), session(), actor(), field, connection_id)
            if known:
                found[field.picks] = known
    return found


def connections_of(provider: str) -> Options:
    """The connections of a vendor, each that does not work with the word on it."""
    return [
        (str(row.id), connection_label(row.provider, row.name) + _state(row.state))
        for row in connection_rows()
        if row.provider == provider
    ]


def picking_script(field: FormField) -> FormField:
    """A field that names a script, as one that picks it; any other as it is."""
    return replace(field, kind="text", picks=SCRIPT) if field.kind == "script" else field


def recipe_options(recipe: Recipe) -> dict[str, Options]:
    """The choices of what a recipe asks that only recipes ask: a connection, a script of any connection."""
    found: dict[str, Options] = {}
    for field in form_fields(recipe.contract):
        if field.picks == SCRIPT:
            found[SCRIPT] = [one for key in recipe.providers for one in scripts(key, None, named=True)]
        elif field.picks == CONNECTION:
            found[CONNECTION] = [
                (f"{key}:{value}", words) for key in recipe.providers for value, words in connections_of(key)
            ]
    return found


def scripts(provider: str, connection_id: UUID | None, *, named: bool = False) -> Options:
    """The scripts of a vendor's libraries, or of one connection's; libraries that are old are listed anew
    meanwhile. With ``named`` their values carry the id of the connection (``<connection>:<script>``)."""
    rows = [row for row in connection_rows() if row.provider == provider and works(row.state)]
    rows = [row for row in rows if connection_id in (None, row.id)]
    _list_anew([row.id for row in rows])
    return [
        (
            f"{row.id}:{one.external_id}" if named else one.external_id,
            f"{one.name} ({row.name})" if len(rows) > 1 else one.name,
        )
        for row in rows
        for one in queries.scripts(session(), actor().tenant_id, row.id)
    ]


def listing(providers: Sequence[str], connection_id: UUID | None = None) -> dict[str, object] | None:
    """How the first listing goes of a library that has no script here yet, for the page that offers them."""
    tenant_id = actor().tenant_id
    for row in connection_rows():
        if row.provider in providers and connection_id in (None, row.id) and works(row.state):
            run = queries.listing_run(session(), tenant_id, row.id)
            if run is not None and not queries.scripts(session(), tenant_id, row.id):
                return progress_values(run)
    return None


def _list_anew(connections: Sequence[UUID]) -> None:
    """List libraries that are due; not after a listing that failed, which a person has to ask for."""
    tenant_id = actor().tenant_id
    due = [
        one
        for one in connections
        if scripts_due(session(), tenant_id, one) and queries.listing_run(session(), tenant_id, one) is None
    ]
    if not due:
        return
    end_reading()
    with unit(current_rmm()) as opened:
        for one in due:
            refresh_scripts(opened, actor(), one)


def _state(state: str) -> str:
    return "" if works(state) else f" ({standing(state)})"


def _all(fields: Sequence[FormField]) -> Iterator[FormField]:
    for field in fields:
        yield field
        yield from _all(field.fields)
