"""What a rule would do: the stored alerts of some days, asked anew. Changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from rmm_extension.domain.dry_run import Fate, PastAlert, Setting, simulate, steps
from rmm_extension.domain.dry_run_words import sentences
from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.routing import read_routing
from rmm_extension.domain.rules import Rule, compile_rule, winner
from rmm_extension.domain.types import AlertEvent, AlertKind, AlertStatus, Channel, Severity
from rmm_extension.models import (
    Alert,
    AlertHistory,
    AlertRule,
    DeviceRow,
    OrganizationMapping,
    utc_now,
)
from rmm_extension.providers.capabilities import FetchesAlert

from . import connections
from .alert_routing import lacks
from .context import Rmm
from .ingest.config import active_windows
from .queries.paging import AnyRow, AnySelect
from .rules import RuleDraft, UnknownRule, draft_rule

LONGEST_DAYS = 90
MOST_ALERTS = 20_000
"""So many of the newest alerts are asked; the result says when there were more."""
SHOWN, SHOWN_OTHERS = 40, 10
"""So many alerts the rule has to do with are shown, and so many of the rest, to see why not."""
_BATCH = 2_000
_NEW_RULE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class DryRunAlert:
    """One alert with what would become of it, in the words of its history.

    ``outcome`` is what was decided on it last; :data:`rmm_extension.domain.dry_run.OUTCOMES` names them all.
    """

    alert_id: UUID
    device_name: str | None
    message: str | None
    severity: str
    triggered_at: datetime
    outcome: str
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class DryRun:
    """The sum of it. ``matched`` are the alerts that the rule takes; tickets, joined, reopened, held_back,
    waiting, without_client and without_routing are what becomes of these.

    ``taken_earlier`` are alerts it would take if rules before it did not, by the name of the rule that takes
    them; ``suppressed`` those it would have taken, were it not for a maintenance window. ``is_active`` is
    false for a rule that is switched off: then all this is what it would do if it were on.
    """

    looked_at: int
    capped: bool
    is_active: bool
    matched: int
    taken_earlier: Mapping[str, int]
    tickets: int
    joined: int
    reopened: int
    suppressed: int
    held_back: int
    waiting: int
    without_client: int
    without_routing: int
    sample: Sequence[DryRunAlert]


def dry_run(
    rmm: Rmm,
    session: Session,
    tenant_id: str,
    integration_id: UUID,
    draft: RuleDraft,
    *,
    rule_id: UUID | None,
    days: int,
) -> DryRun:
    """Ask the connection's rules, with the draft in its place, about the alerts of the last 1 to 90 days.

    A new rule (``rule_id`` ``None``) stands behind all others, an edited one at its own place. Windows,
    devices and mappings are those of now. Raises :class:`~.rules.RuleInvalid` for a draft that could not be
    kept.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise ConfigError(f"Choose 1 to {LONGEST_DAYS} days.")
    mine = draft_rule(draft, rule_id or _NEW_RULE)
    setting = setting_of(rmm, session, tenant_id, integration_id, mine)
    past = replay(session, tenant_id, setting, setting.now - timedelta(days=days))
    return _summed(past, mine, is_active=draft.is_active)


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of the stored alerts; ``capped`` when older ones were left out."""

    setting: Setting
    fates: Sequence[Fate]
    capped: bool


def replay(session: Session, tenant_id: str, setting: Setting, since: datetime) -> Replay:
    """Have the connection's newest alerts meet these rules and windows."""
    alerts = list(_alerts(session, tenant_id, setting, since))
    return Replay(setting, simulate(setting, alerts[:MOST_ALERTS]), len(alerts) > MOST_ALERTS)


def setting_of(
    rmm: Rmm, session: Session, tenant_id: str, integration_id: UUID, mine: Rule | None = None
) -> Setting:
    """What alerts meet now: the active rules in their order, with the draft ``mine`` in its place, the
    windows, and how the connection's provider and the host take part."""
    row = connections.get(session, tenant_id, integration_id)
    routing = read_routing(row.settings)
    fetches = isinstance(rmm.providers.get(row.provider), FetchesAlert)
    return Setting(
        rules=_rules(session, tenant_id, integration_id, mine),
        windows=active_windows(session, tenant_id, integration_id),
        integration_id=integration_id,
        provider=row.provider,
        now=utc_now(),
        detail_wait=timedelta(seconds=rmm.settings.detail_wait if fetches else 0),
        takes_tickets=rmm.host.tickets is not None,
        routing=routing,
        routing_lacks=lacks(rmm, row.provider, routing),
    )


def _rules(session: Session, tenant_id: str, integration_id: UUID, mine: Rule | None) -> Sequence[Rule]:
    """The active rules in their order, with the draft where its rule is, or behind them."""
    is_mine = AlertRule.id == (mine.id if mine else None)
    statement = (
        select(AlertRule.id, AlertRule.name, AlertRule.conditions, AlertRule.actions)
        .where(
            AlertRule.tenant_id == tenant_id,
            AlertRule.integration_id == integration_id,
            or_(AlertRule.is_active, is_mine),
        )
        .order_by(AlertRule.priority_order, AlertRule.id)
    )
    rows = session.execute(statement).all()
    if mine is None or mine.id == _NEW_RULE:
        return [*(compile_rule(*row) for row in rows), *([mine] if mine else [])]
    if mine.id not in {row.id for row in rows}:
        raise UnknownRule("This rule does not exist (any more).")
    return [mine if row.id == mine.id else compile_rule(*row) for row in rows]


