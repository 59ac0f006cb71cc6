"""What changed at Huntress since a moment: how far its lists are read, and what cannot be read in them."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.errors import BadResponse, PermissionMissing, Unavailable
from rmm_extension.domain.types import AlertChanges, AlertKind
from rmm_extension.providers import http
from rmm_extension.providers.huntress import changes
from tests.providers.huntress.accounts import (
    BASE,
    CHANGED,
    SINCE,
    connection,
    escalation,
    huntress,
    in_rest,
    lists,
    queries,
    says,
)
from tests.providers.huntress.test_webhooks import _JSON

INCIDENTS, ESCALATIONS = "/v1/incident_reports", "/v1/escalations"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


def row(number: int, minutes: float = 0, **changed: Any) -> dict[str, Any]:
    """An incident that changed so long after the moment that is asked for."""
    at = SINCE + timedelta(minutes=minutes)
    return in_rest(id=number, updated_at=at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), **changed)


def changed() -> AlertChanges:
    return huntress().alert_changes(connection(), SINCE)


def ids(found: AlertChanges) -> list[str]:
    return [event.external_id for event in found.events]


@responses.activate
def test_incidents_and_escalations_the_oldest_change_first() -> None:
    lists(INCIDENTS, [row(3, 30), row(2, 20), row(1, 10)])
    lists(ESCALATIONS, [escalation(updated_at="2026-10-09T01:15:00Z")])
    found = changed()
    assert ids(found) == ["1", "escalation:84938", "2", "3"]
    assert (found.unread, found.is_whole) == ((), True)


@responses.activate
def test_the_newest_five_hundred_are_asked_for() -> None:
    lists(INCIDENTS, [])
    lists(ESCALATIONS, [])
    assert changed() == AlertChanges(events=())
    wanted = {"limit": "500", "sort_field": "updated_at", "sort_direction": "desc"}
    assert queries() == [wanted, wanted]


@responses.activate
def test_what_changed_at_that_very_moment_counts_and_what_is_older_ends_the_list() -> None:
    lists(INCIDENTS, [row(3, 5), row(2, 0), row(1, -0.001)], token="next")
    lists(ESCALATIONS, [])
    found = changed()
    assert ids(found) == ["2", "3"]
    assert found.is_whole
    assert len(responses.calls) == 2


@responses.activate
def test_the_list_goes_on_by_its_token_to_the_page_without_one() -> None:
    lists(INCIDENTS, [row(3, 30)], token="a+b/c=")
    lists(INCIDENTS, [row(2, 20)])
    lists(ESCALATIONS, [])
    assert ids(changed()) == ["2", "3"]
    assert [one.get("page_token") for one in queries()] == [None, "a+b/c=", None]


@responses.activate
def test_twenty_pages_are_read_at_most_and_then_it_is_not_whole() -> None:
    for number in range(changes.MOST_PAGES):
        lists(INCIDENTS, [row(number, 60 - number)], token=f"after-{number}")
    lists(ESCALATIONS, [])
    found = changed()
    assert len(found.events) == changes.MOST_PAGES == 20
    assert not found.is_whole


@responses.activate
def test_twenty_pages_that_end_in_time_are_whole() -> None:
    for number in range(changes.MOST_PAGES - 1):
        lists(INCIDENTS, [row(number, 60 - number)], token=f"after-{number}")
    lists(INCIDENTS, [row(99, -5)], token="more")
    lists(ESCALATIONS, [])
    assert changed().is_whole


@responses.activate
def test_a_token_that_repeats_is_an_error() -> None:
    lists(INCIDENTS, [row(1, 30)], token="same")
    lists(INCIDENTS, [row(2, 20)], token="same")
    with pytest.raises(BadResponse, match="again and again"):
        changed()


@responses.activate
def test_an_incident_on_two_pages_is_told_once_as_its_newest_row_says() -> None:
    lists(INCIDENTS, [row(1, 20), row(2, 15)], token="next")
    lists(INCIDENTS, [row(1, 40, status="closed"), row(2, 10, status="closed")])
    lists(ESCALATIONS, [])
    found = {event.external_id: event.kind for event in changed().events}
    assert found == {"1": AlertKind.RESET, "2": AlertKind.TRIGGERED}


@responses.activate
def test_what_is_being_deleted_is_left_out() -> None:
    lists(INCIDENTS, [row(1, 20, status="deleting"), row(2, 15)])
    lists(ESCALATIONS, [])
    found = changed()
    assert (ids(found), found.unread) == (["2"], ())


@responses.activate
@pytest.mark.parametrize(
    "poison, external_id, synthesized",
    [
        (row(7, 10) | {"updated_at": "soon", "status_updated_at": 1, "sent_at": {}}, "7", False),
        (row(7, 10, status={"odd": 1}), "7", False),
        (row(7, 10, severity=["high"]), "7", False),
        (row(7, 10, organization_id={"id": "x"}), "7", False),
        (row(7, 10) | {"id": None}, "row:", True),
        ("text", "row:", True),
        (None, "row:", True),
        ([], "row:", True),
    ],
)
def test_a_row_that_cannot_be_read_stops_no_other(poison: Any, external_id: str, synthesized: bool) -> None:
    lists(INCIDENTS, [row(3, 30), poison, row(1, 10)])
    lists(ESCALATIONS, [])
    found = changed()
    assert ids(found) == ["1", "3"]
    (unread,) = found.unread
    assert unread.external_id.startswith(external_id)
    assert unread.synthesized is synthesized
    assert unread.reason.endswith(".")


@responses.activate
def test_a_row_without_an_id_has_the_same_name_each_time() -> None:
    names = []
    for _ in range(2):
        responses.reset()
        lists(INCIDENTS, [{"odd": 1}, {"odd": 1}, {"odd": 2}])
        lists(ESCALATIONS, [{"odd": 1}])
        names.append([one.external_id for one in changed().unread])
    assert names[0] == names[1]
    assert len(set(names[0])) == 3
    assert names[0][2].startswith("escalation:row:")


@responses.activate
def test_one_that_can_be_read_elsewhere_is_read() -> None:
    lists(INCIDENTS, [row(1, 30, status=[])], token="next")
    lists(INCIDENTS, [row(1, 10)])
    lists(ESCALATIONS, [])
    found = changed()
    assert (ids(found), found.unread) == (["1"], ())


@responses.activate
def test_a_key_that_may_not_read_escalations_brings_incidents() -> None:
    lists(INCIDENTS, [row(1, 30)])
    says(ESCALATIONS, {"error": "no"}, 403)
    assert ids(changed()) == ["1"]


@responses.activate
def test_a_key_that_may_not_read_incidents_is_an_error() -> None:
    says(INCIDENTS, {"error": "no"}, 403)
    lists(ESCALATIONS, [escalation()])
    with pytest.raises(PermissionMissing, match=r"/v1/incident_reports"):
        changed()


@responses.activate
@pytest.mark.parametrize("status", [500, 503])
def test_a_list_that_breaks_off_is_no_list(status: int) -> None:
    lists(INCIDENTS, [row(1, 30)], token="next")
    says(INCIDENTS, {}, status)
    lists(ESCALATIONS, [])
    with pytest.raises(Unavailable):
        changed()


@responses.activate
@pytest.mark.parametrize("body", [[], {}, {"incident_reports": None}, {"incident_reports": {}}, "text", None])
def test_another_shape_is_no_list(body: Any) -> None:
    says(INCIDENTS, body)
    with pytest.raises(BadResponse, match=r"\.$"):
        changed()


@given(st.lists(st.dictionaries(st.sampled_from(list(in_rest())), _JSON, max_size=5) | _JSON, max_size=6))
def test_no_row_keeps_the_others_from_being_read(odd: list[Any]) -> None:
    """A good row before and behind each odd one: both are told, whatever stands between them."""
    good = (row(1_000_000 + number, 60) for number in itertools.count())
    rows = [next(good), *itertools.chain.from_iterable((_newest(one), next(good)) for one in odd)]
    with responses.RequestsMock() as answers:
        for path, listed in ((INCIDENTS, rows), (ESCALATIONS, [])):
            answers.add("GET", BASE + path, json={path.rpartition("/")[2]: listed})
        found = changed()
    assert {str(1_000_000 + number) for number in range(len(odd) + 1)} <= set(ids(found))


def _newest(odd: Any) -> Any:
    """The row as new as the others: an older one would rightly end the list."""
    return {**odd, "updated_at": CHANGED.isoformat()} if isinstance(odd, dict) else odd
