"""Where a person came from, told in a form without an address: nothing in it can lead out of this app."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import url_for

from rmm_extension.domain.values import read_uuid

from .presentation import host_url

_LONGEST = 2000
_LISTS = {
    "list": "rmm.alert_list",
    "devices": "rmm.device_list",
    "software": "rmm.software_devices",
    "patches": "rmm.patch_devices",
    "attention": "rmm.attention",
}
_PAGES = {
    "alert": ("rmm.alert_page", "alert_id"),
    "device": ("rmm.device_page", "device_id"),
}
_OF_HOST = ("ticket", "asset")


def back_url(came_from: str) -> str:
    """The address of ``list:<query>``, ``devices:<query>``, ``software:<query>``, ``patches:<query>``,
    ``attention:``, ``product:<id>`` or a place of :func:`place_url`; the list of alerts for anything else."""
    kind, _, value = came_from[:_LONGEST].partition(":")
    if kind in _LISTS:
        query = urlencode([pair for pair in parse_qsl(value) if pair[0] not in ("ids", "csrf_token")])
        return url_for(_LISTS[kind]) + (f"?{query}" if query else "")
    if kind == "product" and (id_ := read_uuid(value)):
        return url_for("rmm.software_page", software_id=id_)
    return place_url(came_from) or url_for("rmm.alert_list")


def place_url(came_from: str) -> str | None:
    """The address of ``alert:<id>``, ``device:<id>``, ``ticket:<id>`` or ``asset:<id>``, where people act and
    see what comes of it; ``None`` for anything else, and where the host has no such page."""
    kind, _, value = came_from[:_LONGEST].partition(":")
    if kind in _OF_HOST:
        return host_url(kind, value)
    id_ = read_uuid(value)
    if kind not in _PAGES or id_ is None:
        return None
    endpoint, name = _PAGES[kind]
    values: dict[str, Any] = {name: id_}
    return url_for(endpoint, **values)
