"""Lists of the simulated Level: pages, filters, blocks that are told when asked for, nested groups."""

from __future__ import annotations

from urllib.parse import quote

import pytest

BLOCKS = {
    "include_operating_system": {"operating_system"},
    "include_cpus": {"cpus"},
    "include_memory": {"memory"},
    "include_disks": {"disks", "disk_partitions"},
    "include_disk_partitions": {"disk_partitions"},
    "include_network_interfaces": {"network_interfaces"},
    "include_security": {"security"},
    "include_motherboard": {"motherboard"},
}


def _ids(reply):
    assert reply.status_code == 200, reply.text
    return [row["id"] for row in reply.json()["data"]]


def _walk(level, path, limit=100):
    """All rows, page by page."""
    rows, cursor = [], ""
    while True:
        reply = level.get(f"{path}{'&' if '?' in path else '?'}limit={limit}{cursor}").json()
        rows += reply["data"]
        if not reply["has_more"]:
            return rows
        cursor = f"&starting_after={quote(rows[-1]['id'], safe='')}"


def test_a_page_has_twenty_rows_unless_asked_otherwise(shared):
    reply = shared.get("/v2/devices").json()
    assert (len(reply["data"]), reply["has_more"]) == (20, True)
    assert len(shared.get("/v2/devices?limit=1").json()["data"]) == 1
    assert len(shared.get("/v2/devices?limit=100").json()["data"]) == 100


@pytest.mark.parametrize("limit", [1, 7, 100])
@pytest.mark.parametrize("path", ["/v2/devices", "/v2/groups", "/v2/updates?status=available"])
def test_pages_tell_every_row_once(shared, path, limit):
    if limit == 1 and "updates" in path:
        limit = 50
    ids = [row["id"] for row in _walk(shared, path, limit)]
    assert ids == [row["id"] for row in _walk(shared, path)]
    assert len(set(ids)) == len(ids)


def test_the_last_full_page_has_no_more(shared):
    count = len(shared.lab.fleet.groups)
    assert shared.get(f"/v2/groups?limit={count}").json()["has_more"] is False
    assert shared.get(f"/v2/groups?limit={count - 1}").json()["has_more"] is True


def test_pages_lead_back_too(shared):
    ids = list(shared.lab.fleet.devices)
    back = shared.get(f"/v2/devices?limit=5&ending_before={quote(ids[8])}")
    assert _ids(back) == ids[3:8]
    assert back.json()["has_more"] is True
    first = shared.get(f"/v2/devices?limit=5&ending_before={quote(ids[3])}")
    assert _ids(first) == ids[:3]
    assert first.json()["has_more"] is False


@pytest.mark.parametrize(
    "query, status",
    [
        ("limit=0", 422),
        ("limit=101", 422),
        ("limit=many", 400),
        ("starting_after=nonsense", 422),
        ("starting_after=Z2lkOi8vbGV2ZWwvR3JvdXAvMTAx", 422),
        (
            "starting_after=Z2lkOi8vbGV2ZWwvRGV2aWNlLzEwMQ==&ending_before=Z2lkOi8vbGV2ZWwvRGV2aWNlLzEwMg==",
            400,
        ),
        ("include_cpus=yes", 422),
        ("group_id=unknown", 404),
        ("ancestor_group_id=unknown", 404),
    ],
)
def test_what_makes_no_sense_is_refused(shared, query, status):
    reply = shared.get(f"/v2/devices?{query}")
    assert reply.status_code == status
    assert list(reply.json()) == ["error"]


def test_the_page_after_a_row_that_is_gone(level):
    ids = list(level.lab.fleet.devices)
    level.control(f"devices/{quote(ids[4])}/delete")
    cursor = f"/v2/devices?limit=2&starting_after={quote(ids[4])}"
    assert _ids(level.get(cursor)) == ids[5:7]
    level.control("settings", gone_cursor="refused")
    assert level.get(cursor).status_code == 404


