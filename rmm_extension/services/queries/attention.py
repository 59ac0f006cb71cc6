"""What failed or waits for a decision: short lists, the newest first, each bounded."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, literal, literal_column, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import TROUBLED_STATES
from rmm_extension.models import (
    Alert,
    AlertHistory,
    Integration,
    JobRun,
    OrganizationMapping,
    SetAsideAlert,
    WebhookDelivery,
    Workflow,
    WorkflowInvocation,
    WorkflowRun,
)

from .paging import AnyRow

SHOWN = 50
"""So many of each are listed; the page links to a list of all."""
NO_CLIENT = "no_client"
"""The stored reason of an alert whose organization is not mapped."""
ROUTING_INCOMPLETE = "routing_incomplete"
"""The same of one whose connection's routing is not whole."""


_WHY = ({"code": "ticket_failed"}, {"code": "vendor_reset", "accepted": False})
"""The steps of an alert's history that say why it needs attention."""


def needy_alerts(session: Session, tenant_id: str, limit: int = SHOWN) -> Sequence[AnyRow]:
    """Alerts that wait for a person or a retry, newest first, but for those that only lack a client. ``why``
    are the steps of the newest failure."""
    columns = (
        Alert.id,
        Alert.severity,
        Alert.status,
        Alert.device_name,
        Alert.title,
        Alert.message,
        Alert.alert_class,
        Alert.attention,
        Alert.attention_at,
        Alert.integration_id,
        Alert.ticket_id,
    )
    told = or_(*(AlertHistory.steps.contains(literal([step], JSONB)) for step in _WHY))
    why = (
        select(AlertHistory.steps)
        .where(AlertHistory.tenant_id == Alert.tenant_id, AlertHistory.alert_id == Alert.id, told)
        .order_by(AlertHistory.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = select(*columns, why.label("why")).where(
        Alert.tenant_id == tenant_id, Alert.attention.is_not(None), Alert.attention != NO_CLIENT
    )
    return session.execute(statement.order_by(Alert.id.desc()).limit(limit)).all()


def waiting_for_client(session: Session, tenant_id: str, limit: int = SHOWN) -> Sequence[AnyRow]:
    """Organizations without a client, with how many alerts wait for that, the most first."""
    number = func.count().label("alerts")
    statement = (
        select(
            Alert.integration_id,
            Alert.external_organization_id,
            OrganizationMapping.id.label("mapping_id"),
            OrganizationMapping.name.label("organization"),
            func.max(Alert.attention_at).label("newest_at"),
            number,
        )
        .outerjoin(
            OrganizationMapping,
            (OrganizationMapping.tenant_id == Alert.tenant_id)
            & (OrganizationMapping.integration_id == Alert.integration_id)
            & (OrganizationMapping.external_id == Alert.external_organization_id),
        )
        .where(Alert.tenant_id == tenant_id, Alert.attention == NO_CLIENT, Alert.attention.is_not(None))
        .group_by(
            Alert.integration_id,
            Alert.external_organization_id,
            OrganizationMapping.id,
            OrganizationMapping.name,
        )
    )
    return session.execute(statement.order_by(number.desc()).limit(limit)).all()


def waiting_for_routing(session: Session, tenant_id: str, integration_id: UUID) -> int:
    """How many alerts of a connection wait for its routing to be whole."""
    statement = select(func.count()).where(
        Alert.tenant_id == tenant_id,
        Alert.integration_id == integration_id,
        Alert.attention == ROUTING_INCOMPLETE,
        Alert.attention.is_not(None),
    )
    return session.scalar(statement) or 0


def set_aside_alerts(session: Session, tenant_id: str, limit: int = SHOWN) -> Sequence[SetAsideAlert]:
    """Alerts that could not be taken, the latest try first."""
    statement = select(SetAsideAlert).where(
        SetAsideAlert.tenant_id == tenant_id, SetAsideAlert.dismissed_at.is_(None)
    )
    return session.scalars(statement.order_by(SetAsideAlert.last_at.desc()).limit(limit)).all()


def needy_deliveries(session: Session, tenant_id: str, limit: int = SHOWN) -> Sequence[AnyRow]:
    """Deliveries that failed and are tried again, or were put aside, newest first."""
    columns = (
        WebhookDelivery.id,
        WebhookDelivery.integration_id,
        WebhookDelivery.provider,
        WebhookDelivery.received_at,
        WebhookDelivery.state,
        WebhookDelivery.reason,
        WebhookDelivery.attempts,
        WebhookDelivery.due_at,
    )
    statement = select(*columns).where(
        WebhookDelivery.tenant_id == tenant_id, WebhookDelivery.state.in_(("failed", "quarantined"))
    )
    return session.execute(statement.order_by(WebhookDelivery.received_at.desc()).limit(limit)).all()


def needy_organizations(session: Session, tenant_id: str, limit: int = SHOWN) -> Sequence[AnyRow]:
    """Organizations whose last sync failed, or that are not mapped to a client although they have devices
    to sync."""
    columns = (
        OrganizationMapping.id,
        OrganizationMapping.integration_id,
        OrganizationMapping.name,
        OrganizationMapping.client_id,
        OrganizationMapping.last_error,
    )
    statement = select(*columns).where(
        OrganizationMapping.tenant_id == tenant_id, OrganizationMapping.last_error.is_not(None)
    )
    return session.execute(statement.order_by(OrganizationMapping.name).limit(limit)).all()


def needy_connections(session: Session, tenant_id: str) -> Sequence[AnyRow]:
    """Connections that do not work or were not set up to the end."""
    columns = (
        Integration.id,
        Integration.provider,
        Integration.name,
        Integration.state,
        Integration.last_error,
        Integration.last_error_at,
        Integration.setup_step,
    )
    statement = select(*columns).where(
        Integration.tenant_id == tenant_id,
        or_(Integration.state.in_(TROUBLED_STATES), Integration.setup_step.is_not(None)),
        Integration.state != "not_connected",
    )
    return session.execute(statement.order_by(Integration.name)).all()


GIVEN_UP = """
    rmm_job_runs.status = 'failed' AND rmm_job_runs.queued_at >= now() - interval '24 hours'
    AND NOT EXISTS (
        SELECT FROM rmm_job_runs later
        WHERE later.tenant_id = rmm_job_runs.tenant_id AND later.exclusive_key = rmm_job_runs.exclusive_key
          AND later.status = 'succeeded' AND later.queued_at > rmm_job_runs.queued_at)
"""
"""Runs of the last day that were given up, and that none of the same work has made good since."""


def failed_runs(session: Session, tenant_id: str, limit: int = SHOWN) -> Sequence[JobRun]:
    """Runs that were given up lately and not made good by a later one."""
    statement = select(JobRun).where(JobRun.tenant_id == tenant_id, text(GIVEN_UP))
    return session.scalars(statement.order_by(JobRun.queued_at.desc()).limit(limit)).all()


def undecided_runs(session: Session, tenant_id: str, limit: int = SHOWN) -> Sequence[AnyRow]:
    """Runs of workflows with a step that may have happened, newest first; ``why`` is what is known of it."""
    run, step = WorkflowRun, WorkflowInvocation
    why = (
        select(step.message)
        .where(step.tenant_id == run.tenant_id, step.run_id == run.id, step.state == "unknown")
        .order_by(step.position.desc(), step.attempt.desc())
        .limit(1)
        .scalar_subquery()
    )
    columns = (run.id, run.source, run.actor_id, run.queued_at, Workflow.name, why.label("why"))
    workflow = (Workflow.tenant_id == run.tenant_id) & (Workflow.id == run.workflow_id)
    statement = select(*columns).join(Workflow, workflow)
    mine = statement.where(run.tenant_id == tenant_id, run.state == literal_column("'unknown'"))
    return session.execute(mine.order_by(run.queued_at.desc(), run.id.desc()).limit(limit)).all()
