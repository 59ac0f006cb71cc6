"""/v2/activities: the log, newest first."""

from __future__ import annotations

from typing import Any

from flask import request

from simulators.ninjaone.endpoints import lab, moment, number, page_size, reads, the_device
from simulators.ninjaone.filters import wanted_devices
from simulators.ninjaone.models import Activity
from simulators.ninjaone.replies import bad_request

Row = dict[str, Any]
CLASSES = ("SYSTEM", "DEVICE", "USER", "ALL")


def activities() -> Row:
    """`lastActivityId` is the newest of the tenant and no cursor; `sourceConfigUid` is not looked at."""
    wanted = wanted_devices() if request.args.get("df") else None
    kind, known = _class(), lab().fleet.devices

    def fits(entry: Activity) -> bool:
        device = known.get(entry.row.get("deviceId", 0))
        return _of_class(entry, kind) and (wanted is None or (device is not None and wanted(device)))

    return {"lastActivityId": lab().journal.last_id, "activities": _rows(fits, "type")}


def activities_of(device_id: int) -> Row:
    """Those of one device."""
    the_device(device_id)
    own = [one.id for one in lab().journal.entries if one.row.get("deviceId") == device_id]
    rows = _rows(lambda entry: entry.row.get("deviceId") == device_id, "activityType")
    return {
        "lastActivityId": lab().journal.last_id,
        "activities": rows,
        "lastNodeActivityId": own[-1] if own else 0,
    }


def _rows(fits: Any, type_parameter: str) -> list[Row]:
    query, size = request.args, page_size(200, 1000)
    before, after = moment(query.get("before")), moment(query.get("after"))
    exact = {
        "activityType": type_parameter,
        "statusCode": "status",
        "seriesUid": "seriesUid",
        "userId": "user",
    }
    rows: list[Row] = []
    for entry in lab().journal.newest_first(number("newerThan"), number("olderThan")):
        at = entry.row["activityTime"]
        if (before is not None and at >= before) or (after is not None and at <= after):
            continue
        if fits(entry) and all(_chosen(entry, key, query.get(name)) for key, name in exact.items()):
            rows.append(entry.row)
            if len(rows) == size:
                break
    return rows


def _chosen(entry: Activity, key: str, wanted: str | None) -> bool:
    return not wanted or str(entry.row.get(key)) in wanted.split(",")


def _class() -> str:
    kind = request.args.get("class") or "ALL"
    if kind not in CLASSES:
        raise bad_request(f"class is one of {', '.join(CLASSES)}")
    return kind


def _of_class(entry: Activity, kind: str) -> bool:
    keys = {"DEVICE": "deviceId" in entry.row, "USER": "userId" in entry.row}
    return keys.get(kind, kind == "ALL" or "deviceId" not in entry.row)


ENDPOINTS = [
    reads("/activities", activities),
    reads("/device/<int:device_id>/activities", activities_of),
]
