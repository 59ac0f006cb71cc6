"""/v2/jobs: what runs now. A job begins, goes on and ends; each step makes an activity."""

from __future__ import annotations

from typing import Any

from flask import request

from simulators.ninjaone.endpoints import lab, reads, the_device
from simulators.ninjaone.enums import words
from simulators.ninjaone.events import job_activity
from simulators.ninjaone.filters import wanted_devices
from simulators.ninjaone.lab import Lab
from simulators.ninjaone.models import Device, Job

Row = dict[str, Any]


def begin(
    lab: Lab, device: Device, name: str, source_uid: str, *, user_id: int | None, source_type: str
) -> Job:
    """Ask for a job; with `jobs` at instant it is over at once. Nothing runs on a device that is offline."""
    job = Job(
        uid=lab.new_uid(),
        device_id=device.id,
        name=name,
        activity_type="ACTION",
        source_type=source_type,
        created=lab.now(),
        updated=lab.now(),
        source_config_uid=source_uid,
        user_id=user_id,
    )
    lab.jobs[job.uid] = job
    job_activity(lab, job, device, "START_REQUESTED")
    if lab.settings.jobs == "instant" and not device.offline:
        for status in ("STARTED", "COMPLETED"):
            advance(lab, job, status)
    return job


def advance(lab: Lab, job: Job, status: str, *, result: str | None = None, output: str | None = None) -> None:
    """The next step: STARTED, IN_PROCESS, COMPLETED (with its result, failures too) or CANCELLED."""
    job.status, job.updated = status, lab.now()
    if status == "COMPLETED":
        job.result = result or lab.settings.job_result
        text = lab.settings.job_output if output is None else output
        job.data = {"message": {"code": "action_completed", "params": {"name": job.name, "output": text}}}
        job.message = f"{job.name}: {words(job.result).lower()}\n{text}".strip()
    if status in ("COMPLETED", "CANCELLED"):
        lab.jobs.pop(job.uid, None)
    job_activity(lab, job, lab.fleet.devices.get(job.device_id), status)


def job_row(job: Job) -> Row:
    """A running job."""
    row: Row = {
        "uid": job.uid,
        "deviceId": job.device_id,
        "message": job.message or job.name,
        "createTime": job.created,
        "updateTime": job.updated,
        "sourceType": job.source_type,
        "sourceConfigUid": job.source_config_uid,
        "sourceName": job.name,
        "subject": job.name,
        "data": job.data,
        "jobStatus": job.status,
        "jobType": job.activity_type,
    }
    return row | ({"userId": job.user_id} if job.user_id else {})


def running() -> list[Row]:
    """All of them, unpaged."""
    wanted, kind, known = wanted_devices(), request.args.get("jobType"), lab().fleet.devices
    return [
        job_row(one)
        for one in lab().jobs.values()
        if kind in (None, "", one.activity_type) and one.device_id in known and wanted(known[one.device_id])
    ]


def running_on(device_id: int) -> list[Row]:
    """Those of one device."""
    the_device(device_id)
    return [job_row(one) for one in lab().jobs.values() if one.device_id == device_id]


ENDPOINTS = [reads("/jobs", running), reads("/device/<int:device_id>/jobs", running_on)]
