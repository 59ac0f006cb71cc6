"""The list of alerts: what it is narrowed to, its pages and its count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, select, text, true
from sqlalchemy.orm import Session

from rmm_extension.models import OPEN_SQL, Alert, AlertRule, DeviceRow, Integration, MaintenanceWindow

from .paging import (
    PAGE,
    AnyRow,
    AnySelect,
    Count,
    Page,
    Way,
    capped_count,
    contains,
    count_up_to_cap,
    look_among,
    read_time_cursor,
    time_cursor,
    up_to_cap,
)

NEAREST = 5_000
"""A text is looked for, and its hits are counted, among so many alerts next in time before the text index is
asked. Of a million alerts, a word with too few hits among these has fewer than :data:`MATCHES` in all."""
MATCHES = 20_000
"""A text with more matches than these is so common that walking the time index finds it sooner."""
SHORTEST_TEXT = 3
_PLACE = ("triggered_at", "id")
NEWEST_FIRST = Way(_PLACE, None, backwards=False, descending=True)
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
    Alert.title,
    Alert.message,
    Alert.alert_class,
    Alert.ticket_id,
    Alert.attention,
    Alert.hold_until,
    Alert.triggered_at,
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
    rule_id: UUID | None = None
    window_id: UUID | None = None
    text: str | None = None
    since: datetime | None = None
    attention: bool = False
    lost: bool = False


def alert_page(
    session: Session,
    tenant_id: str,
    wanted: AlertFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
    turned: bool = False,
) -> Page[AnyRow]:
    """Alerts, newest first: the page behind the cursor ``after``, or the one in front of ``before``."""
    way = Way.of(_PLACE, read_time_cursor, after, before, descending=not turned)
    ordered = way.ordered(way.ahead(_matching(session, tenant_id, wanted)))
    found, number = _search(session, tenant_id, ordered, wanted, limit + 1, way)
    count = Count(len(found)) if len(found) <= limit else number
    return way.page(found, limit, lambda row: time_cursor(row.triggered_at, row.id), count)


def alert_count(session: Session, tenant_id: str, wanted: AlertFilter) -> Count:
    """How many alerts match, up to the cap."""
    statement = _matching(session, tenant_id, wanted)
    if wanted.text:
        like = _TEXT.ilike(contains(wanted.text))
        newest = NEWEST_FIRST.ordered(statement)
        return look_among(session, newest, NEAREST, lambda columns: like, NEWEST_FIRST.order, 1).count
    return count_up_to_cap(session, statement.with_only_columns(Alert.id))


def _matching(session: Session, tenant_id: str, wanted: AlertFilter) -> AnySelect:
    return select(*_LISTED).where(*_conditions(session, tenant_id, wanted))


def _conditions(session: Session, tenant_id: str, wanted: AlertFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Alert.tenant_id == tenant_id]
    equal = (
        (Alert.severity, wanted.severity),
        (Alert.client_id, wanted.client_id),
        (Alert.device_id, wanted.device_id),
        (Alert.matched_rule_id, wanted.rule_id),
        (Alert.suppressed_by_window_id, wanted.window_id),
    )
    conditions += [column == value for column, value in equal if value]
    conditions += _state(wanted.state)
    conditions += _connections(session, tenant_id, wanted)
    if wanted.since:
        conditions.append(Alert.triggered_at >= wanted.since)
    if wanted.attention:
        conditions.append(Alert.attention.is_not(None))
    if wanted.lost:
        conditions.append(Alert.webhook_lost == true())
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


def _search(
    session: Session,
    tenant_id: str,
    statement: AnySelect,
    wanted: AlertFilter,
    limit: int,
    way: Way,
) -> tuple[Sequence[AnyRow], Count | None]:
    """The rows, and how many there are from here on, if that is known; a text is first looked for among those
    next in time, then among all by the text index."""
    if not wanted.text:
        return session.execute(statement.limit(limit)).all(), None
    like = _TEXT.ilike(contains(wanted.text))
    looked = look_among(session, statement, NEAREST, lambda columns: like, way.order, limit)
    if looked.enough:
        return looked.rows, looked.count
    found = session.execute(_through_text_index(tenant_id, statement, like).limit(limit)).all()
    if found and found[0].matches <= MATCHES:
        return found, up_to_cap(found[0].total)
    if not found and capped_count(session, _matches(tenant_id, like), MATCHES) <= MATCHES:
        return found, Count(0)
    return session.execute(statement.where(like).limit(limit)).all(), None


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
class FilterNames:
    """What the ids in a filter are called; ``None`` for what is not there (any more)."""

    device: str | None = None
    rule: str | None = None
    window: str | None = None


def filter_names(session: Session, tenant_id: str, wanted: AlertFilter) -> FilterNames:
    """The names of the filter's device, rule and window: one statement, none where it has none of them."""
    if not (wanted.device_id or wanted.rule_id or wanted.window_id):
        return FilterNames()
    asked = (
        (DeviceRow, wanted.device_id),
        (AlertRule, wanted.rule_id),
        (MaintenanceWindow, wanted.window_id),
    )
    columns = [
        select(table.name).where(table.tenant_id == tenant_id, table.id == id_).scalar_subquery()
        for table, id_ in asked
    ]
    return FilterNames(*session.execute(select(*columns)).one())


def rule_names(session: Session, tenant_id: str, limit: int = 200) -> Sequence[AnyRow]:
    """The rules a filter offers, with their connection's id, in their order."""
    columns = (AlertRule.id, AlertRule.name, AlertRule.integration_id)
    statement = select(*columns).where(AlertRule.tenant_id == tenant_id)
    order = (AlertRule.integration_id, AlertRule.priority_order, AlertRule.id)
    return session.execute(statement.order_by(*order).limit(limit)).all()
