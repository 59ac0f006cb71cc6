"""The actions of NinjaOne and what they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, validates_schema

from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, Choice, Whole, says
from rmm_extension.domain.contracts.strict import Flag, Strict, Text
from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.ninjaone import action_outputs as gives
from rmm_extension.providers.ninjaone.errors import KEY

MODULE_KEY = f"app:{KEY}"
SCRIPT, ACTION = "SCRIPT", "ACTION"
LONGEST_MINUTES = 30 * 24 * 60
FEATURES = {"alerts": "ALERTS", "patching": "PATCHING", "av_scans": "AVSCANS", "tasks": "TASKS"}
"""What a maintenance can keep NinjaOne from doing: our input and NinjaOne's word."""
_ID = 2**31 - 1


def _uid(value: str) -> None:
    try:
        UUID(value)
    except ValueError:
        raise ValidationError("This is no UID: it looks like 5a5f5c5e-0001-4000-8000-000000000001.") from None


class NoInput(Strict):
    """Nothing beside the device."""


class FindDevices(Strict):
    """Which devices to list; one of the three narrows it down."""

    device_id = Whole(1, _ID, metadata=says("Device ID"))
    asset_id = Text(255, metadata=says("Asset"))
    query = Text(255, metadata=says("Name", "A part of the device's name."))
    live = Flag(
        load_default=False, metadata=says("Ask NinjaOne", "Otherwise what was last synced is searched.")
    )
    limit = Whole(1, 200, load_default=50, metadata=says("At most"))


class Reboot(Strict):
    """How it is restarted."""

    mode = Choice(
        (("NORMAL", "Normal"), ("FORCED", "Forced: programs are ended at once")),
        load_default="NORMAL",
        required=False,
        metadata=says("How"),
    )
    reason = Text(500, metadata=says("Reason", "NinjaOne keeps it with its activities."))


class RunScript(Strict):
    """A script of the library or a built-in action: exactly one of the two.

    ``type`` follows from which of them is given, and may be said too.
    """

    type = Choice(
        ((SCRIPT, "Script of the library"), (ACTION, "Built-in action")), metadata=says("Kind", form=False)
    )
    script_id = Whole(1, _ID, metadata=says("Script", kind="script"))
    action_uid = Text(
        36,
        validate=_uid,
        metadata=says(
            "Built-in action",
            "Its UID, as “Scripts and roles” lists it for a device.",
            instead_of_script=True,
        ),
    )
    parameters = Text(8000, metadata=says("Parameters", "As on a command line."))
    run_as = Text(
        255,
        metadata=says(
            "Run as",
            "A credential role such as system; “Scripts and roles” lists them. None: NinjaOne's own.",
        ),
    )
    wait_for_result = Flag(
        load_default=False,
        metadata=says(
            "Wait for its end",
            "Up to five minutes, by the activities of the device. Otherwise it is handed over.",
        ),
    )

    @validates_schema(skip_on_field_errors=False)
    def _one_of_both(self, data: Mapping[str, Any], **_: Any) -> None:
        kind, script, action = (data.get(name) for name in ("type", "script_id", "action_uid"))
        if script is not None and action is not None:
            raise ValidationError("Give a script or a built-in action, not both.", "action_uid")
        if kind == ACTION and action is None:
            raise ValidationError("Give the UID of the built-in action.", "action_uid")
        if kind == SCRIPT and script is None:
            raise ValidationError("Choose the script.", "script_id")
        if script is None and action is None:
            raise ValidationError("Choose a script, or give the UID of a built-in action.", "action_uid")


class SetMaintenance(Strict):
    """For how long, and what NinjaOne leaves alone meanwhile."""

    minutes = Whole(
        1, LONGEST_MINUTES, load_default=120, metadata=says("For so many minutes", "From now on.")
    )
    reason = Text(255, metadata=says("Reason"))
    alerts = Flag(load_default=True, metadata=says("No alerts"))
    patching = Flag(load_default=False, metadata=says("No patching"))
    av_scans = Flag(load_default=False, metadata=says("No antivirus scans"))
    tasks = Flag(load_default=False, metadata=says("No scheduled tasks"))

    @validates_schema(skip_on_field_errors=False)
    def _something(self, data: Mapping[str, Any], **_: Any) -> None:
        if not any(data.get(name) for name in FEATURES):
            raise ValidationError("Choose at least one thing that NinjaOne leaves alone.", "alerts")


class ListAlerts(Strict):
    """How many alerts, and where they are looked up."""

    live = Flag(load_default=False, metadata=says("Ask NinjaOne", "Otherwise what is known here is listed."))
    limit = Whole(1, 200, load_default=50, metadata=says("At most"))


