"""The kinds of background work: which queue each takes, how long it may run, how often it is tried.

A handler is named by its path (``package.module:function``) and imported when it is first needed: the
services that do the work start runs themselves, so importing them from here would go round in a circle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import UUID

QUEUES = ("rmm-tick", "rmm-alerts", "rmm-sync", "rmm-workflow", "rmm-actions")
"""Every queue, each with workers of its own: a long sync must not hold up an alert, nor anything the tick,
nor an action that waits for its device the next step of a workflow."""

PROCESSES = {"rmm-workflow": 2, "rmm-actions": 4}
"""Worker processes of a queue, one unless it says otherwise: actions wait for devices, up to an hour each."""

Work = str | Callable[..., Any]
"""A function, or its path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of background work.

    ``handler`` is called as ``handler(rmm, run)``; it opens its own units and returns when all is done, with
    counts if it has any.
    ``on_failure`` is called as ``on_failure(rmm, session, run, message)`` in the transaction that gives a run
    up for good, ``on_cancel`` as ``on_cancel(rmm, session, tenant_id, run_id)`` in the one that ends a run as
    cancelled, begun or not. ``exclusive`` kinds run once per connection at a time. ``timeout`` (seconds) ends
    one attempt; the next one goes on from the run's cursor. ``max_attempts`` bounds attempts that found no
    answer or were killed; a vendor's "later, please" is bounded by time only. ``shows_health``: its
    runs may speak for the connection, in trouble and when it is well again; ``voices`` says when they do.
    """

    name: str
    queue: str
    label: str
    handler: Work
    timeout: int
    max_attempts: int
    exclusive: bool = False
    shows_health: bool = False
    on_failure: Work | None = None
    on_cancel: Work | None = None

    def exclusive_key(self, integration_id: UUID | None) -> str | None:
        """What two unfinished runs of this kind and connection may not share."""
        return f"{self.name}:{integration_id}" if self.exclusive else None


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a kind; a name taken by another kind or a queue that nobody works on is a programming error."""
    if kind.queue not in QUEUES:
        raise ValueError(f"{kind.name}: there is no queue {kind.queue}.")
    if KINDS.setdefault(kind.name, kind) != kind:
        raise ValueError(f"There is a kind of work named {kind.name} already.")


def get(name: str) -> Kind:
    """The kind; ``LookupError`` for one that no installed code knows."""
    try:
        return KINDS[name]
    except KeyError:
        raise LookupError(f"There is no kind of work named {name}.") from None


def resolve(work: Work) -> Callable[..., Any]:
    """The function a path names."""
    if not isinstance(work, str):
        return work
    module, _, function = work.partition(":")
    return getattr(import_module(module), function)  # type: ignore[no-any-return]


_SERVICES = "rmm_extension.services"
_WORKFLOWS = "rmm_extension.workflows"

