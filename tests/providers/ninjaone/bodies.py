"""Bodies as NinjaOne sends them: one alert in each of its channels, and activities of a device."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

UID = "e6b0b0bd-5753-445d-9e4a-71c08983cbd5"
CONFIG = "205b85b2-8a12-4123-834f-164be08b3314"
MESSAGE = "Memory Utilization is greater than or equal to 80% for 5 minutes"
CODE = "vmm_cond_memory_usage_ge"
AT = 1742391675.556
WHEN = datetime.fromtimestamp(AT, UTC)
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ORGANIZATION = 2

_DATA = {"message": {"code": CODE, "params": {"duration": 5, "target": "_average_", "threshold": 80}}}
_DEVICE = {
    "id": 7,
    "organizationId": ORGANIZATION,
    "locationId": 2,
    "nodeClass": "VMWARE_VM_HOST",
    "approvalStatus": "APPROVED",
    "offline": False,
    "displayName": "192.168.50.43",
    "systemName": "esxi03.example.local",
    "references": {
        "organization": {"name": "Example Org", "nodeApprovalMode": "AUTOMATIC", "id": ORGANIZATION},
        "location": {"name": "Main Office", "id": 2},
    },
}


def activity(**changes: Any) -> dict[str, Any]:
    """A row of the activity log: the trigger of :data:`UID`. ``None`` leaves a key out."""
    body = {
        "id": 177210,
        "activityTime": AT,
        "deviceId": 7,
        "seriesUid": UID,
        "activityType": "CONDITION",
        "statusCode": "TRIGGERED",
        "status": "Triggered",
        "sourceConfigUid": CONFIG,
        "sourceName": "_average_",
        "subject": "",
        "message": MESSAGE,
        "type": "Condition",
        "data": _DATA,
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}


def delivery(**changes: Any) -> dict[str, Any]:
    """The webhook's body of the same: with the device."""
    return activity(**{"device": _DEVICE, **changes})


def alert(**changes: Any) -> dict[str, Any]:
    """The row of the same alert in the list of active ones."""
    body = {
        "uid": UID,
        "deviceId": 7,
        "message": MESSAGE,
        "createTime": AT,
        "updateTime": AT,
        "sourceType": "CONDITION_VM_AGGREGATE_CPU_USAGE",
        "sourceConfigUid": CONFIG,
        "sourceName": "_average_",
        "subject": "",
        "data": _DATA,
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}


def told(code: str, **changes: Any) -> dict[str, Any]:
    """A delivery about a device that is no alert."""
    none = dict.fromkeys(("seriesUid", "sourceConfigUid", "sourceName", "subject", "data"))
    words = {"id": 177300, "activityType": "SYSTEM", "status": "Something", "message": "Something happened"}
    return delivery(statusCode=code, **{**none, **words, **changes})
