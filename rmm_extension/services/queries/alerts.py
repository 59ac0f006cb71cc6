"""The list of alerts and one alert with its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, select, text, tuple_
from sqlalchemy.orm import Session

from rmm_extension.models import (
    OPEN_SQL,
    Alert,
    AlertCondition,
    AlertHistory,
    AlertRule,
    DeviceRow,
    Integration,
    MaintenanceWindow,
)

from .paging import PAGE, AnyRow, AnySelect, Page, capped_count, contains, cut, read_time_cursor, time_cursor

NEAREST = 20_000
"""A text is looked for among so many alerts next in time before the text index is asked."""
MATCHES = 20_000
"""A text with more matches than these is so common that walking the time index finds it sooner."""
SHORTEST_TEXT = 3
_TEXT: ColumnElement[str] = literal_column("(coalesce(device_name, '') || ' ' || coalesce(message, ''))")
"""As the text index spells it: a query must repeat it to use that."""

_LISTED = (
    Alert.id,
    Alert.integration_id,
    Alert.device_id,
    Alert.device_name,
    Alert.asset_id,
    Alert.client_id,
    Alert.status,
    Alert.severity,
    Alert.message,
    Alert.alert_class,
    Alert.ticket_id,
    Alert.attention,
    Alert.triggered_at,
    Alert.episode,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """What the list is narrowed to. ``state`` is one status, or ``open`` for all open ones."""

    state: str | None = None
    severity: str | None = None
    provider: str | None = None
    integration_id: UUID | None = None
    client_id: str | None = None
    device_id: UUID | None = None
    text: str | None = None
    since: datetime | None = None
    attention: bool = False


def alert_page(
    session: Session,
    tenant_id: str,
    wanted: AlertFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
    oldest_first: bool = False,
) -> Page[AnyRow]:
    """Alerts, newest first: the page behind the cursor ``after``, or the one in front of ``before``."""
    backwards = before is not None
    ascending = backwards != oldest_first
    cursor = read_time_cursor(before or after)
    statement = _matching(session, tenant_id, wanted)
    if cursor is not None:
        place = tuple_(Alert.triggered_at, Alert.id)
        statement = statement.where(place > cursor if ascending else place < cursor)
    ordered = _by_time(statement, ascending)
    found = _search(session, tenant_id, ordered, wanted, limit + 1, ascending)
    shown = cut(
        found,
        limit,
        lambda row: time_cursor(row.triggered_at, row.id),
        cursor=after if cursor else None,
        backwards=backwards,
    )
    return shown if cursor else replace(shown, total=_total(found, limit))


def _total(found: Sequence[AnyRow], limit: int) -> int | None:
    """How many match, where a first page tells: because it is the last one, or because it was counted."""
    if len(found) <= limit:
        return len(found)
    return getattr(found[0], "total", None)


def alert_count(session: Session, tenant_id: str, wanted: AlertFilter) -> int:
    """How many alerts match, at most one more than the cap."""
    statement = _matching(session, tenant_id, wanted)
    if wanted.text:
        statement = statement.where(_TEXT.ilike(contains(wanted.text)))
    return capped_count(session, statement.with_only_columns(Alert.id))


def _matching(session: Session, tenant_id: str, wanted: AlertFilter) -> AnySelect:
    return select(*_LISTED).where(*_conditions(session, tenant_id, wanted))


def _conditions(session: Session, tenant_id: str, wanted: AlertFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Alert.tenant_id == tenant_id]
    equal = (
        (Alert.severity, wanted.severity),
        (Alert.client_id, wanted.client_id),
        (Alert.device_id, wanted.device_id),
    )
    conditions += [column == value for column, value in equal if value]
    conditions += _state(wanted.state)
    conditions += _connections(session, tenant_id, wanted)
    if wanted.since:
        conditions.append(Alert.triggered_at >= wanted.since)
    if wanted.attention:
        conditions.append(Alert.attention.is_not(None))
    return conditions


def _state(state: str | None) -> list[ColumnElement[bool]]:
    """The open states repeat the partial index's own words, without which it is not used. One state does not:
    a plan made with its value proves that it is among them, and the words beside it spoil the estimate."""
    if state == "open":
        return [text(OPEN_SQL)]  # type: ignore[list-item]
    return [Alert.status == state] if state else []


def _connections(session: Session, tenant_id: str, wanted: AlertFilter) -> list[ColumnElement[bool]]:
    """One connection is asked for by ``=``, which keeps the index's order; several only where there are."""
    if wanted.integration_id:
        return [Alert.integration_id == wanted.integration_id]
    if not wanted.provider:
        return []
    ids = session.scalars(
        select(Integration.id).where(
            Integration.tenant_id == tenant_id, Integration.provider == wanted.provider
        )
    ).all()
    return [Alert.integration_id == ids[0]] if len(ids) == 1 else [Alert.integration_id.in_(ids)]


def _by_time(statement: AnySelect, ascending: bool) -> AnySelect:
    if ascending:
        return statement.order_by(Alert.triggered_at.asc(), Alert.id.asc())
    return statement.order_by(Alert.triggered_at.desc(), Alert.id.desc())


