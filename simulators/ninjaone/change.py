"""PATCH /v2/device/{id}: what a technician may change about a device."""

from __future__ import annotations

from flask import Response

from simulators.ninjaone.actions import note
from simulators.ninjaone.endpoints import body, grant, lab, the_device
from simulators.ninjaone.events import device_event
from simulators.ninjaone.replies import empty


def change(device_id: int) -> Response:
    """Change its name, policy, organization or custom attributes."""
    device, data = the_device(device_id), body()
    names = {"displayName": "display_name", "policyId": "policy_id", "nodeRoleId": "role_id"}
    names |= {"organizationId": "organization_id", "locationId": "location_id", "userData": "user_data"}
    for key, name in names.items():
        if key in data:
            setattr(device, name, data[key])
    note("change", device, fields=sorted(data))
    device_event(lab(), device, "NODE_UPDATED", userId=grant().user_id)
    return empty()
