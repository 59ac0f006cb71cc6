"""What a vendor told of a device: counted once, and what follows from it, in one transaction.

A vendor tells of one device in bursts, and by several channels. So a signal fetches nothing itself: it has a
run come a little later, which all others of that device share. What the vendor said while such a run was
already asking has the device asked once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.signals import DeviceSignal, SignalKind, SignalOutcome
from rmm_extension.domain.types import Channel
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import new_id, utc_now
from rmm_extension.providers.capabilities import capabilities

from . import kinds, outbox, runs
from .context import Rmm
from .driver import run
from .ingest import Ingested
from .ingest.facts import Facts
from .ingest.result import SimultaneousDelivery
from .inventory import refresh, told
from .inventory.page import Overtaken
from .runs import Work

SETTLE = timedelta(seconds=15)
"""So long the vendor may go on telling of a device before it is asked."""
TOPIC = "device_refresh_again"

_LISTS = {
    SignalKind.PATCHES: ("device_patches", "patch_refresh", SignalOutcome.PATCH_REFRESH),
    SignalKind.SOFTWARE: ("device_software", "software_refresh", SignalOutcome.SOFTWARE_REFRESH),
}
"""What fetches a device's list anew: the capability it takes, the kind of run, the outcome."""

# An organization that the signal names and the device's own both count: it may have moved.
_PLACE = """
SELECT d.id, d.external_organization_id, d.serial, d.status, d.last_seen_at, d.asset_id, d.kept,
    d.deleted_at IS NOT NULL AS is_deleted,
    (SELECT i.settings ->> 'deletionPolicy' FROM rmm_integrations i
     WHERE i.tenant_id = %(tenant)s AND i.id = %(integration)s) AS policy,
    EXISTS (SELECT FROM rmm_organization_mappings m
            WHERE m.tenant_id = %(tenant)s AND m.integration_id = %(integration)s
              AND m.external_id IN (%(organization)s::text, d.external_organization_id)
              AND m.client_id IS NOT NULL AND m.auto_sync) AS is_synced,
    EXISTS (SELECT FROM rmm_devices o
            WHERE o.tenant_id = d.tenant_id AND o.asset_id = d.asset_id AND o.id <> d.id
              AND o.last_seen_at > %(at)s AND o.missing_since IS NULL AND o.deleted_at IS NULL) AS yields,
    EXISTS (SELECT FROM rmm_devices o
            WHERE o.tenant_id = d.tenant_id AND o.asset_id = d.asset_id AND o.id <> d.id
              AND (o.kept OR o.missing_since IS NULL) AND o.deleted_at IS NULL) AS is_shared
FROM (SELECT 1) AS one
LEFT JOIN rmm_devices d
    ON d.tenant_id = %(tenant)s AND d.integration_id = %(integration)s AND d.external_id = %(device)s
"""
_COUNT = """
INSERT INTO rmm_signals (tenant_id, id, integration_id, external_id, kind, external_device_id, device_id,
                         words, occurred_at, received_at, channel, outcome, reason, duration_ms)
VALUES (%(tenant)s, %(id)s, %(integration)s, %(external_id)s, %(kind)s, %(device)s, %(device_id)s,
        %(words)s, %(at)s, %(now)s, %(channel)s, %(outcome)s, %(reason)s, %(duration_ms)s)
ON CONFLICT (tenant_id, integration_id, external_id) DO NOTHING
RETURNING id
"""
_IS_RUNNING = """
SELECT bool_and(status = 'running') AS is_running FROM rmm_job_runs
WHERE tenant_id = %(tenant)s AND exclusive_key = %(key)s AND status IN ('queued', 'running')
"""
_SCANNED = """
UPDATE rmm_patch_lists SET scanned_at = %(at)s
WHERE tenant_id = %(tenant)s AND id = %(id)s AND (scanned_at IS NULL OR scanned_at < %(at)s)
"""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a signal leads to; ``reason`` says in a short word why to nothing."""

    outcome: SignalOutcome
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A signal with when it happened, and its device as it is here: ``row`` is empty for a stranger."""

    facts: Facts
    signal: DeviceSignal
    at: datetime
    row: Mapping[str, Any]

    @property
    def is_here(self) -> bool:
        """Whether the device is known and not deleted."""
        return self.row["id"] is not None and not self.row["is_deleted"]

    @property
    def is_older(self) -> bool:
        """Whether the device was seen since."""
        return self.row["last_seen_at"] is not None and self.at < self.row["last_seen_at"]

    @property
    def is_of_others(self) -> bool:
        """Whether it is known that nobody syncs the organization of the device."""
        is_placed = self.row["id"] is not None or self.signal.external_organization_id is not None
        return is_placed and not self.row["is_synced"]

    @property
    def is_placeless(self) -> bool:
        """Whether nobody tells whose device it is: one that is unknown here, of no organization."""
        return self.row["id"] is None and self.signal.external_organization_id is None

    @property
    def known(self) -> told.Known:
        """The device as its row has it; only of one that is here."""
        row = self.row
        return told.Known(
            id=row["id"],
            external_id=self.signal.external_device_id,
            external_organization_id=row["external_organization_id"],
            serial=row["serial"],
            status=row["status"],
            last_seen_at=row["last_seen_at"],
            asset_id=row["asset_id"],
            fills=not row["yields"],
            is_shared=row["is_shared"],
            is_removable=row["policy"] == "mark_inactive" and not row["kept"],
        )


