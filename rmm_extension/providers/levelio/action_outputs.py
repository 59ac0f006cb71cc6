"""What the actions of Level give."""

from __future__ import annotations

from marshmallow import fields

from rmm_extension.domain.contracts.strict import Flag, Strict


def _text(*, may_be_null: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=may_be_null)


class DeviceItem(Strict):
    """One device; ``source`` is ``local`` for what was last synced, else the vendor's key."""

    device_id = _text()
    asset_id = _text(may_be_null=True)
    hostname = _text(may_be_null=True)
    nickname = _text(may_be_null=True)
    group_id = _text(may_be_null=True)
    online = fields.Boolean(required=True, allow_none=True)
    platform = _text(may_be_null=True)
    os_name = _text(may_be_null=True)
    serial_number = _text(may_be_null=True)
    last_seen_at = _text(may_be_null=True)
    security_score = fields.Integer(required=True, allow_none=True)
    source = _text()


class Devices(Strict):
    """The devices found."""

    devices = fields.List(fields.Nested(DeviceItem), required=True)
    count = fields.Integer(required=True)


class GotDevice(Strict):
    """The device as Level describes it now."""

    device = fields.Nested(DeviceItem, required=True)


class AlertItem(Strict):
    """One alert by Level's own id; ``severity`` is Level's word where it is known, else ours."""

    alert_id = _text()
    device_id = _text(may_be_null=True)
    device_hostname = _text(may_be_null=True)
    name = _text(may_be_null=True)
    description = _text(may_be_null=True)
    severity = _text()
    is_resolved = Flag(required=True)
    started_at = _text()
    resolved_at = _text(may_be_null=True)


class Alerts(Strict):
    """The alerts found."""

    alerts = fields.List(fields.Nested(AlertItem), required=True)
    count = fields.Integer(required=True)


class Resolved(Strict):
    """Whether Level resolved it."""

    resolved = Flag(required=True)
    alert_id = _text()


class UpdateItem(Strict):
    """One update on a device."""

    update_id = _text()
    device_id = _text(may_be_null=True)
    device_hostname = _text(may_be_null=True)
    name = _text(may_be_null=True)
    category = _text(may_be_null=True)
    is_available = fields.Boolean(required=True, allow_none=True)
    installed_on = _text(may_be_null=True)


class Updates(Strict):
    """The updates found."""

    updates = fields.List(fields.Nested(UpdateItem), required=True)
    count = fields.Integer(required=True)


class AutomationItem(Strict):
    """One automation; only one that has a webhook can be started from here."""

    automation_id = _text()
    name = _text()
    description = _text(may_be_null=True)
    group_id = _text(may_be_null=True)
    group_name = _text(may_be_null=True)
    has_webhook = Flag(required=True)
    webhook_requires_authorization = fields.Boolean(required=True, allow_none=True)


class Automations(Strict):
    """The automations found."""

    automations = fields.List(fields.Nested(AutomationItem), required=True)
    count = fields.Integer(required=True)


class Triggered(Strict):
    """Whether Level took it on. It names no run, so ``run_id`` is always null."""

    triggered = Flag(required=True)
    automation_id = _text()
    automation_name = _text()
    device_id = _text()
    run_id = _text(may_be_null=True)
    vendor_response = _text(may_be_null=True)


class RunItem(Strict):
    """One run of an automation, in Level's words."""

    run_id = _text()
    automation_id = _text(may_be_null=True)
    automation_name = _text(may_be_null=True)
    device_id = _text(may_be_null=True)
    device_hostname = _text(may_be_null=True)
    status = _text(may_be_null=True)
    started_at = _text(may_be_null=True)
    ended_at = _text(may_be_null=True)


class RunStatus(Strict):
    """How the run stands; ``steps`` as Level tells them, null where they were not asked for."""

    run = fields.Nested(RunItem, required=True)
    steps = fields.List(fields.Dict(), required=True, allow_none=True)
