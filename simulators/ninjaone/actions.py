"""Scripts, reboots and links to a device. What was asked for is kept for the control API."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request

from simulators.ninjaone import jobs, library
from simulators.ninjaone.endpoints import Action, Endpoint, body, grant, lab, reads, the_device
from simulators.ninjaone.enums import AGENTS
from simulators.ninjaone.events import device_event
from simulators.ninjaone.models import Device, Script
from simulators.ninjaone.replies import bad_request, missing, refusal

Row = dict[str, Any]
LINK_SECONDS = 300
REBOOTABLE = (*AGENTS, "VMWARE_VM_GUEST", "HYPERV_VMM_GUEST")


def note(action: str, device: Device, **details: Any) -> None:
    """Keep what was asked for."""
    entry = {"at": lab().clock.now().isoformat(), "action": action, "device_id": device.id, **details}
    lab().actions.append({**entry, "client_id": grant().client_id, "user_id": grant().user_id})


def run_script(device_id: int) -> Response:
    """Ask for a script (by id) or a built-in action (by uid); the answer is empty."""
    device, data = the_device(device_id), body()
    script = _script(data)
    if device.node_class not in AGENTS:
        raise bad_request("Scripts are not supported for this device")
    details = {"parameters": data.get("parameters"), "run_as": data.get("runAs")}
    note("script", device, script=script.id or script.uid, name=script.name, **details)
    source = script.uid or f"00000000-0000-4000-8000-{script.id:012d}"
    jobs.begin(lab(), device, script.name, source, user_id=grant().user_id, source_type="SCHEDULED_TASK")
    return Response(status=200)


def _script(data: Row) -> Script:
    kind, key = data.get("type"), "id" if data.get("type") == "SCRIPT" else "uid"
    if kind not in ("SCRIPT", "ACTION") or data.get(key) is None:
        raise bad_request("type must be SCRIPT with an id or ACTION with a uid")
    for one in lab().scripts:
        if one.type == kind and getattr(one, key) == data[key] and one.active:
            return one
    raise missing("Script")


def scripting_options(device_id: int) -> Row:
    """What can run on this device, and as whom."""
    device = the_device(device_id)
    return {
        "categories": library.CATEGORIES,
        "scripts": [_option(one) for one in lab().scripts if one.active and _runs_on(one, device)],
        "credentials": {"roles": library.CREDENTIAL_ROLES, "credentials": library.CREDENTIALS},
    }


def _runs_on(script: Script, device: Device) -> bool:
    system = (
        {"W": "Windows", "L": "Linux", "M": "Mac"}[device.node_class[0]]
        if device.node_class in AGENTS
        else ""
    )
    return system in script.systems


def _option(script: Script) -> Row:
    key: Row = {"id": script.id} if script.id is not None else {"uid": script.uid}
    return {
        "type": script.type,
        **key,
        "name": script.name,
        "language": script.language,
        "description": script.description,
        "architecture": ["32", "64"],
        "categoryId": script.category_id,
    }


def scripts() -> list[Row]:
    """The library, also what is switched off."""
    return [_automation(one) for one in lab().scripts if one.type == "SCRIPT"]


def _automation(script: Script) -> Row:
    return {
        "id": script.id,
        "name": script.name,
        "description": script.description,
        "active": script.active,
        "language": script.language,
        "architecture": ["32", "64"],
        "operatingSystems": list(script.systems),
        "scriptParameters": list(script.parameters),
        "scriptVariables": list(script.variables),
        "createdBy": "Ada Admin",
        "lastUpdatedBy": "Ada Admin",
        "createdOn": 1700000000.0,
        "updatedOn": 1720000000.0,
    }


def reboot(device_id: int, mode: str) -> Response:
    """Reboot it: NORMAL or FORCED, with a reason or none."""
    device, reason = the_device(device_id), body().get("reason")
    if mode not in ("NORMAL", "FORCED"):
        raise bad_request("mode must be NORMAL or FORCED")
    if device.node_class not in REBOOTABLE:
        raise bad_request("Reboot is not supported for this device")
    note("reboot", device, mode=mode, reason=reason)
    uid = "5a5f5c5e-0003-4000-8000-000000000003"
    user_id = grant().user_id
    job = jobs.begin(lab(), device, "Reboot", uid, user_id=user_id, source_type="UI_MESSAGE_ACTION_REBOOT")
    if job.status == "COMPLETED" and job.result == "SUCCESS":
        _rebooted(device)
    return Response(status=200)


def _rebooted(device: Device) -> None:
    if device.system is not None:
        device.system.boot_time, device.system.needs_reboot = lab().now(), False
    device_event(lab(), device, "SYSTEM_REBOOTED")


def dashboard_url(device_id: int) -> Any:
    """A link for a short time; a device that is offline has none."""
    device = the_device(device_id)
    note("dashboard-url", device)
    if device.offline:
        raise refusal(409, "DEVICE_OFFLINE", "Device is offline")
    url = f"{request.host_url}#/deviceDashboard/{device.id}/overview"
    if request.args.get("redirect", "").lower() == "true":
        return redirect(url, 302)
    return {"url": url, "expires": round(lab().clock.timestamp() + LINK_SECONDS, 3)}


BASE = "/device/<int:device_id>"
ENDPOINTS = [
    Endpoint(f"{BASE}/script/run", {"POST": Action(run_script, "management")}),
    Endpoint(f"{BASE}/scripting/options", {"GET": Action(scripting_options, "management")}),
    reads("/automation/scripts", scripts),
    Endpoint(f"{BASE}/reboot/<mode>", {"POST": Action(reboot, "management")}),
    Endpoint(f"{BASE}/dashboard-url", {"GET": Action(dashboard_url, "control")}),
]