def _alerts(session: Session, tenant_id: str, setting: Setting, since: datetime) -> Iterator[PastAlert]:
    """The newest alerts, one more than are asked, read in batches."""
    statement = _stored(tenant_id, setting.integration_id).where(Alert.triggered_at >= since)
    newest = statement.order_by(Alert.triggered_at.desc(), Alert.id.desc()).limit(MOST_ALERTS + 1)
    rows = session.execute(newest, execution_options={"yield_per": _BATCH})
    may_wait = bool(setting.detail_wait)
    return (_past(row, may_wait) for row in rows)


_STORED = (
    Alert.id,
    Alert.external_id,
    Alert.external_device_id,
    Alert.external_organization_id,
    Alert.device_name,
    Alert.severity,
    Alert.alert_class,
    Alert.activity_type,
    Alert.source_type,
    Alert.message,
    Alert.dedup_key,
    Alert.status,
    Alert.synthesized,
    Alert.triggered_at,
    Alert.resolved_at,
    Alert.first_channel,
    DeviceRow.asset_id,
    DeviceRow.name.label("known_device_name"),
    func.coalesce(DeviceRow.client_id, OrganizationMapping.client_id).label("client_id"),
    OrganizationMapping.external_id.label("mapped_organization_id"),
    OrganizationMapping.name.label("organization"),
    OrganizationMapping.auto_tickets,
    Alert.title,
)


def _stored(tenant_id: str, integration_id: UUID) -> AnySelect:
    """Alerts with the client and asset they have now: the device's client goes before the organization's."""
    organization = func.coalesce(Alert.external_organization_id, DeviceRow.external_organization_id)
    return (
        select(*_STORED)
        .outerjoin(
            DeviceRow,
            (DeviceRow.tenant_id == Alert.tenant_id)
            & (DeviceRow.integration_id == Alert.integration_id)
            & (DeviceRow.external_id == Alert.external_device_id),
        )
        .outerjoin(
            OrganizationMapping,
            (OrganizationMapping.tenant_id == Alert.tenant_id)
            & (OrganizationMapping.integration_id == Alert.integration_id)
            & (OrganizationMapping.external_id == organization),
        )
        .where(Alert.tenant_id == tenant_id, Alert.integration_id == integration_id, _began())
    )


def _began() -> ColumnElement[bool]:
    """Not an end whose beginning never came: such a row has no time between the two, and no beginning."""
    beginning = select(AlertHistory.id).where(
        AlertHistory.tenant_id == Alert.tenant_id,
        AlertHistory.alert_id == Alert.id,
        AlertHistory.kind == AlertKind.TRIGGERED,
    )
    return or_(
        Alert.resolved_at.is_(None),
        Alert.resolved_at != Alert.triggered_at,
        beginning.correlate(Alert).exists(),
    )


def _past(row: AnyRow, may_wait: bool) -> PastAlert:
    is_over = not AlertStatus(row.status).is_open
    return PastAlert(
        id=row.id,
        event=AlertEvent(
            kind=AlertKind.TRIGGERED,
            external_id=row.external_id,
            occurred_at=row.triggered_at,
            severity=Severity(row.severity),
            external_device_id=row.external_device_id,
            external_organization_id=row.external_organization_id or row.mapped_organization_id,
            device_name=row.device_name or row.known_device_name,
            alert_class=row.alert_class,
            activity_type=row.activity_type,
            source_type=row.source_type,
            message=row.message,
            title=row.title,
            synthesized=row.synthesized,
        ),
        key=row.dedup_key,
        resolved_at=row.resolved_at if is_over else None,
        client_id=row.client_id,
        asset_id=row.asset_id,
        organization=row.organization or row.mapped_organization_id,
        text_may_come=may_wait and row.message is None and not row.synthesized,
        makes_tickets=row.auto_tickets is not False,
        channel=Channel(row.first_channel),
    )


def _summed(past: Replay, mine: Rule, *, is_active: bool) -> DryRun:
    setting, fates = past.setting, past.fates
    taken = [fate for fate in fates if fate.rule is mine]
    became = Counter(fate.outcome for fate in taken)
    earlier = [
        fate for fate in fates if fate.rule and fate.rule is not mine and winner([mine], fate.alert.event)
    ]
    suppressed = [
        fate
        for fate in fates
        if fate.outcome == "suppressed" and winner(setting.rules, fate.alert.event) is mine
    ]
    concerned = {id(fate) for fate in (*taken, *earlier, *suppressed)}
    return DryRun(
        looked_at=len(fates),
        capped=past.capped,
        is_active=is_active,
        matched=len(taken),
        taken_earlier=Counter(fate.rule.name for fate in earlier if fate.rule),
        tickets=became["ticket_created"],
        joined=became["occurrence_appended"],
        reopened=became["ticket_reopened"],
        suppressed=len(suppressed),
        held_back=became["held_back"],
        waiting=became["held"],
        without_client=became["no_client"],
        without_routing=became["routing_incomplete"],
        sample=_sample(setting, fates, concerned),
    )


def _sample(setting: Setting, fates: Sequence[Fate], concerned: set[int]) -> Sequence[DryRunAlert]:
    """The newest alerts that the rule has to do with, then some of the rest."""
    newest = fates[::-1]
    first = [fate for fate in newest if id(fate) in concerned][:SHOWN]
    rest = [fate for fate in newest if id(fate) not in concerned][:SHOWN_OTHERS]
    return [_shown(setting, fate) for fate in (*first, *rest)]


def _shown(setting: Setting, fate: Fate) -> DryRunAlert:
    event = fate.alert.event
    return DryRunAlert(
        alert_id=fate.alert.id,
        device_name=event.device_name or event.external_device_id,
        message=event.message,
        severity=event.severity.value,
        triggered_at=event.occurred_at,
        outcome=fate.outcome,
        sentences=sentences(steps(setting, fate)),
    )
