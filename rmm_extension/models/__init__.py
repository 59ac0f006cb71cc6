"""The extension's tables."""

from .action import ActionInvocation, ScriptRow
from .alert import (
    ASSETLESS_SQL,
    OPEN_SQL,
    SYNTHESIZED_SQL,
    WINDOW_SQL,
    Alert,
    AlertCondition,
    AlertHistory,
    AlertRule,
    MaintenanceWindow,
)
from .authorization import PendingSignIn
from .base import Base, new_id, utc_now
from .connection import Integration, OrganizationMapping, Secret
from .device import DeviceRow
from .joins import CONNECTION_OF_DEVICE, PUBLISHED_VERSION
from .messaging import SigningKeys, TeamsConversation, TeamsUserLink
from .pace import PaceRow
from .patch import DevicePatch, PatchList
from .set_aside import SetAsideAlert
from .signal import Signal
from .software import DeviceSoftware, Software, SoftwareList
from .vendor_maintenance import VendorMaintenance
from .work import Audit, JobRun, Outbox, WebhookDelivery
from .workflow import UNFINISHED_RUNS_SQL, Workflow, WorkflowInvocation, WorkflowRun, WorkflowVersion

__all__ = [
    "ASSETLESS_SQL",
    "CONNECTION_OF_DEVICE",
    "OPEN_SQL",
    "PUBLISHED_VERSION",
    "SYNTHESIZED_SQL",
    "UNFINISHED_RUNS_SQL",
    "WINDOW_SQL",
    "ActionInvocation",
    "Alert",
    "AlertCondition",
    "AlertHistory",
    "AlertRule",
    "Audit",
    "Base",
    "DevicePatch",
    "DeviceRow",
    "DeviceSoftware",
    "Integration",
    "JobRun",
    "MaintenanceWindow",
    "OrganizationMapping",
    "Outbox",
    "PaceRow",
    "PatchList",
    "PendingSignIn",
    "ScriptRow",
    "Secret",
    "SetAsideAlert",
    "Signal",
    "SigningKeys",
    "Software",
    "SoftwareList",
    "TeamsConversation",
    "TeamsUserLink",
    "VendorMaintenance",
    "WebhookDelivery",
    "Workflow",
    "WorkflowInvocation",
    "WorkflowRun",
    "WorkflowVersion",
    "new_id",
    "utc_now",
]