def _search(
    session: Session,
    tenant_id: str,
    statement: AnySelect,
    wanted: AlertFilter,
    limit: int,
    ascending: bool,
) -> Sequence[AnyRow]:
    """The rows; a text is first looked for among those next in time, then among all by the text index."""
    if not wanted.text:
        return session.execute(statement.limit(limit)).all()
    like = _TEXT.ilike(contains(wanted.text))
    following = statement.limit(NEAREST).subquery("rmm_alerts")
    place = (following.c.triggered_at, following.c.id)
    order = place if ascending else tuple(column.desc() for column in place)
    found = session.execute(select(following).where(like).order_by(*order).limit(limit)).all()
    if len(found) == limit:
        return found
    found = session.execute(_through_text_index(tenant_id, statement, like).limit(limit)).all()
    if found and found[0].matches <= MATCHES:
        return found
    if not found and capped_count(session, _matches(tenant_id, like), MATCHES) <= MATCHES:
        return found
    return session.execute(statement.where(like).limit(limit)).all()


def _matches(tenant_id: str, like: ColumnElement[bool]) -> AnySelect:
    return select(Alert.id).where(Alert.tenant_id == tenant_id, like)


def _through_text_index(tenant_id: str, statement: AnySelect, like: ColumnElement[bool]) -> AnySelect:
    """The text's matches first, behind a fence, so that the planner does not walk the time index. ``total``
    counts the rows, ``matches`` the text's own matches, which are complete up to ``MATCHES``."""
    capped = _matches(tenant_id, like).limit(MATCHES + 1)
    fenced = capped.cte("by_text").prefix_with("MATERIALIZED", dialect="postgresql")
    number = select(func.count()).select_from(fenced).scalar_subquery()
    counted = statement.add_columns(func.count().over().label("total"), number.label("matches"))
    return counted.where(Alert.id.in_(select(fenced.c.id)))


@dataclass(frozen=True, slots=True)
class AlertDetail:
    """One alert with everything its page tells."""

    alert: Alert
    connection: AnyRow | None
    device: DeviceRow | None
    occurrences: int | None
    rule_name: str | None
    window_name: str | None
    history: Sequence[AnyRow]


def alert_detail(session: Session, tenant_id: str, alert_id: UUID, limit: int = 200) -> AlertDetail | None:
    """The alert with its connection, device and history (newest first), or ``None``."""
    alert = session.scalar(select(Alert).where(Alert.tenant_id == tenant_id, Alert.id == alert_id))
    if alert is None:
        return None
    around = session.execute(_around(alert)).one()
    return AlertDetail(
        alert=alert,
        connection=around if around.connection_name is not None else None,
        device=_device(session, alert),
        occurrences=around.occurrence_count,
        rule_name=around.rule_name,
        window_name=around.window_name,
        history=session.execute(_history(tenant_id, [alert_id], limit)).all(),
    )


def _around(alert: Alert) -> AnySelect:
    here = select(func.now().label("at")).subquery()
    return (
        select(
            Integration.name.label("connection_name"),
            Integration.provider,
            Integration.state,
            AlertCondition.occurrence_count,
            AlertRule.name.label("rule_name"),
            MaintenanceWindow.name.label("window_name"),
        )
        .select_from(here)
        .outerjoin(
            Integration,
            (Integration.tenant_id == alert.tenant_id) & (Integration.id == alert.integration_id),
        )
        .outerjoin(
            AlertCondition,
            (AlertCondition.tenant_id == alert.tenant_id)
            & (AlertCondition.integration_id == alert.integration_id)
            & (AlertCondition.dedup_key == alert.dedup_key),
        )
        .outerjoin(
            AlertRule, (AlertRule.tenant_id == alert.tenant_id) & (AlertRule.id == alert.matched_rule_id)
        )
        .outerjoin(
            MaintenanceWindow,
            (MaintenanceWindow.tenant_id == alert.tenant_id)
            & (MaintenanceWindow.id == alert.suppressed_by_window_id),
        )
    )


def _device(session: Session, alert: Alert) -> DeviceRow | None:
    if alert.device_id is None:
        return None
    return session.scalar(
        select(DeviceRow).where(DeviceRow.tenant_id == alert.tenant_id, DeviceRow.id == alert.device_id)
    )


def _history(tenant_id: str, alert_ids: Sequence[UUID], limit: int) -> AnySelect:
    columns = (
        AlertHistory.id,
        AlertHistory.alert_id,
        AlertHistory.at,
        AlertHistory.occurred_at,
        AlertHistory.channel,
        AlertHistory.kind,
        AlertHistory.outcome,
        AlertHistory.actor,
        AlertHistory.steps,
    )
    mine = (
        AlertHistory.alert_id == alert_ids[0] if len(alert_ids) == 1 else AlertHistory.alert_id.in_(alert_ids)
    )
    statement = select(*columns).where(AlertHistory.tenant_id == tenant_id, mine)
    return statement.order_by(AlertHistory.id.desc()).limit(limit)


def history_of(
    session: Session, tenant_id: str, alert_ids: Sequence[UUID], limit: int = 100
) -> Sequence[AnyRow]:
    """What was decided about these alerts, newest first."""
    return session.execute(_history(tenant_id, alert_ids, limit)).all() if alert_ids else []