for _kind in (
    Kind(
        name="organization_sync",
        queue="rmm-sync",
        label="Organization sync",
        handler=f"{_SERVICES}.inventory:sync_organizations",
        timeout=900,
        max_attempts=5,
        exclusive=True,
        shows_health=True,
    ),
    Kind(
        name="device_sync",
        queue="rmm-sync",
        label="Device sync",
        handler=f"{_SERVICES}.inventory:sync_devices",
        timeout=3600,
        max_attempts=6,
        exclusive=True,
        shows_health=True,
    ),
    Kind(
        name="software_sync",
        queue="rmm-sync",
        label="Software sync",
        handler=f"{_SERVICES}.software:sync_software",
        timeout=3600,
        max_attempts=6,
        exclusive=True,
    ),
    Kind(
        name="patch_sync",
        queue="rmm-sync",
        label="Patch sync",
        handler=f"{_SERVICES}.patches:sync_patches",
        timeout=3600,
        max_attempts=6,
        exclusive=True,
    ),
    Kind(
        name="alert_reconcile",
        # Not beside the device syncs: an alert must not wait for the end of a long one.
        queue="rmm-alerts",
        label="Alert sync",
        handler=f"{_SERVICES}.reconcile:reconcile_alerts",
        timeout=1800,
        max_attempts=4,
        exclusive=True,
        shows_health=True,
    ),
    Kind(
        name="activity_sync",
        queue="rmm-alerts",
        label="Activity log",
        handler=f"{_SERVICES}.activity_log:sync_activity",
        timeout=1800,
        max_attempts=4,
        exclusive=True,
    ),
    Kind(
        name="device_refresh",
        queue="rmm-alerts",
        label="Device refresh",
        handler=f"{_SERVICES}.inventory:refresh_device",
        timeout=120,
        max_attempts=3,
    ),
    Kind(
        name="software_refresh",
        # As quick as a device's refresh: somebody waits for it, and must not wait for a sync.
        queue="rmm-alerts",
        label="Software refresh",
        handler=f"{_SERVICES}.software:refresh_software",
        timeout=120,
        max_attempts=3,
    ),
    Kind(
        name="patch_refresh",
        queue="rmm-alerts",
        label="Patch refresh",
        handler=f"{_SERVICES}.patches:refresh_patches",
        timeout=120,
        max_attempts=3,
    ),
    Kind(
        name="alert_details",
        queue="rmm-alerts",
        label="Alert details",
        handler=f"{_SERVICES}.details:fetch_details",
        timeout=120,
        max_attempts=3,
    ),
    Kind(
        name="alert_reset",
        queue="rmm-alerts",
        label="Alert reset at the vendor",
        handler=f"{_SERVICES}.outbound:reset_alerts",
        on_failure=f"{_SERVICES}.outbound:tell_failure",
        timeout=300,
        max_attempts=6,
    ),
    Kind(
        name="permission_check",
        # A dozen small questions, and somebody waits for the answers.
        queue="rmm-alerts",
        label="Permission check",
        handler=f"{_SERVICES}.permissions:check_permissions",
        timeout=120,
        max_attempts=2,
        exclusive=True,
    ),
    Kind(
        name="signing_keys",
        queue="rmm-alerts",
        label="Keys of a chat service",
        handler=f"{_SERVICES}.messaging.keys:fetch_keys",
        timeout=60,
        max_attempts=4,
        exclusive=True,
    ),
    Kind(
        name="session_end",
        queue="rmm-alerts",
        label="Sign-out at the vendor",
        handler=f"{_SERVICES}.sign_out:end_session",
        on_failure=f"{_SERVICES}.sign_out:tell_failure",
        on_cancel=f"{_SERVICES}.sign_out:cancelled",
        timeout=120,
        max_attempts=5,
    ),
    Kind(
        name="webhook_register",
        queue="rmm-alerts",
        label="Webhook registration",
        handler=f"{_SERVICES}.registration.work:register",
        on_failure=f"{_SERVICES}.registration.work:tell_failure",
        on_cancel=f"{_SERVICES}.registration.work:cancelled",
        timeout=120,
        # The tick starts another one, at growing gaps, for as long as it is wanted.
        max_attempts=1,
        exclusive=True,
    ),
    Kind(
        name="remote_link",
        queue="rmm-alerts",
        label="Link for remote access",
        handler=f"{_SERVICES}.remote_links:fetch_link",
        # Somebody waits for it in an open tab.
        timeout=60,
        max_attempts=2,
    ),
    Kind(
        name="alert_decisions",
        queue="rmm-alerts",
        label="Alerts that waited",
        handler=f"{_SERVICES}.attention:decide_waiting",
        timeout=600,
        max_attempts=5,
        exclusive=True,
    ),
    Kind(
        name="window_end",
        queue="rmm-alerts",
        label="Alerts after maintenance",
        handler=f"{_SERVICES}.window_end:decide_ended",
        timeout=600,
        max_attempts=5,
        exclusive=True,
    ),
    Kind(
        name="vendor_maintenance",
        # Not beside the syncs: a window may be over before a long one is. Its runs are short.
        queue="rmm-alerts",
        label="Maintenance at the vendor",
        handler=f"{_SERVICES}.vendor_maintenance:tell_vendor",
        on_failure=f"{_SERVICES}.vendor_maintenance:put_off",
        on_cancel=f"{_SERVICES}.vendor_maintenance:call_off",
        timeout=900,
        max_attempts=4,
        exclusive=True,
    ),
    Kind(
        name="delivery_retry",
        queue="rmm-alerts",
        label="Webhook delivery, again",
        handler=f"{_SERVICES}.replay:retry_delivery",
        on_failure=f"{_SERVICES}.replay:tell_failure",
        timeout=60,
        max_attempts=1,
    ),
    Kind(
        name="delivery_replay",
        queue="rmm-alerts",
        label="Replay of stored deliveries",
        handler=f"{_SERVICES}.replay:replay_all",
        timeout=1800,
        max_attempts=5,
        exclusive=True,
    ),
    Kind(
        name="device_action",
        queue="rmm-actions",
        label="Action on a device",
        handler=f"{_SERVICES}.actions:perform",
        on_failure=f"{_SERVICES}.actions:tell_failure",
        on_cancel=f"{_SERVICES}.actions:cancelled",
        # A script may run for an hour; the server answers a little later, and then its history is asked.
        timeout=4000,
        max_attempts=4,
    ),
    Kind(
        name="workflow_step",
        # Only transactions of our own: vendors are asked by actions, on a queue of theirs.
        queue="rmm-workflow",
        label="Step of a workflow",
        handler=f"{_WORKFLOWS}.engine:step",
        on_failure=f"{_WORKFLOWS}.engine:tell_failure",
        on_cancel=f"{_WORKFLOWS}.engine:cancelled",
        timeout=60,
        max_attempts=4,
    ),
    Kind(
        name="script_list",
        queue="rmm-alerts",
        label="List of scripts",
        handler=f"{_SERVICES}.actions:list_scripts",
        timeout=120,
        max_attempts=3,
        exclusive=True,
    ),
    Kind(
        name="retention",
        queue="rmm-sync",
        label="Nightly cleaning",
        handler=f"{_SERVICES}.retention:clean",
        timeout=1800,
        max_attempts=5,
    ),
):
    register(_kind)
