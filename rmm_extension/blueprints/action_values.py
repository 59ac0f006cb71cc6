"""What pages show of one action: how it goes, what it was given, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rmm_extension.domain.actions import ActionState
from rmm_extension.domain.contracts.actions import ActionSpec, form_fields
from rmm_extension.forms.actions import hides, shown
from rmm_extension.services.actions import registry
from rmm_extension.services.queries.paging import AnyRow

from .action_titles import script_of, titles
from .context import actor, allows, current_rmm
from .listing import tickets_of


def readable(row: AnyRow) -> bool:
    """Whether the signed-in person may read what came of the action: who may do it, or act on devices."""
    spec = _spec(row)
    return allows("rmm.execute") or (spec is not None and allows(spec.permission))


def values_of(row: AnyRow) -> dict[str, Any]:
    """What ``actions/_state.html`` and ``actions/detail.html`` show of the action, with its output."""
    output = dict(row.output or {})
    return {
        "row": row,
        "title": titles([row])[row.id],
        "over": ActionState(row.state).is_over,
        "ticket": tickets_of([row]).get(row.ticket_id or ""),
        "text": output.pop("output", None),
        "facts": _facts(output),
        "is_cut": output.get("output_is_cut") is True,
        "inputs": _inputs(row),
        "again": _again(row),
        "may_see_run": row.run_id is not None and (row.actor_id == actor().id or allows("rmm.jobs.view")),
    }


def _inputs(row: AnyRow) -> list[tuple[str, str]]:
    """What was given, named as the form names it; secrets were never kept."""
    spec = _spec(row)
    if spec is None:
        return [(name, _said(value)) for name, value in row.input.items()]
    fields = form_fields(spec.input)
    given = [(field, row.input.get(field.name)) for field in fields if field.kind != "script"]
    return [(field.label, shown(field, value)) for field, value in given if value]


_FACTS = {"exit_code": "Exit code", "seconds": "Seconds on the device"}


def _facts(output: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What else came back that the message does not say."""
    return [(words, str(output[name])) for name, words in _FACTS.items() if output.get(name) is not None]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(str(one) for one in value)
    return str(value)


def _again(row: AnyRow) -> dict[str, Any] | None:
    """The address of the form to ask for the same once more; ``None`` where there is no device."""
    if row.device_id is None:
        return None
    return {
        "action_id": row.action,
        "ids": row.device_id,
        "script": script_of(_spec(row), row),
        "ticket": row.ticket_id,
        "again": row.id,
        "retype": hides(row.input),
    }


def _spec(row: AnyRow) -> ActionSpec | None:
    """The action, where an installed provider still has it."""
    try:
        return registry.get(current_rmm(), row.action)
    except registry.UnknownAction:
        return None
