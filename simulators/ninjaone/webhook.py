"""/v2/webhook: the one webhook of the calling API application."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response

from simulators.ninjaone.endpoints import Action, Endpoint, body, grant, is_administrator, lab
from simulators.ninjaone.enums import ACTIVITY_TYPES
from simulators.ninjaone.models import Subscription
from simulators.ninjaone.replies import bad_request, denied, empty

EXPANDABLE = ("device", "organization", "location")


def put() -> Response:
    """Set it, in place of the one before."""
    _may()
    wanted = _read(body())
    _drop()
    lab().subscriptions.append(wanted)
    return empty()


def delete() -> Response:
    """Remove it; none to remove is no error."""
    _may()
    _drop()
    return empty()


def _may() -> None:
    if not is_administrator():
        raise denied("Only system administrators can configure webhooks")
    if lab().settings.other_psa:
        raise denied("Different PSA is already configured")


def _drop() -> None:
    owner = grant().client_id
    lab().subscriptions = [one for one in lab().subscriptions if one.channel or one.owner != owner]


def _read(data: dict[str, Any]) -> Subscription:
    url = data.get("url")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise bad_request("url must be an address")
    headers, expand = data.get("headers") or [], data.get("expand") or []
    if not all(isinstance(one, dict) and {"name", "value"} <= set(one) for one in headers):
        raise bad_request("headers must be objects of name and value")
    return Subscription(
        owner=grant().client_id,
        url=url,
        activities=_activities(data.get("activities")),
        expand=[name for name in expand if name in EXPANDABLE],
        headers=[(str(one["name"]), str(one["value"])) for one in headers],
        organization_ids=[int(one) for one in data.get("organizationIds") or []],
    )


def _activities(given: Any) -> dict[str, list[str]]:
    """A map of types to lists of codes or "*"."""
    if not isinstance(given, dict) or not given:
        raise bad_request("activities must be a map of activity types to status codes")
    for kind, codes in given.items():
        if kind not in ACTIVITY_TYPES:
            raise bad_request(f"Unknown activity type {kind}")
        if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
            raise bad_request(f"{kind} must be a list of status codes")
    return given


ENDPOINTS = [Endpoint("/webhook", {"PUT": Action(put, "management"), "DELETE": Action(delete, "management")})]
