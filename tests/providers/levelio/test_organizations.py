"""Groups as organizations: parents, paths, and what is in no group."""

from __future__ import annotations

from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.errors import BadResponse
from rmm_extension.domain.types import Organization
from rmm_extension.providers.levelio.organizations import path
from tests.providers.levelio.accounts import connection, level, lists, queries, says

GROUPS, DEVICES = "/v2/groups", "/v2/devices"
ACME = {"id": "g1", "name": " Acme  ", "parent_id": None, "child_ids": ["g2"], "device_count": 0}
BRANCH = {"id": "g2", "name": "Branch office", "parent_id": "g1"}


def found() -> list[Organization]:
    return list(level().organizations(connection()))


@responses.activate
def test_groups_come_with_their_parents_and_paths() -> None:
    lists(GROUPS, [BRANCH], [ACME])
    lists(DEVICES)
    branch, acme = found()
    assert (acme.external_id, acme.name, acme.parent_id) == ("g1", "Acme", None)
    assert acme.metadata == {"kind": "group", "path": "Acme"}
    assert (branch.external_id, branch.name, branch.parent_id) == ("g2", "Branch office", "g1")
    assert branch.metadata["path"] == "Acme / Branch office"


@responses.activate
def test_devices_in_no_group_make_an_organization_of_their_own() -> None:
    lists(GROUPS, [ACME])
    lists(DEVICES, [{"id": "d1", "hostname": "A", "group_id": None}])
    last = found()[-1]
    assert (last.external_id, last.name, last.parent_id) == ("null", "Ungrouped devices", None)
    assert queries(DEVICES) == [{"group_id": "null", "limit": "1"}]


@responses.activate
@pytest.mark.parametrize("rows", [[], [{"id": "d1", "group_id": "g1"}], [5]])
def test_without_such_devices_there_is_none(rows: list[Any]) -> None:
    lists(GROUPS, [ACME])
    lists(DEVICES, rows)
    assert [one.external_id for one in found()] == ["g1"]


@responses.activate
@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_an_account_that_does_not_say_has_none(status: int) -> None:
    lists(GROUPS, [ACME])
    says(DEVICES, {"error": "no"}, status)
    assert [one.external_id for one in found()] == ["g1"]


@responses.activate
@pytest.mark.parametrize("row", [{"name": "no id"}, {"id": None, "name": "x"}, "text"])
def test_a_list_that_lacks_one_is_none(row: Any) -> None:
    lists(GROUPS, [ACME, row])
    with pytest.raises(BadResponse, match="not complete"):
        found()


@responses.activate
def test_odd_groups_are_groups() -> None:
    own = {"id": "g3", "name": None, "parent_id": "g3"}
    circle = [{"id": "a", "name": "A", "parent_id": "b"}, {"id": "b", "name": "B", "parent_id": "a"}]
    orphan = {"id": 7, "name": "Orphan", "parent_id": "gone"}
    lists(GROUPS, [own, *circle, orphan])
    lists(DEVICES)
    told = {one.external_id: (one.parent_id, one.metadata["path"]) for one in found()}
    assert told == {
        "g3": (None, "Group g3"),
        "a": ("b", "B / A"),
        "b": ("a", "A / B"),
        "7": ("gone", "Orphan"),
    }


KEYS = st.sampled_from("abcdef")


@given(KEYS, st.dictionaries(KEYS, KEYS))
def test_a_path_ends_however_groups_lie(key: str, parents: dict[str, str]) -> None:
    names = {one: one.upper() for one in "abcd"}
    steps = path(key, names, parents).split(" / ")
    assert len(steps) == len(set(steps))
    assert steps[-1] == (key.upper() if key in names else "")
