"""The actions of Level and what they take."""

from __future__ import annotations

from typing import Any

from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, Choice, Whole, says
from rmm_extension.domain.contracts.strict import Flag, Strict, Text
from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.levelio import action_outputs as gives
from rmm_extension.providers.levelio.errors import KEY

MODULE_KEY = f"app:{KEY}"
_LIVE: dict[str, Any] = {
    "load_default": False,
    "metadata": says("Ask Level", "Otherwise what is known here is searched."),
}


class NoInput(Strict):
    """Nothing beside the device."""


class FindDevices(Strict):
    """Which devices to list."""

    device_id = Text(255, metadata=says("Device ID"))
    asset_id = Text(255, metadata=says("Asset"))
    group_id = Text(255, metadata=says("Group ID", "Devices of this very group, not of those below it."))
    query = Text(255, metadata=says("Name", "A part of the device's name."))
    live = Flag(**_LIVE)
    limit = Whole(1, 200, load_default=50, metadata=says("At most"))


class ListAlerts(Strict):
    """Which open alerts to list."""

    device_id = Text(255, metadata=says("Device ID"))
    live = Flag(**_LIVE)
    limit = Whole(1, 200, load_default=50, metadata=says("At most"))


class OneAlert(Strict):
    """An alert by Level's id."""

    alert_id = Text(255, required=True, metadata=says("Alert ID", vendor_alert=True))


class ListUpdates(Strict):
    """Which updates to list."""

    device_id = Text(255, metadata=says("Device ID", "None: of all devices."))
    status = Choice(
        (("available", "Available"), ("installed", "Installed")),
        metadata=says("Which", "None: available and installed ones."),
    )
    limit = Whole(1, 500, load_default=100, metadata=says("At most"))


class ListAutomations(Strict):
    """Which automations to list."""

    query = Text(255, metadata=says("Name", "A part of the automation's name."))
    limit = Whole(1, 200, load_default=50, metadata=says("At most"))


class Trigger(Strict):
    """The automation by its id; what starts it is looked up when it is started."""

    automation_id = Text(
        255,
        required=True,
        metadata=says("Automation", "One that has a webhook in Level.", kind="script"),
    )


class RunWanted(Strict):
    """A run by its id, which Level shows."""

    run_id = Text(255, required=True, metadata=says("Run ID"))
    include_steps = Flag(load_default=False, metadata=says("With its steps"))


def _spec(name: str, label: str, description: str, **more: Any) -> ActionSpec:
    return ActionSpec(id=f"{KEY}.{name}", module=MODULE_KEY, label=label, description=description, **more)


_READS: dict[str, Any] = {"side_effects": False, "permission": "rmm.view"}

FIND = _spec(
    "devices.find",
    "Find devices",
    "Lists devices by name, id, asset or group.",
    input=FindDevices,
    output=gives.Devices,
    category="Devices",
    icon="search",
    on_device=False,
    **_READS,
)
GET = _spec(
    "devices.get",
    "Get device",
    "Reads one device from Level as it is now.",
    input=NoInput,
    output=gives.GotDevice,
    category="Devices",
    icon="device",
    **_READS,
)
LIST_ALERTS = _spec(
    "alerts.list_active",
    "List active alerts",
    "Lists alerts that are open, newest first.",
    input=ListAlerts,
    output=gives.Alerts,
    category="Alerts",
    icon="list",
    on_device=False,
    **_READS,
)
RESOLVE = _spec(
    "alerts.resolve",
    "Resolve alert",
    "Resolves the alert in Level, then ends it here.",
    input=OneAlert,
    output=gives.Resolved,
    category="Alerts",
    icon="check",
    on_device=False,
    side_effects=True,
    permission="rmm.alerts.manage",
    confirmation="Resolve this alert in Level?",
)
LIST_UPDATES = _spec(
    "updates.list",
    "List updates",
    "Lists updates that devices lack or have, as Level tells them now.",
    input=ListUpdates,
    output=gives.Updates,
    category="Updates",
    icon="list",
    on_device=False,
    **_READS,
)
LIST_AUTOMATIONS = _spec(
    "automations.list",
    "List automations",
    "Lists the automations of Level, and which of them can be started from here.",
    input=ListAutomations,
    output=gives.Automations,
    category="Automations",
    icon="list",
    on_device=False,
    **_READS,
)
TRIGGER = _spec(
    "automations.trigger",
    "Start automation",
    "Starts an automation of Level on the device, by its webhook. Level does not say which run it became.",
    input=Trigger,
    output=gives.Triggered,
    category="Automations",
    icon="script",
    side_effects=True,
    confirmation="Start this automation on the device now?",
)
RUN_STATUS = _spec(
    "automations.run_status",
    "Get run of an automation",
    "Reads how a run stands, by the id that Level shows.",
    input=RunWanted,
    output=gives.RunStatus,
    category="Automations",
    icon="search",
    on_device=False,
    **_READS,
)

MODULE = ActionModule(
    key=MODULE_KEY,
    label=provider_label(KEY),
    description="Automations, updates and alerts of Level.",
    icon=KEY,
    default_action=FIND.id,
    availability=f"rmm:{KEY}",
    actions=(FIND, GET, LIST_ALERTS, RESOLVE, LIST_UPDATES, LIST_AUTOMATIONS, TRIGGER, RUN_STATUS),
)
