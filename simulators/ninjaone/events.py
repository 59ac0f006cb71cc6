"""Writing activities: into the log, and to the webhooks that asked for them."""

from __future__ import annotations

from typing import Any

from simulators.ninjaone.enums import words
from simulators.ninjaone.lab import Lab
from simulators.ninjaone.models import Activity, Device, Job
from simulators.ninjaone.subscriptions import announce

Row = dict[str, Any]


def happen(lab: Lab, activity_type: str, code: str | None, device: Device | None, **more: Any) -> Activity:
    """Write an activity and send it to who asked for such. Keys of `more` with None are left out."""
    row: Row = {
        "activityTime": more.pop("at", None) or lab.now(),
        "activityType": activity_type,
        "type": words(activity_type),
    }
    if device is not None:
        row["deviceId"] = device.id
    if code is not None:
        row |= {"statusCode": code, "status": words(code)}
    row |= {"message": words(code or activity_type), "data": {}}
    row |= {key: value for key, value in more.items() if value is not None}
    entry = lab.journal.write(row, device.organization_id if device else None)
    announce(lab, entry, device)
    return entry


def job_activity(lab: Lab, job: Job, device: Device | None, status: str) -> Activity:
    """One step of a job."""
    return happen(
        lab,
        job.activity_type,
        status,
        device,
        seriesUid=job.uid,
        sourceConfigUid=job.source_config_uid,
        sourceName=job.name,
        subject=job.name,
        userId=job.user_id,
        activityResult=job.result if status == "COMPLETED" else None,
        message=job.message or f"{job.name}: {words(status).lower()}",
        data=job.data,
    )


MESSAGES = {
    "NODE_CREATED": "Device added",
    "NODE_UPDATED": "Device updated",
    "NODE_DELETED": "Device removed",
    "SYSTEM_REBOOTED": "System rebooted",
    "USER_LOGGED_IN": "User logged in",
    "USER_LOGGED_OUT": "User logged out",
}


def device_event(lab: Lab, device: Device, code: str, activity_type: str = "SYSTEM", **more: Any) -> Activity:
    """Something about a device that is no condition and no job: life cycle, patches, software, antivirus."""
    more.setdefault("message", MESSAGES.get(code, words(code)))
    return happen(lab, activity_type, code, device, **more)
