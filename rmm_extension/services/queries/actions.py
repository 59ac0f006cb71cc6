"""Actions for the pages: one with what came of it, the list, those of a device or a ticket, the scripts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session

from rmm_extension.models import ActionInvocation, DeviceRow, Integration, JobRun, ScriptRow
from rmm_extension.services import kinds

from .paging import PAGE, AnyRow, AnySelect, Page, contains, cut, read_time_cursor, time_cursor

SHOWN = 10
"""So many actions stand on a device's page and in the panels of assets and tickets."""
MOST_SCRIPTS = 500

_ROW = ActionInvocation
_LISTED = (
    _ROW.id,
    _ROW.integration_id,
    _ROW.device_id,
    _ROW.ticket_id,
    _ROW.run_id,
    _ROW.action,
    _ROW.input,
    _ROW.state,
    _ROW.error_code,
    _ROW.message,
    _ROW.actor_id,
    _ROW.actor_name,
    _ROW.created_at,
    _ROW.started_at,
    _ROW.finished_at,
    DeviceRow.name.label("device_name"),
    DeviceRow.asset_id,
    Integration.name.label("connection_name"),
    Integration.provider,
)
"""What a list shows. Outputs are long and stand on the action's own page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFilter:
    """What the list is narrowed to; ``only`` are ids, those of one wish for several devices."""

    action: str | None = None
    state: str | None = None
    integration_id: UUID | None = None
    device_id: UUID | None = None
    ticket_id: str | None = None
    asset_id: str | None = None
    actor_id: str | None = None
    only: Collection[UUID] = ()


def invocation(session: Session, tenant_id: str, invocation_id: UUID) -> AnyRow | None:
    """One action with its output, device and connection; ``None`` when it does not exist (any more)."""
    statement = _joined(select(*_LISTED, _ROW.output, _ROW.action_version))
    return session.execute(statement.where(_ROW.tenant_id == tenant_id, _ROW.id == invocation_id)).first()


def list_page(
    session: Session,
    tenant_id: str,
    wanted: ActionFilter | None = None,
    *,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[AnyRow]:
    """Actions, newest first, behind the cursor ``after``."""
    conditions = _conditions(tenant_id, wanted or ActionFilter())
    cursor = read_time_cursor(after)
    if cursor is not None:
        conditions.append(tuple_(_ROW.created_at, _ROW.id) < cursor)
    rows = session.execute(_newest(conditions, limit + 1)).all()
    return cut(rows, limit, lambda row: time_cursor(row.created_at, row.id), continued=False, backwards=False)


def newest(session: Session, tenant_id: str, wanted: ActionFilter, limit: int = SHOWN) -> Sequence[AnyRow]:
    """The newest of these actions."""
    return session.execute(_newest(_conditions(tenant_id, wanted), limit)).all()


def scripts(
    session: Session,
    tenant_id: str,
    integration_id: UUID,
    text: str | None = None,
) -> Sequence[ScriptRow]:
    """The connection's scripts as last listed, favourites first, then by name."""
    wanted = [ScriptRow.tenant_id == tenant_id, ScriptRow.integration_id == integration_id]
    if text:
        pattern = contains(text)
        wanted.append(or_(ScriptRow.name.ilike(pattern), ScriptRow.category.ilike(pattern)))
    statement = (
        select(ScriptRow)
        .where(*wanted)
        .order_by(ScriptRow.favorite.desc(), func.lower(ScriptRow.name), ScriptRow.id)
    )
    return session.scalars(statement.limit(MOST_SCRIPTS)).all()


def script(session: Session, tenant_id: str, integration_id: UUID, external_id: str) -> ScriptRow | None:
    """One script of the connection, by the vendor's id."""
    statement = select(ScriptRow).where(
        ScriptRow.tenant_id == tenant_id,
        ScriptRow.integration_id == integration_id,
        ScriptRow.external_id == external_id,
    )
    return session.scalar(statement)


def script_names(
    session: Session, tenant_id: str, wanted: Collection[tuple[UUID, str]]
) -> Mapping[tuple[UUID, str], str]:
    """Names of scripts by connection and the vendor's id, for lists; those that are gone are left out."""
    if not wanted:
        return {}
    place = tuple_(ScriptRow.integration_id, ScriptRow.external_id)
    statement = select(ScriptRow.integration_id, ScriptRow.external_id, ScriptRow.name).where(
        ScriptRow.tenant_id == tenant_id, place.in_(list(wanted))
    )
    return {(row.integration_id, row.external_id): row.name for row in session.execute(statement)}


def listing_run(session: Session, tenant_id: str, integration_id: UUID) -> JobRun | None:
    """The run that lists the library now, else the newest one that failed, if none went well since."""
    mine = _listings(tenant_id, integration_id)
    unfinished = JobRun.status.in_(("queued", "running"))
    if (now := session.scalar(select(JobRun).where(*mine, unfinished))) is not None:
        return now
    well = scripts_listed_at(session, tenant_id, integration_id)
    failed = [*mine, JobRun.status == "failed", *([JobRun.finished_at > well] if well else [])]
    return session.scalar(select(JobRun).where(*failed).order_by(JobRun.queued_at.desc()).limit(1))


def scripts_listed_at(session: Session, tenant_id: str, integration_id: UUID) -> datetime | None:
    """When the library was last listed; ``None`` when never, as far as is known."""
    well = (*_listings(tenant_id, integration_id), JobRun.status == "succeeded")
    statement = select(JobRun.finished_at).where(*well)
    return session.scalar(statement.order_by(JobRun.queued_at.desc()).limit(1))


def _listings(tenant_id: str, integration_id: UUID) -> tuple[ColumnElement[bool], ...]:
    key = kinds.get("script_list").exclusive_key(integration_id)
    return JobRun.tenant_id == tenant_id, JobRun.exclusive_key == key


def _newest(conditions: Sequence[ColumnElement[bool]], limit: int) -> AnySelect:
    order = (_ROW.created_at.desc(), _ROW.id.desc())
    return _joined(select(*_LISTED)).where(*conditions).order_by(*order).limit(limit)


def _joined(statement: AnySelect) -> AnySelect:
    device = (DeviceRow.tenant_id == _ROW.tenant_id) & (DeviceRow.id == _ROW.device_id)
    connection = (Integration.tenant_id == _ROW.tenant_id) & (Integration.id == _ROW.integration_id)
    return statement.select_from(_ROW).outerjoin(DeviceRow, device).join(Integration, connection)


def _conditions(tenant_id: str, wanted: ActionFilter) -> list[ColumnElement[bool]]:
    equal = (
        (_ROW.action, wanted.action),
        (_ROW.state, wanted.state),
        (_ROW.integration_id, wanted.integration_id),
        (_ROW.device_id, wanted.device_id),
        (_ROW.ticket_id, wanted.ticket_id),
        (_ROW.actor_id, wanted.actor_id),
    )
    conditions: list[ColumnElement[bool]] = [_ROW.tenant_id == tenant_id]
    if wanted.only:
        conditions.append(_ROW.id.in_(list(wanted.only)))
    if wanted.asset_id:
        mine = (DeviceRow.tenant_id == tenant_id, DeviceRow.asset_id == wanted.asset_id)
        conditions.append(_ROW.device_id.in_(select(DeviceRow.id).where(*mine)))
    return conditions + [column == value for column, value in equal if value]
