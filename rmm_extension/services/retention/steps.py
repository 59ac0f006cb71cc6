"""What a cleaning removes, kind by kind, in this order."""

from __future__ import annotations

from rmm_extension.models import (
    ActionInvocation,
    Audit,
    DevicePatch,
    DeviceSoftware,
    JobRun,
    PaceRow,
    PatchList,
    SetAsideAlert,
    Signal,
    SoftwareList,
    WebhookDelivery,
    WorkflowRun,
    WorkflowVersion,
)

from .alerts import alerts, conditions, history
from .alone import (
    ended,
    given_up,
    gone,
    left_to_people,
    over_actions,
    over_workflow_runs,
    processed,
    removes,
    tested_drafts,
)
from .batch import Step
from .lists import of_deleted, products

STEPS = (
    # Deliveries before alerts: one that outlived its alert would make a ticket of old news when replayed.
    Step(
        "deliveries",
        "deliveries",
        "Removing processed deliveries.",
        removes(WebhookDelivery, WebhookDelivery.received_at, processed),
    ),
    Step(
        "deliveries_put_aside",
        "quarantine",
        "Removing deliveries put aside.",
        removes(WebhookDelivery, WebhookDelivery.received_at, given_up),
    ),
    Step(
        "signals",
        "signals",
        "Removing what vendors told of devices.",
        removes(Signal, Signal.received_at),
    ),
    # History before alerts, so that an alert with much of it is not removed in one large statement.
    Step("history", "history", "Removing old history.", history),
    Step("conditions", "alerts", "Removing conditions that are over.", conditions),
    Step("alerts", "alerts", "Removing resolved alerts.", alerts),
    # Rows before products: a product goes when no device has it or had it.
    Step(
        "software",
        "history",
        "Removing software that is gone.",
        removes(DeviceSoftware, DeviceSoftware.removed_at, gone),
    ),
    Step(
        "software_of_deleted",
        "history",
        "Removing the software of deleted devices.",
        of_deleted(SoftwareList, DeviceSoftware),
    ),
    Step("products", "history", "Removing products that nobody has.", products),
    Step(
        "patches_of_deleted",
        "history",
        "Removing the patches of deleted devices.",
        of_deleted(PatchList, DevicePatch),
    ),
    # With their steps; before the actions that these asked for.
    Step(
        "workflow_runs",
        "runs",
        "Removing runs of workflows that are over.",
        removes(WorkflowRun, WorkflowRun.queued_at, over_workflow_runs),
    ),
    Step(
        "workflow_drafts",
        "runs",
        "Removing drafts of workflows that were tested.",
        removes(WorkflowVersion, WorkflowVersion.created_at, tested_drafts),
    ),
    # Before the jobs that did them, and both as long: an action's page links to its job.
    Step(
        "actions",
        "runs",
        "Removing actions that are over.",
        removes(ActionInvocation, ActionInvocation.created_at, over_actions),
    ),
    Step("jobs", "runs", "Removing ended jobs.", removes(JobRun, JobRun.queued_at, ended)),
    Step(
        "set_aside",
        "quarantine",
        "Removing alerts set aside.",
        removes(SetAsideAlert, SetAsideAlert.last_at, left_to_people),
    ),
    # One that is even again is as good as none.
    Step(
        "paces", "signals", "Removing the pace of accounts at rest.", removes(PaceRow, PaceRow.following_at)
    ),
    Step("audit", "audit", "Removing old audit.", removes(Audit, Audit.at)),
)
