"""What NinjaOne tells, as alerts and signals: one table for webhook, list of alerts and activity log.

A webhook's body is an activity with its device beside it, the activity log has the activity alone, and the
list of alerts the alert that a series of activities is about. Of an alert only what all three say is given to
rules: what one of them lacks would let the same alert meet another rule, depending on the way it came.
Fields by NinjaOne's OpenAPI 2.0.9 and its webhook's 2.0.5; none of them is required.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rmm_extension.domain.signals import DeviceSignal, SignalKind, Told
from rmm_extension.domain.types import AgentStatus, AlertEvent, AlertKind, Severity
from rmm_extension.domain.values import storable
from rmm_extension.domain.values import text as plain_text
from rmm_extension.providers.ninjaone.activity_words import SIGNALS, said_of
from rmm_extension.providers.values import Scalar, epoch, identifier, text

CONDITION = "CONDITION"
"""The activity type of alerts, and what each of them has for it, whichever way it came."""

_LIFE_CYCLE = {"TRIGGERED": AlertKind.TRIGGERED, "ACKNOWLEDGED": AlertKind.ACKNOWLEDGED}
_OFF = "DISABLED"
"""A condition that somebody switched off: it is watched no more, and its alerts are over."""
_SEVERITIES = {severity.name: severity for severity in Severity}
_PRIORITIES = {"HIGH": Severity.MAJOR, "MEDIUM": Severity.MODERATE, "LOW": Severity.MINOR}
_USER = ("user", "username", "userName", "user_name", "account")
_THREAT = "THREAT"


class Nameless(Exception):
    """Something that concerns us lacks the id it is known by; ``field`` is its name."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def of_activity(activity: Mapping[str, Any], now: datetime) -> Told | None:
    """What an activity tells, ``None`` where it does not concern us. ``now`` stands for a missing time.

    Raises :class:`Nameless`.
    """
    kind = life_cycle(activity)
    if kind is None:
        return _signal(activity, now)
    uid = identifier(_scalar(activity, "seriesUid"))
    if uid is not None:
        return _alert(activity, kind, uid, epoch(_scalar(activity, "activityTime")) or now)
    if _word(activity, "activityType") == CONDITION:
        raise Nameless("seriesUid")
    return None


def of_alert(row: Mapping[str, Any], now: datetime) -> AlertEvent:
    """The event of a row of the list of active alerts, as of when it began. Raises :class:`Nameless`."""
    uid = identifier(_scalar(row, "uid"))
    if uid is None:
        raise Nameless("uid")
    began = epoch(_scalar(row, "createTime")) or epoch(_scalar(row, "updateTime")) or now
    return _alert(row, AlertKind.TRIGGERED, uid, began)


def life_cycle(activity: Mapping[str, Any]) -> AlertKind | None:
    """What happened to an alert: the word in ``statusCode``, else in ``status``, in any case.

    Every ``RESET…`` is an end, also RESET_BY_PSA_TICKET_CALLBACK. Of activities that are no condition only
    the code counts: their texts may well say that something was "disabled".
    """
    code = _word(activity, "statusCode")
    if code in _LIFE_CYCLE or code.startswith("RESET"):
        return _LIFE_CYCLE.get(code, AlertKind.RESET)
    if _word(activity, "activityType") not in ("", CONDITION):
        return None
    for word in (code, _word(activity, "status")):
        if word == _OFF or word.startswith("RESET"):
            return AlertKind.RESET
        if word in _LIFE_CYCLE:
            return _LIFE_CYCLE[word]
    return None


def _alert(body: Mapping[str, Any], kind: AlertKind, uid: str, at: datetime) -> AlertEvent:
    """The one table of identity, condition, class and severity."""
    code = text(_message_code(body))
    return AlertEvent(
        kind=kind,
        external_id=uid,
        occurred_at=at,
        severity=_severity(body),
        external_device_id=_device_id(body),
        external_organization_id=_organization_id(body),
        device_name=_device_name(body),
        condition=_condition(body),
        alert_class=text(_scalar(body, "sourceName")) or code,
        activity_type=CONDITION,
        source_type=code,
        message=plain_text(_scalar(body, "message")),
        raw=storable(dict(body)),
    )


