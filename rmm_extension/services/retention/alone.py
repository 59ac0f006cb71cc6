"""Rows that stand alone: age and state decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from rmm_extension.models import (
    ActionInvocation,
    DeviceSoftware,
    JobRun,
    SetAsideAlert,
    WebhookDelivery,
    WorkflowRun,
    WorkflowVersion,
)
from rmm_extension.services import runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.place import Place

from .batch import BATCH, Batch, Remove, execute

Over = Callable[[datetime], list[ColumnElement[bool]]]


def removes(model: Any, time: InstrumentedAttribute[Any], over: Over = lambda _: []) -> Remove:
    """A step that removes the oldest rows of a table, by its index on tenant and time, that are ``over``."""

    def remove(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
        picked = (
            select(model.id)
            .where(model.tenant_id == tenant_id, time < cutoff, *over(cutoff))
            .order_by(time)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
            .cte("picked")
        )
        statement = delete(model).where(model.tenant_id == tenant_id, model.id == picked.c.id)
        removed = execute(session, statement)
        return Batch(removed, more=removed == BATCH)

    return remove


def processed(cutoff: datetime) -> list[ColumnElement[bool]]:
    """Deliveries that a later try has processed."""
    return [WebhookDelivery.state == "processed"]


def given_up(cutoff: datetime) -> list[ColumnElement[bool]]:
    """Deliveries put aside, and those that failed for good."""
    failed_for_good = (WebhookDelivery.state == "failed") & WebhookDelivery.due_at.is_(None)
    return [or_(WebhookDelivery.state == "quarantined", failed_for_good)]


def left_to_people(cutoff: datetime) -> list[ColumnElement[bool]]:
    """Alerts set aside that are not tried again by themselves."""
    return [SetAsideAlert.due_at.is_(None)]


def ended(cutoff: datetime) -> list[ColumnElement[bool]]:
    """Jobs that are over, and were by then."""
    return [JobRun.status.not_in(runs.UNFINISHED), JobRun.finished_at < cutoff]


def over_actions(cutoff: datetime) -> list[ColumnElement[bool]]:
    """Actions that were over by then."""
    return [ActionInvocation.finished_at < cutoff]


def over_workflow_runs(cutoff: datetime) -> list[ColumnElement[bool]]:
    """Runs of workflows that were over by then; those that wait for a person stay."""
    return [WorkflowRun.finished_at < cutoff]


def tested_drafts(cutoff: datetime) -> list[ColumnElement[bool]]:
    """What tests of a draft ran, when none of these runs is left."""
    version, run = WorkflowVersion, WorkflowRun
    of_it = exists().where(run.tenant_id == version.tenant_id, run.version_id == version.id)
    return [version.number == 0, ~of_it]


def gone(cutoff: datetime) -> list[ColumnElement[bool]]:
    """Software that a device had."""
    return [DeviceSoftware.removed_at.is_not(None)]