class OneAlert(Strict):
    """An alert by its uid; both names mean the same."""

    alert_uid = Text(255, metadata=says("Alert UID", vendor_alert=True))
    external_alert_id = Text(255, metadata=says("The same as “Alert UID”"))

    @validates_schema
    def _named(self, data: Mapping[str, Any], **_: Any) -> None:
        if len({value for value in data.values() if value}) != 1:
            raise ValidationError("Give the UID of one alert.", "alert_uid")


def _spec(name: str, label: str, description: str, **more: Any) -> ActionSpec:
    return ActionSpec(id=f"{KEY}.{name}", module=MODULE_KEY, label=label, description=description, **more)


_DEVICES: dict[str, Any] = {"category": "Devices"}
_ALERTS: dict[str, Any] = {"category": "Alerts", "on_device": False}

FIND = _spec(
    "devices.find",
    "Find devices",
    "Lists devices by name, id or asset.",
    input=FindDevices,
    output=gives.Devices,
    side_effects=False,
    icon="search",
    permission="rmm.view",
    on_device=False,
    **_DEVICES,
)
SYNC = _spec(
    "devices.sync",
    "Sync device",
    "Reads one device from NinjaOne and updates it here.",
    input=NoInput,
    output=gives.Synced,
    side_effects=False,
    icon="refresh",
    permission="rmm.sync",
    **_DEVICES,
)
REBOOT = _spec(
    "devices.reboot",
    "Reboot",
    "Restarts the device. Whoever works on it may lose what is not saved.",
    input=Reboot,
    output=gives.Rebooted,
    side_effects=True,
    icon="power",
    confirmation="Restart this device now? Whoever works on it may lose what is not saved.",
    **_DEVICES,
)
OPTIONS = _spec(
    "devices.scripting_options",
    "Scripts and roles",
    "Lists what NinjaOne can run on the device, built-in actions too, and as whom.",
    input=NoInput,
    output=gives.Options,
    side_effects=False,
    icon="list",
    **_DEVICES,
)
RUN_SCRIPT = _spec(
    "devices.run_script",
    "Run script or action",
    "Runs a script of NinjaOne's library, or one of its built-in actions, on the device.",
    input=RunScript,
    output=gives.Ran,
    side_effects=True,
    icon="script",
    confirmation="Run this on the device now?",
    **_DEVICES,
)
SET_MAINTENANCE = _spec(
    "devices.set_maintenance",
    "Put into maintenance",
    "From now on, in place of a maintenance that NinjaOne has for the device.",
    input=SetMaintenance,
    output=gives.Maintained,
    confirmation="Put this device into maintenance now?",
    side_effects=True,
    icon="wrench",
    **_DEVICES,
)
END_MAINTENANCE = _spec(
    "devices.end_maintenance",
    "End maintenance",
    "Takes the device out of maintenance in NinjaOne, whoever put it there.",
    input=NoInput,
    output=gives.Maintained,
    confirmation="End the maintenance of this device now?",
    side_effects=True,
    icon="wrench",
    **_DEVICES,
)
LIST_ALERTS = _spec(
    "alerts.list_active",
    "List active alerts",
    "Lists alerts that are open, newest first.",
    input=ListAlerts,
    output=gives.Alerts,
    side_effects=False,
    icon="list",
    permission="rmm.view",
    **_ALERTS,
)
GET_ALERT = _spec(
    "alerts.get",
    "Get alert",
    "Reads one alert as it stands here.",
    input=OneAlert,
    output=gives.GotAlert,
    side_effects=False,
    icon="search",
    permission="rmm.view",
    **_ALERTS,
)
RESET_ALERT = _spec(
    "alerts.reset",
    "Reset alert",
    "Resets the alert in NinjaOne, then ends it here.",
    input=OneAlert,
    output=gives.WasReset,
    confirmation="Reset this alert in NinjaOne?",
    side_effects=True,
    icon="check",
    permission="rmm.alerts.manage",
    **_ALERTS,
)

MODULE = ActionModule(
    key=MODULE_KEY,
    label=provider_label(KEY),
    description="Scripts, reboots, maintenance and alerts of NinjaOne.",
    icon=KEY,
    default_action=FIND.id,
    availability=f"rmm:{KEY}",
    actions=(
        FIND,
        SYNC,
        REBOOT,
        OPTIONS,
        RUN_SCRIPT,
        SET_MAINTENANCE,
        END_MAINTENANCE,
        LIST_ALERTS,
        GET_ALERT,
        RESET_ALERT,
    ),
)
