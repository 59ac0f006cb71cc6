"""Where nested organizations lie: the names above them, and their own.

Nothing of it is stored, for a name that changes would change the paths of all that lie below.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Text, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from rmm_extension.models import OrganizationMapping

SEPARATOR = " / "
_Row = OrganizationMapping
_TEXTS = ARRAY(Text)


def paths(*wanted: ColumnElement[bool]) -> Select[tuple[UUID, list[str]]]:
    """``id`` and ``names``, topmost first and its own last, of the mappings for which the conditions hold.

    A ring of parents ends where it begins again.
    """
    own = _Row.name.label("name")
    climb = (
        select(
            _Row.tenant_id,
            _Row.integration_id,
            _Row.id,
            _Row.parent_external_id.label("above"),
            func.array_append(literal([], _TEXTS), own, type_=_TEXTS).label("names"),
            func.array_append(literal([], _TEXTS), _Row.external_id, type_=_TEXTS).label("met"),
        )
        .where(*wanted)
        .cte("climb", recursive=True)
    )
    parent = aliased(_Row)
    climb = climb.union_all(
        select(
            climb.c.tenant_id,
            climb.c.integration_id,
            climb.c.id,
            parent.parent_external_id,
            func.array_prepend(parent.name, climb.c.names, type_=_TEXTS),
            func.array_append(climb.c.met, parent.external_id, type_=_TEXTS),
        ).join(
            parent,
            (parent.tenant_id == climb.c.tenant_id)
            & (parent.integration_id == climb.c.integration_id)
            & (parent.external_id == climb.c.above)
            & (parent.external_id != func.all(climb.c.met)),
        )
    )
    return (
        select(climb.c.id, climb.c.names)
        .ext(distinct_on(climb.c.id))
        .order_by(climb.c.id, func.cardinality(climb.c.names).desc())
    )


def named(session: Session, tenant_id: str, ids: Collection[UUID]) -> dict[UUID, str]:
    """What these mappings are called, with all that they lie in ("Acme / Office / Servers")."""
    if not ids:
        return {}
    found = session.execute(paths(_Row.tenant_id == tenant_id, _Row.id.in_(list(ids))))
    return {row.id: SEPARATOR.join(row.names) for row in found}