def take_signal(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    signal: DeviceSignal,
    channel: Channel,
    received_at: datetime | None = None,
) -> Ingested:
    """Take one signal in the session's transaction; the caller commits.

    Raises :class:`SimultaneousDelivery` when the device was changed meanwhile: the caller rolls back and
    calls again.
    """
    arrived = _read(session, facts, signal)
    plan = _plan(rmm, arrived)
    if not _count(session, arrived, plan, channel, received_at):
        return Ingested(SignalOutcome.SKIPPED, None, None, reason="duplicate")
    try:
        _follow(rmm, session, arrived, plan)
    except Overtaken as error:
        raise SimultaneousDelivery("The device was changed meanwhile.") from error
    return Ingested(plan.outcome, None, None, reason=plan.reason)


def refresh_again(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Handler of the outbox: a signal came while the vendor was being asked, so it is asked once more."""
    work = Work(UUID(payload["integration_id"]), payload["subject"], payload["key"])
    ask_soon(session, tenant_id, payload["kind"], work)


def _read(session: Session, facts: Facts, signal: DeviceSignal) -> _Arrived:
    # A vendor's clock that runs ahead must not outdate what is said until then.
    at = min(signal.occurred_at, utc_now())
    parameters = {
        "tenant": facts.tenant_id,
        "integration": facts.integration_id,
        "device": signal.external_device_id,
        "organization": signal.external_organization_id,
        "at": at,
    }
    row = run(session, _PLACE, parameters).fetchone()
    assert row is not None
    return _Arrived(facts, signal, at, row)


def _plan(rmm: Rmm, arrived: _Arrived) -> _Plan:
    kind = arrived.signal.kind
    if kind is SignalKind.DELETED:
        return _plan_deletion(arrived)
    if arrived.is_of_others:
        return _Plan(SignalOutcome.SKIPPED, "organization_not_synced")
    if arrived.is_placeless and kind is not SignalKind.CHANGED:
        # Of a fleet that is not synced here every sign-in would be a call; a new device says that it is new.
        return _Plan(SignalOutcome.SKIPPED, "device_unknown")
    able = capabilities(rmm.providers.get(arrived.facts.provider))
    if kind is SignalKind.CHANGED or not arrived.is_here:
        return _plan_fetch(able, "device", refresh.KIND, SignalOutcome.DEVICE_REFRESH)
    if kind is SignalKind.SEEN:
        if arrived.is_older:
            return _Plan(SignalOutcome.SKIPPED, "older_event")
        return _Plan(SignalOutcome.DEVICE_SEEN)
    return _plan_fetch(able, *_LISTS[kind])


def _plan_deletion(arrived: _Arrived) -> _Plan:
    if not arrived.is_here:
        return _Plan(SignalOutcome.SKIPPED, "device_unknown")
    # One that was seen after it is said to be deleted is back: what it is now is asked.
    return _Plan(SignalOutcome.DEVICE_REFRESH if arrived.is_older else SignalOutcome.DEVICE_DELETED)


def _plan_fetch(able: frozenset[str], capability: str, kind: str, outcome: SignalOutcome) -> _Plan:
    if capability in able and kind in kinds.KINDS:
        return _Plan(outcome)
    return _Plan(SignalOutcome.SKIPPED, "nothing_to_fetch")


def _count(
    session: Session, arrived: _Arrived, plan: _Plan, channel: Channel, received_at: datetime | None
) -> bool:
    signal = arrived.signal
    return write_down(
        session,
        arrived.facts,
        channel,
        received_at,
        external_id=signal.external_id,
        kind=signal.kind,
        device=signal.external_device_id,
        device_id=arrived.row["id"],
        words=signal.words,
        at=arrived.at,
        outcome=plan.outcome,
        reason=plan.reason,
    )


def write_down(
    session: Session, facts: Facts, channel: Channel, received_at: datetime | None, **told: Any
) -> bool:
    """Write one message of the vendor down; false for one that is there already, whichever way it came."""
    now = utc_now()
    parameters = {
        "tenant": facts.tenant_id,
        "id": new_id(),
        "integration": facts.integration_id,
        "now": received_at or now,
        "channel": channel,
        "duration_ms": (now - received_at) / timedelta(milliseconds=1) if received_at else None,
        **told,
    }
    return run(session, _COUNT, parameters).fetchone() is not None


def _follow(rmm: Rmm, session: Session, arrived: _Arrived, plan: _Plan) -> None:
    """Do what the plan says."""
    facts, signal = arrived.facts, arrived.signal
    if plan.outcome is SignalOutcome.DEVICE_REFRESH:
        work = refresh.refresh_work(facts.integration_id, signal.external_device_id)
        ask_soon(session, facts.tenant_id, refresh.KIND, work)
    elif plan.outcome is SignalOutcome.DEVICE_SEEN:
        told.seen(rmm, session, facts.tenant_id, facts.provider, arrived.known, signal, arrived.at)
    elif plan.outcome is SignalOutcome.DEVICE_DELETED:
        told.delete(rmm, session, facts.tenant_id, arrived.known)
    elif plan.outcome is not SignalOutcome.SKIPPED:
        _fetch_list(session, arrived)


def _fetch_list(session: Session, arrived: _Arrived) -> None:
    """Have a list of the device fetched; when its patches were looked for is known by now."""
    facts, signal, device_id = arrived.facts, arrived.signal, arrived.row["id"]
    _, kind, _ = _LISTS[signal.kind]
    subject = {"device_id": str(device_id), "external_id": signal.external_device_id}
    ask_soon(session, facts.tenant_id, kind, Work(facts.integration_id, subject, f"{kind}:{device_id}"))
    if signal.scanned_at is not None:
        scanned_at = min(signal.scanned_at, arrived.at)
        run(session, _SCANNED, {"tenant": facts.tenant_id, "id": device_id, "at": scanned_at})


def ask_soon(session: Session, tenant_id: str, kind: str, work: Work) -> None:
    """Have the vendor asked in a while, by a run with an exclusive key. One that waits already will ask for
    this, too; one that is asking may have been too early: another follows it."""
    due_at = utc_now() + SETTLE
    if runs.try_start_all(session, SYSTEM_ACTOR(tenant_id), kind, [replace(work, due_at=due_at)]):
        return
    row = run(session, _IS_RUNNING, {"tenant": tenant_id, "key": work.exclusive_key}).fetchone()
    # None: it has just ended.
    if row is None or row["is_running"] is not False:
        payload = {
            "kind": kind,
            "integration_id": str(work.integration_id),
            "subject": dict(work.subject),
            "key": work.exclusive_key,
        }
        outbox.put(session, tenant_id, TOPIC, payload, due_at=due_at)
