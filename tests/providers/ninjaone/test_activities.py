"""NinjaOne's activity log through its API: where a look begins, goes on and ends."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from rmm_extension.domain.errors import BadResponse
from rmm_extension.domain.signals import ActivityPage
from rmm_extension.providers.ninjaone import activities
from tests.providers.ninjaone.accounts import ninjaone, says, signed_in
from tests.providers.ninjaone.bodies import activity


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activities, "PAGE", 3)


def log(*ids: Any, last: Any = 100) -> None:
    """The next answer: activities with these ids, as it gives them."""
    rows = [
        activity(id=one, seriesUid=f"u{one}", activityTime=None) if isinstance(one, int) else one
        for one in ids
    ]
    says("/v2/activities", {"lastActivityId": last, "activities": rows})


def look(after: str | None) -> list[ActivityPage]:
    return list(ninjaone().activity(signed_in(), after))


def asked() -> list[dict[str, str]]:
    return [
        {k: v[0] for k, v in parse_qs(urlsplit(str(c.request.url)).query).items()} for c in responses.calls
    ]


def ids(pages: list[ActivityPage]) -> list[list[str]]:
    return [[str(event.external_id) for event in page.events] for page in pages]


@responses.activate
@pytest.mark.parametrize("after", [None, "", "odd"])
def test_without_a_position_only_where_the_log_ends(after: str | None) -> None:
    log(90, 95, last=95)
    (page,) = look(after)
    assert (page.events, page.position, page.errors) == ((), "95", ())


@responses.activate
def test_an_account_without_activities() -> None:
    says("/v2/activities", {"lastActivityId": None, "activities": []})
    assert look(None)[0].position == "0"


@responses.activate
def test_pages_go_back_by_their_smallest_id_and_come_oldest_first() -> None:
    log(20, 19, 18)
    log(17, 16, 15)
    log(14)
    pages = look("12")
    assert ids(pages) == [["u14"], ["u15", "u16", "u17"], ["u18", "u19", "u20"]]
    assert [page.position for page in pages] == ["14", "17", "20"]
    assert [call.get("olderThan") for call in asked()] == [None, "18", "15", "14"]
    assert {call["newerThan"] for call in asked()} == {"12"}


@responses.activate
def test_the_last_look_ends_it_even_where_the_filter_is_passed_over() -> None:
    log(20, 19, 18)
    log(17, 12, 11)
    assert ids(look("16")) == [["u17"], ["u18", "u19", "u20"]]


@responses.activate
def test_what_comes_twice_or_in_any_order_is_once_and_sorted() -> None:
    log(19, 20, 19)
    log(18, 20)
    assert ids(look("12")) == [["u18"], ["u19", "u20"]]


@responses.activate
def test_nothing_new_is_no_page() -> None:
    log(last=12)
    assert look("12") == []


@responses.activate
def test_what_cannot_be_read_is_said() -> None:
    log(7, "text", {"id": None}, activity(id=8, seriesUid=None, activityTime=None))
    log()
    (page,) = look("5")
    assert ids([page]) == [["u7"]]
    assert page.errors == ("Activity 8 was left out: it has no seriesUid.",)
    assert page.position == "8"


@responses.activate
@pytest.mark.parametrize("body", [[], {"activities": {}}, {"lastActivityId": "x"}])
def test_another_shape_ends_the_look(body: Any) -> None:
    says("/v2/activities", body)
    with pytest.raises(BadResponse):
        look("5")


def at(number: int, minutes: float) -> dict[str, Any]:
    """An activity of so many minutes ago."""
    found: dict[str, Any] = activity(
        id=number, seriesUid=f"u{number}", activityTime=time.time() - minutes * 60
    )
    return found


@responses.activate
def test_a_page_that_was_cut_short_is_not_the_last_one() -> None:
    """A server may give fewer than it is asked for."""
    log(20, 19)
    log(18)
    log(17, 16)
    log()
    assert ids(look("12")) == [["u16", "u17"], ["u18"], ["u19", "u20"]]


@responses.activate
def test_what_is_of_now_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun before it may be written behind it, with a smaller number."""
    monkeypatch.setattr(activities, "PAGE", 9)
    log(at(23, 0.2), at(22, 0.5), at(20, 5), at(19, 6))
    log()
    (page,) = look("18")
    assert ids([page]) == [["u19", "u20", "u22", "u23"]]
    assert page.position == "20"


@responses.activate
def test_where_all_is_of_now_the_next_look_begins_where_this_one_did() -> None:
    log(at(20, 0.2), at(19, 0.5))
    log()
    (page,) = look("18")
    assert (ids([page]), page.position) == ([["u19", "u20"]], "18")


@responses.activate
def test_one_that_came_late_hides_none_behind_it() -> None:
    """A device that was away tells afterwards what happened to it days ago."""
    log(at(20, 5), at(19, 60 * 48), at(18, 7))
    log(at(17, 8), at(16, 9))
    log()
    pages = look("12")
    assert ids(pages) == [["u16", "u17"], ["u18", "u19", "u20"]]
    assert [page.errors for page in pages] == [(), ()]


@responses.activate
def test_a_time_that_is_missing_is_the_same_in_every_look() -> None:
    """Were it that of the look, an alert that is over would begin again with each."""
    before, timeless, behind = at(18, 9), {**at(19, 8), "activityTime": None}, at(20, 7)
    log(behind, timeless, before)
    log()
    (page,) = look("12")
    times = [event.occurred_at for event in page.events]
    assert times[0] == times[1] < times[2]