@pytest.mark.parametrize("path", ["devices", "devices/{id}"])
def test_blocks_are_told_when_asked_for(shared, path):
    device = shared.lab.device(omitted=frozenset())

    def told(query):
        reply = shared.get(f"/v2/{path.format(id=quote(device.id))}?{query}").json()
        return next(row for row in reply["data"] if row["id"] == device.id) if "data" in reply else reply

    bare = told("limit=100")
    assert not set().union(*BLOCKS.values()) & set(bare)
    for flag, blocks in BLOCKS.items():
        assert set(told(f"limit=100&{flag}=true")) - set(bare) == blocks
        assert set(told(f"limit=100&{flag}=false")) == set(bare)


def test_devices_are_found_by_group_name_and_serial(shared):
    inner = next(one for one in shared.lab.fleet.groups.values() if one.parent_id)
    top = shared.lab.fleet.groups[inner.parent_id]
    while top.parent_id:
        top = shared.lab.fleet.groups[top.parent_id]
    below = shared.lab.fleet.subtree(top.id)
    homes = {one.id: one.group_id for one in shared.lab.devices()}

    def found(query):
        return {row["id"] for row in _walk(shared, f"/v2/devices?{query}")}

    assert found(f"group_id={quote(top.id)}") == {key for key, home in homes.items() if home == top.id}
    assert found(f"ancestor_group_id={quote(top.id)}") == {k for k, home in homes.items() if home in below}
    assert found("group_id=null") == {key for key, home in homes.items() if home is None} != set()
    device = shared.lab.device(omitted=frozenset())
    assert device.id in found(f"serial_number={quote(device.hardware.serial)}")
    assert found(f"hostname={quote(device.hostname)}") == {device.id}
    assert found("hostname=nobody") == set()
    tagged = next(one for one in shared.lab.devices() if one.tags and "tags" not in one.omitted)
    assert tagged.id in found(f"tag_id={quote(tagged.tags[0])}")
    assert found("tag_id=unknown") == set()


def test_groups_are_nested_three_deep_and_have_equal_names(shared):
    rows = {row["id"]: row for row in _walk(shared, "/v2/groups")}
    inner = [row for row in rows.values() if row["parent_id"] and rows[row["parent_id"]]["parent_id"]]
    branches = {row["parent_id"] for row in inner if row["name"] == "Servers"}
    assert len(branches) > 1
    for row in rows.values():
        assert row["child_ids"] == [one["id"] for one in rows.values() if one["parent_id"] == row["id"]]
    counts = {row["id"]: row["device_count"] for row in rows.values()}
    top = rows[rows[inner[0]["parent_id"]]["parent_id"]]
    below = shared.lab.fleet.subtree(top["id"]) - {top["id"]}
    assert top["descendent_device_count"] == sum(counts[one] for one in below)


def test_groups_below_one_and_no_word_for_those_on_top(shared):
    top = shared.lab.fleet.children(None)[0]
    assert _ids(shared.get(f"/v2/groups?parent_id={quote(top.id)}")) == [
        one.id for one in shared.lab.fleet.children(top.id)
    ]
    assert shared.get("/v2/groups?parent_id=null").status_code == 404


@pytest.mark.parametrize("kind", ["devices", "groups", "alerts", "updates", "automation-runs"])
def test_one_that_does_not_exist(shared, kind):
    assert shared.get(f"/v2/{kind}/nothing").status_code == 404


def test_updates_wait_or_are_installed(shared):
    device = shared.lab.device(platform="Windows")
    rows = _walk(shared, f"/v2/updates?device_id={quote(device.id)}")
    assert {row["device_hostname"] for row in rows} == {device.hostname}
    for status, waiting in (("available", True), ("installed", False)):
        chosen = _walk(shared, f"/v2/updates?device_id={quote(device.id)}&status={status}")
        assert chosen == [row for row in rows if row["is_available"] is waiting]
    assert all((row["installed_on"] is None) is row["is_available"] for row in rows)
    assert shared.get(f"/v2/updates/{quote(rows[0]['id'], safe='')}").json() == rows[0]
    assert shared.get("/v2/updates?status=broken").status_code == 422


def test_one_machine_is_the_one_of_the_list(shared):
    row = shared.get("/v2/devices?limit=1").json()["data"][0]
    assert row["id"].isascii()
    assert not row["id"].isalnum(), "an id that an address has to encode"
    assert shared.get(f"/v2/devices/{quote(row['id'], safe='')}").json() == row
