"""Maintenance of one device at NinjaOne: ``/v2/device/{id}/maintenance``.

``end`` is epoch milliseconds, and not seconds as everywhere else. Without ``start`` it begins at once, by
NinjaOne's own clock. A new one takes the place of the one before; at its end NinjaOne ends it by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from rmm_extension.domain.errors import NotFound
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.errors import WrongHost

ALERTS = ("ALERTS",)
"""What a window of ours stands for. Patching, scans and tasks go on: they are often what it is there for."""
_LONGEST_REASON = 255


def put(
    client: NinjaOneClient,
    device_id: str,
    *,
    until: datetime,
    reason: str,
    features: Sequence[str] = ALERTS,
) -> None:
    """Put the device into maintenance from now on."""
    body = {
        "disabledFeatures": list(features),
        "end": round(until.timestamp() * 1000),
        "reasonMessage": reason[:_LONGEST_REASON],
    }
    client.write("PUT", _path(device_id), json=body).require_json()


def end(client: NinjaOneClient, device_id: str) -> None:
    """Take the device out; one that is gone, or in none, is out."""
    try:
        client.write("DELETE", _path(device_id))
    except WrongHost:
        raise
    except NotFound:
        return


def _path(device_id: str) -> str:
    return f"/v2/device/{quote(device_id, safe='')}/maintenance"
