"""The help with expressions: what can be named at a place of a workflow, with the values of a run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.workflows import definition_of
from rmm_extension.models import WorkflowRun
from rmm_extension.services.context import Rmm

from . import rows
from .expressions.words import kind
from .scope import Known, filter_scope, scope

LONGEST_EXAMPLE, LONGEST_PATH = 200, 300
MOST_NAMES = 200
_DEEPEST = 5
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Name:
    """One name: ``path`` is what an expression says, ``example`` its value in a run, ``None`` where there is
    none."""

    path: str
    label: str
    type: str
    example: Any = None


@dataclass(frozen=True, slots=True)
class Group:
    """Names that belong together."""

    label: str
    names: list[Name]


def shape(
    rmm: Rmm,
    session: Session,
    tenant_id: str,
    document: Mapping[str, Any],
    position: int | None,
    *,
    run_id: UUID | None = None,
    readable: Callable[[str], bool] = lambda _action: True,
) -> list[Group]:
    """What the step at ``position`` may name: the trigger, the things it is about, each step before; without
    a position what the trigger's filter may, which is asked before there is a run.

    With ``run_id`` the values of that run stand beside the names, and what it holds more than the contracts
    promise is named, too; those of steps only where whoever looks may read what came of the ``readable``
    action that was done there.
    """
    definition = definition_of(dict(document))
    root = (filter_scope(definition) if position is None else scope(rmm, definition, position)).root
    run = session.get(WorkflowRun, (tenant_id, run_id)) if run_id else None
    seen = rows.seen(session, run, whole=True) if run is not None else {}
    found = [_group(name, one, seen.get(name)) for name, one in root.keys.items() if name != "steps"]
    steps = readable_steps(session, run, seen["steps"], readable) if run is not None else {}
    before = root.keys["steps"].keys if "steps" in root.keys else {}
    for name, one in before.items():
        found.append(_group(f"steps.{name}", one, steps.get(name)))
    return [group for group in found if group.names]


def readable_steps(
    session: Session, run: WorkflowRun, steps: Mapping[str, Any], readable: Callable[[str], bool]
) -> dict[str, Any]:
    """The values of the steps whose actions are readable. The run may have done another action there than the
    draft would."""
    done = rows.actions(session, run)
    return {name: value for name, value in steps.items() if all(map(readable, done[name]))}


def _group(path: str, known: Known, value: Any) -> Group:
    names = []
    for name in _names(path, known, value, 0):
        if len(name.path) <= LONGEST_PATH:
            names.append(name)
        if len(names) == MOST_NAMES:
            break
    return Group(known.label, names)


def _names(path: str, known: Known, value: Any, depth: int) -> Iterator[Name]:
    many = known.type == "list" or isinstance(value, list)
    inner = value[0] if isinstance(value, list) and value else None if many else value
    keys = _keys(known, inner)
    if depth and (many or not keys):
        yield Name(path, known.label, _type(known, value), _example(value))
    if depth >= _DEEPEST:
        return
    for name, one in keys.items():
        found = inner.get(name) if isinstance(inner, dict) else None
        yield from _names(_member(f"{path}[0]" if many else path, name), one, found, depth + 1)


def _keys(known: Known, value: Any) -> Mapping[str, Known]:
    """What the contract promises; where it leaves that open, what there was."""
    if known.keys or not known.is_open or not isinstance(value, dict):
        return known.keys
    return {str(name): Known(label=str(name), type="any", is_open=True) for name in value}


def _type(known: Known, value: Any) -> str:
    if known.type != "any":
        return known.type
    return "" if value is None else kind(value).removeprefix("a ").removeprefix("an ")


def _member(path: str, name: str) -> str:
    if _PLAIN_NAME.match(name):
        return f"{path}.{name}"
    return f"{path}[{json.dumps(name, ensure_ascii=False)}]"


def _example(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= LONGEST_EXAMPLE else f"{value[:LONGEST_EXAMPLE]}…"
    if isinstance(value, (list, dict)):
        return f"{len(value):,} item{'' if len(value) == 1 else 's'}"
    return value
