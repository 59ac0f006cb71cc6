"""What the actions of NinjaOne give."""

from __future__ import annotations

from marshmallow import fields

from rmm_extension.domain.contracts.strict import Flag, Strict


def _text(*, may_be_null: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=may_be_null)


class DeviceItem(Strict):
    """One device; ``source`` is ``local`` for what was last synced, else the vendor's key."""

    external_device_id = _text()
    asset_id = _text(may_be_null=True)
    organization_id = _text(may_be_null=True)
    hostname = _text(may_be_null=True)
    display_name = _text()
    dns_name = _text(may_be_null=True)
    agent_online = fields.Boolean(required=True, allow_none=True)
    last_seen_at = _text(may_be_null=True)
    os_name = _text(may_be_null=True)
    node_class = _text(may_be_null=True)
    source = _text()


class Devices(Strict):
    """The devices found."""

    devices = fields.List(fields.Nested(DeviceItem), required=True)
    count = fields.Integer(required=True)


class Synced(Strict):
    """Whether the device is here now."""

    synced = Flag(required=True)
    external_device_id = _text()
    asset_id = _text(may_be_null=True)


class Rebooted(Strict):
    """Whether NinjaOne took the reboot on."""

    reboot_requested = Flag(required=True)
    external_device_id = _text()


class Option(Strict):
    """A script, by its id, or a built-in action, by its uid."""

    type = _text()
    id = _text(may_be_null=True)
    uid = _text(may_be_null=True)
    name = _text()
    language = _text(may_be_null=True)


class Options(Strict):
    """What can be run on the device and as whom; ``output`` is the same for people."""

    scripts = fields.List(fields.Nested(Option), required=True)
    run_as = fields.List(fields.String(), required=True)
    count = fields.Integer(required=True)
    output = _text()


class Ran(Strict):
    """What came of a script; ``result`` and ``output`` are null where nobody waited or nobody told."""

    run_requested = Flag(required=True)
    external_device_id = _text()
    result = _text(may_be_null=True)
    output = _text(may_be_null=True)
    output_is_cut = Flag(required=True)
    vendor_response = _text(may_be_null=True)


class Maintained(Strict):
    """Until when the device is in maintenance; null when it was taken out."""

    external_device_id = _text()
    until = _text(may_be_null=True)


class AlertItem(Strict):
    """One alert; ``alert_id`` is ours, null where it is not known here."""

    alert_id = _text(may_be_null=True)
    external_alert_id = _text()
    status = _text()
    severity = _text()
    priority = _text(may_be_null=True)
    title = _text(may_be_null=True)
    message = _text(may_be_null=True)
    device_id = _text(may_be_null=True)
    asset_id = _text(may_be_null=True)
    source_type = _text(may_be_null=True)
    created_at = _text()
    updated_at = _text()
    acknowledged = Flag(required=True)


class Alerts(Strict):
    """The alerts found."""

    alerts = fields.List(fields.Nested(AlertItem), required=True)
    count = fields.Integer(required=True)


class GotAlert(Strict):
    """The alert as it stands here."""

    alert = fields.Nested(AlertItem, required=True)


class WasReset(Strict):
    """Whether NinjaOne reset it; ``alert_id`` is ours, null where it is not known here."""

    acknowledged = Flag(required=True)
    alert_id = _text(may_be_null=True)
