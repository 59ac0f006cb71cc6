"""/v2/device/{id}/maintenance."""

from __future__ import annotations

from flask import Response

from simulators.ninjaone.actions import note
from simulators.ninjaone.endpoints import Action, Endpoint, body, lab, moment, the_device
from simulators.ninjaone.enums import FEATURES
from simulators.ninjaone.models import Maintenance
from simulators.ninjaone.replies import bad_request, empty


def put(device_id: int) -> Response:
    """Set the window in place of the one before. Times are ISO 8601 or epoch milliseconds."""
    device, data = the_device(device_id), body()
    features = data.get("disabledFeatures")
    if not isinstance(features, list) or not features or not set(features) <= set(FEATURES):
        raise bad_request(f"disabledFeatures must be some of {', '.join(FEATURES)}")
    start = moment(data.get("start"), milliseconds=True) or lab().now()
    end = moment(data.get("end"), milliseconds=True)
    if end is not None and end <= max(start, lab().clock.timestamp()):
        raise bad_request("end must be after start and in the future")
    device.maintenance = Maintenance(list(features), start, end, data.get("reasonMessage"))
    note("maintenance", device, features=features, start=start, end=end, reason=data.get("reasonMessage"))
    return empty()


def delete(device_id: int) -> Response:
    """End the window; none to end is no error."""
    device = the_device(device_id)
    device.maintenance = None
    note("maintenance end", device)
    return empty()


ENDPOINTS = [
    Endpoint(
        "/device/<int:device_id>/maintenance",
        {"PUT": Action(put, "management"), "DELETE": Action(delete, "management")},
    )
]
