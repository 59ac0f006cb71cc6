"""What actions on devices are called where people see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from rmm_extension.domain.contracts.actions import ActionSpec, script_field
from rmm_extension.services.actions import registry
from rmm_extension.services.queries import actions as queries
from rmm_extension.services.queries.paging import AnyRow

from .context import actor, current_rmm, session


def titles(rows: Sequence[AnyRow]) -> Mapping[UUID, str]:
    """What each of these actions did, in words, with its script's name: one statement for all of them."""
    specs = {spec.id: spec for spec in registry.all_actions(current_rmm())}
    given = {row.id: (row.integration_id, script_of(specs.get(row.action), row)) for row in rows}
    scripts = {id_: (connection, script) for id_, (connection, script) in given.items() if script}
    names = queries.script_names(session(), actor().tenant_id, set(scripts.values()))
    found = {}
    for row in rows:
        label = specs[row.action].label if row.action in specs else row.action
        script = scripts.get(row.id)
        found[row.id] = f"{label}: {names.get(script, 'script ' + script[1])}" if script else label
    return found


def script_of(spec: ActionSpec | None, row: AnyRow) -> str | None:
    """What names the script it ran, if it ran one."""
    name = script_field(spec) if spec else None
    return str(row.input[name]) if name and row.input.get(name) else None
