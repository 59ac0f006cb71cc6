"""What expressions see of the things a run is about: the keys of each, what they hold, and their words."""

from __future__ import annotations

from collections.abc import Mapping

Keys = Mapping[str, tuple[str, str]]
"""Key to (words, type); the types are text, number, yes or no, time."""

OBJECTS: Mapping[str, Keys] = {
    "alert": {
        "id": ("Alert ID", "text"),
        "external_id": ("The vendor's alert ID", "text"),
        "provider": ("Vendor's key", "text"),
        "status": ("Status", "text"),
        "severity": ("Severity", "text"),
        "title": ("Title", "text"),
        "message": ("Message", "text"),
        "report": ("The vendor's report", "text"),
        "alert_class": ("Alert class", "text"),
        "source_type": ("Source", "text"),
        "vendor_status": ("The vendor's own status", "text"),
        "device_name": ("Device's name", "text"),
        "external_device_id": ("The vendor's device ID", "text"),
        "ticket_id": ("Ticket ID", "text"),
        "triggered_at": ("Fired", "time"),
        "acknowledged_at": ("Acknowledged", "time"),
        "resolved_at": ("Over", "time"),
    },
    "device": {
        "id": ("Device ID", "text"),
        "external_id": ("The vendor's device ID", "text"),
        "name": ("Name", "text"),
        "kind": ("Workstation or server", "text"),
        "status": ("Status", "text"),
        "serial": ("Serial number", "text"),
        "platform": ("Platform", "text"),
        "os_name": ("Operating system", "text"),
        "last_seen_at": ("Last seen", "time"),
        "current_user": ("Who is signed in", "text"),
        "needs_reboot": ("Needs a reboot", "yes or no"),
        "patches_pending": ("Patches wait", "yes or no"),
        "asset_id": ("Asset ID", "text"),
        "client_id": ("Client ID", "text"),
        "connection_id": ("Connection ID", "text"),
    },
    "ticket": {
        "id": ("Ticket ID", "text"),
        "number": ("Number", "text"),
        "title": ("Title", "text"),
        "status": ("Status", "text"),
        "is_open": ("Open", "yes or no"),
        "client_id": ("Client ID", "text"),
    },
    "asset": {
        "id": ("Asset ID", "text"),
        "name": ("Name", "text"),
        "client_id": ("Client ID", "text"),
    },
    "client": {
        "id": ("Client ID", "text"),
        "name": ("Name", "text"),
    },
    "connection": {
        "id": ("Connection ID", "text"),
        "name": ("Name", "text"),
        "provider": ("Vendor's key", "text"),
        "state": ("State", "text"),
    },
}

RUN: Keys = {
    "id": ("Run ID", "text"),
    "workflow": ("Workflow's name", "text"),
    "started_at": ("Started", "time"),
    "actor_name": ("Whose rights it has", "text"),
}
"""What expressions see of the run itself."""

NAMES = ("trigger", *OBJECTS, "fields", "run", "steps")
"""Everything expressions see."""
