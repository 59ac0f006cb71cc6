"""How tables belong together where no relationship says it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_

from .connection import Integration
from .device import DeviceRow
from .workflow import Workflow, WorkflowVersion

CONNECTION_OF_DEVICE: ColumnElement[bool] = and_(
    Integration.tenant_id == DeviceRow.tenant_id, Integration.id == DeviceRow.integration_id
)

PUBLISHED_VERSION: ColumnElement[bool] = and_(
    WorkflowVersion.tenant_id == Workflow.tenant_id,
    WorkflowVersion.workflow_id == Workflow.id,
    WorkflowVersion.number == Workflow.published_version,
)
