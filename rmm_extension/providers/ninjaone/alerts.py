"""Alerts of NinjaOne: all that are active, one of them, and its reset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from rmm_extension.domain.errors import NotFound
from rmm_extension.domain.types import AlertEvent, AlertKind, Receipt
from rmm_extension.providers.ninjaone import log
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.events import Nameless, life_cycle, of_activity, of_alert
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.values import identifier

PATH = "/v2/alerts"
MOST_BYTES = 192 * 2**20
SERIES = 200
"""Activities of one alert that are read: its series is short, and the newest come first."""


def active(client: NinjaOneClient) -> Sequence[AlertEvent]:
    """Everything that is active, in the one body that NinjaOne gives it in: complete or an error."""
    return _listed(client.read(PATH, max_body=MOST_BYTES))


def single(client: NinjaOneClient, uid: str) -> AlertEvent | None:
    """The alert as the newest word of its series says; ``None`` where NinjaOne keeps none of it.

    A series that does not end with a reset proves little: the alerts of a deleted device or condition just
    go. So the device's list is asked, too, or that of all where it is of no device.
    """
    newest = _newest(client, uid)
    if newest is None or newest.kind is AlertKind.RESET:
        return newest
    device_id = newest.external_device_id
    listed = active(client) if device_id is None else _of_device(client, device_id)
    if any(event.external_id == uid for event in listed):
        return newest
    return msgspec.structs.replace(newest, kind=AlertKind.RESET, occurred_at=datetime.now(UTC), vanished=True)


def reset(client: NinjaOneClient, uid: str) -> Receipt:
    """Reset the alert; one that is gone counts as reset. The body becomes data of the reset's activity."""
    try:
        reply = client.write("POST", f"/v2/alert/{quote(uid, safe='')}/reset", json={"source": "psa"})
    except NotFound as error:
        gone = "NinjaOne has no such alert any more: it is over there already."
        return Receipt(accepted=True, message=gone, status=error.status)
    reply.require_json()
    return Receipt(accepted=True, message="NinjaOne has reset the alert.", status=reply.status)


def _newest(client: NinjaOneClient, uid: str) -> AlertEvent | None:
    """The newest activity of the alert's series that is a word of its life cycle, as an event."""
    page = log.page(client, SERIES, {"seriesUid": uid})
    # What is not of this alert is not believed, should the filter be passed over.
    mine = [one for one in page.activities if one.get("seriesUid") == uid and life_cycle(one) is not None]
    if not mine:
        return None
    event = of_activity(max(mine, key=_number), page.at)
    return event if isinstance(event, AlertEvent) else None


def _of_device(client: NinjaOneClient, device_id: str) -> Sequence[AlertEvent]:
    """What is active on one device; nothing on one that is deleted."""
    try:
        return _listed(client.read(f"/v2/device/{quote(device_id, safe='')}/alerts"))
    except NotFound:
        return ()


def _listed(reply: Reply) -> Sequence[AlertEvent]:
    """The alerts of a list. One without its id would be missed here, so there is no list then."""
    events = []
    for number, row in enumerate(reply.decode(list[dict[str, Any]])):
        try:
            events.append(of_alert(row, reply.moment))
        except Nameless as problem:
            raise reply.misshapen(f"no {problem.field} - at `$[{number}].{problem.field}`") from None
    return events


def _number(activity: Mapping[str, Any]) -> int:
    found = identifier(activity.get("id"))
    return int(found) if found and found.isdigit() else 0
