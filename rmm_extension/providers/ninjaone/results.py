"""How a script ended, by the activities of its device.

NinjaOne answers a run with nothing that names it (the body is not documented). Its activities tell of jobs:
START_REQUESTED, STARTED, COMPLETED with an ``activityResult``, all of one series. So the run is taken to be
the one series that began behind our request and names the script. Where none does, or several do, nobody can
say which was ours, and nothing is said of its end. COMPLETED alone is no success: failures complete, too.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from rmm_extension.domain.errors import ProviderError
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.contracts import DeviceActivities, JobActivity
from rmm_extension.providers.values import identifier, text

PAUSES = (2.0, 3.0, 5.0, 10.0, 20.0, *([30.0] * 9))
"""Seconds before each look: five minutes in all."""
NONE, SEVERAL = "NinjaOne did not say how it ended within five minutes", "several runs of it began at once"
_BEGUN = frozenset({"START_REQUESTED", "STARTED"})
_OVER = frozenset({"COMPLETED", "CANCELLED", "BLOCKED"})
_ROWS = 200


@dataclass(frozen=True, slots=True)
class Sought:
    """A run to be found: of the script or action with this name, begun behind the activity ``after``."""

    device_id: str
    name: str
    after: int
    action_uid: str | None = None


def newest(client: NinjaOneClient, device_id: str) -> int:
    """The id of the device's newest activity; 0 where it has none."""
    found = _read(client, device_id, {"pageSize": 10})
    numbers = [_number(one) for one in found.activities or ()]
    return max([*numbers, _whole(identifier(found.last_node_activity_id))], default=0)


def ending(rows: Iterable[JobActivity], sought: Sought) -> JobActivity | str | None:
    """The activity that ended the run, :data:`SEVERAL` where it cannot be told, ``None`` where it goes on."""
    mine = [one for one in rows if _number(one) > sought.after and _names(one, sought)]
    begun = {text(one.series_uid) for one in mine if text(one.status_code) in _BEGUN} - {None}
    if len(begun) > 1:
        return SEVERAL
    over = [one for one in mine if text(one.status_code) in _OVER and text(one.series_uid) in begun]
    return max(over, key=_number, default=None)


def follow(client: NinjaOneClient, sought: Sought) -> JobActivity | str:
    """Look until the run is over; a sentence's part where that cannot be said."""
    for pause in PAUSES:
        time.sleep(pause)
        try:
            rows = _since(client, sought)
        except ProviderError as error:
            return f"its activities could not be read: {str(error).rstrip('.')}"
        if (found := ending(rows, sought)) is not None:
            return found
    return NONE


def _since(client: NinjaOneClient, sought: Sought) -> Sequence[JobActivity]:
    found = _read(client, sought.device_id, {"newerThan": sought.after, "pageSize": _ROWS})
    return found.activities or ()


def _read(client: NinjaOneClient, device_id: str, params: dict[str, int]) -> DeviceActivities:
    path = f"/v2/device/{quote(device_id, safe='')}/activities"
    return client.read(path, params=params).decode(DeviceActivities)


def _names(one: JobActivity, sought: Sought) -> bool:
    """Whether the activity is of a job of the script or action. A condition may be called the same."""
    if (text(one.activity_type) or "").startswith("CONDITION"):
        return False
    if sought.action_uid and (text(one.source_config_uid) or "").casefold() == sought.action_uid.casefold():
        return True
    names = {(text(word) or "").casefold() for word in (one.source_name, one.subject)}
    return sought.name.casefold() in names


def _number(one: JobActivity) -> int:
    return _whole(identifier(one.id))


def _whole(value: str | None) -> int:
    return int(value) if value and value.isdecimal() else 0