def _condition(body: Mapping[str, Any]) -> str:
    """The code that is no word of the life cycle, else what the alert's condition is in its policy."""
    code = _word(body, "statusCode")
    if code and code not in _LIFE_CYCLE and code != _OFF and not code.startswith("RESET"):
        return code
    source = text(_scalar(body, "sourceConfigUid")) or text(_scalar(body, "sourceName"))
    return source or _word(body, "activityType") or CONDITION


def _severity(body: Mapping[str, Any]) -> Severity:
    # NONE is a word of the scale, not the absence of one.
    named = _SEVERITIES.get(str(_scalar(body, "severity") or "").strip().upper())
    return named or _PRIORITIES.get(_word(body, "priority"), Severity.NONE)


def _signal(activity: Mapping[str, Any], now: datetime) -> DeviceSignal | None:
    code = _word(activity, "statusCode")
    kind = SIGNALS[code][0] if code in SIGNALS else None
    if kind is None and _word(activity, "activityType") == "ANTIVIRUS" and _THREAT in code:
        kind = SignalKind.CHANGED
    device_id = _device_id(activity)
    if kind is None or device_id is None:
        return None
    activity_id = identifier(_scalar(activity, "id"))
    if activity_id is None:
        raise Nameless("id")
    at = epoch(_scalar(activity, "activityTime")) or now
    user = _user(activity, code)
    return DeviceSignal(
        kind=kind,
        external_id=activity_id,
        occurred_at=at,
        external_device_id=device_id,
        words=said_of(code, user or text(_scalar(activity, "subject"))),
        external_organization_id=_organization_id(activity),
        device_name=_device_name(activity),
        status=AgentStatus.ONLINE if kind is SignalKind.SEEN else None,
        boot_at=at if code == "SYSTEM_REBOOTED" else None,
        current_user="" if code == "USER_LOGGED_OUT" else user,
        scanned_at=at if code.endswith("_SCAN_COMPLETED") and kind is SignalKind.PATCHES else None,
    )


def _user(activity: Mapping[str, Any], code: str) -> str | None:
    """Who signed in or out, where it is said; no capture of these activities is known."""
    if not code.startswith("USER_LOGGED_"):
        return None
    params = _part(_part(_part(activity, "data"), "message"), "params")
    told = next((found for key in _USER if (found := text(_scalar(params, key)))), None)
    return told or text(_scalar(activity, "subject"))


def _device_id(body: Mapping[str, Any]) -> str | None:
    return identifier(_scalar(body, "deviceId")) or identifier(_scalar(_part(body, "device"), "id"))


def _device_name(body: Mapping[str, Any]) -> str | None:
    device = _part(body, "device")
    names = (text(_scalar(device, key)) for key in ("displayName", "systemName", "dnsName", "netbiosName"))
    return next(filter(None, names), None)


def _organization_id(body: Mapping[str, Any]) -> str | None:
    """The device's organization; only a webhook says it, and not every one does."""
    device = _part(body, "device")
    return (
        identifier(_scalar(device, "organizationId"))
        or identifier(_scalar(_part(_part(device, "references"), "organization"), "id"))
        or identifier(_scalar(body, "organizationId"))
    )


def _message_code(body: Mapping[str, Any]) -> Scalar:
    """What kind of condition it is, such as ``agent_cond_eventlog2``."""
    return _scalar(_part(_part(body, "data"), "message"), "code")


def _word(body: Mapping[str, Any], key: str) -> str:
    return (text(_scalar(body, key)) or "").upper()


def _scalar(body: Mapping[str, Any], key: str) -> Scalar:
    found = body.get(key)
    return found if isinstance(found, (str, int, float)) else None


def _part(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = body.get(key)
    return found if isinstance(found, dict) else {}
