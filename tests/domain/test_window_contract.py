"""The JSON of a window: what is taken, and what is refused, all at once and in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from marshmallow import ValidationError

from rmm_extension.domain.contracts.strict import problems
from rmm_extension.domain.contracts.windows import load_window

ONCE = {"name": "Move", "startsAt": "2026-11-21T02:00:00Z", "endsAt": "2026-11-21T04:00:00Z"}
WEEKLY = {
    "type": "weekly",
    "days": [5, 1, 5],
    "startTime": "22:00",
    "endTime": "02:00",
    "timezone": "Europe/Berlin",
}
NIGHT = {"name": "Patch night", "recurrence": WEEKLY}
NO_DAY = "Days are the numbers 0 (Sunday) to 6 (Saturday)."
NO_TIME = "Give a time of the day as hours and minutes, such as 22:00."
NO_ZONE = "This time zone is not known. Choose one such as Europe/Berlin."


def refusal(value: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        load_window(value)
    return problems(refused.value)


def test_a_one_off_window_with_its_defaults() -> None:
    assert load_window({**ONCE, "name": "  Move \n of servers "}) == {
        "name": "Move of servers",
        "integrationId": None,
        "clientId": None,
        "assetId": None,
        "isActive": True,
        "atVendor": False,
        "startsAt": datetime(2026, 11, 21, 2, tzinfo=UTC),
        "endsAt": datetime(2026, 11, 21, 4, tzinfo=UTC),
        "recurrence": None,
    }


def test_a_weekly_window_with_its_scopes() -> None:
    scopes = {"integrationId": str(UUID(int=1)), "clientId": "c-1", "assetId": "a-1", "isActive": False}
    loaded = load_window({**NIGHT, **scopes, "startsAt": None, "endsAt": None})
    assert loaded["recurrence"] == {**WEEKLY, "days": [1, 5]}
    assert (loaded["startsAt"], loaded["endsAt"]) == (None, None)
    assert (loaded["integrationId"], loaded["clientId"], loaded["assetId"]) == (UUID(int=1), "c-1", "a-1")
    assert loaded["isActive"] is False


@pytest.mark.parametrize(
    "value, path, sentence",
    [
        ({"name": "x"}, "", "Say when it holds: from when until when, or on which days of the week."),
        ({**ONCE, "endsAt": None}, "endsAt", "Fill this in, too."),
        ({**ONCE, "startsAt": None}, "startsAt", "Fill this in, too."),
        ({**ONCE, "endsAt": ONCE["startsAt"]}, "endsAt", "It must end after it starts."),
        ({**ONCE, "startsAt": "2026-11-21T05:00:00+00:59"}, "endsAt", "It must end after it starts."),
        ({**ONCE, "recurrence": WEEKLY}, "", "Give either a time range or the days of the week, not both."),
        (
            {**NIGHT, "endsAt": ONCE["endsAt"]},
            "",
            "Give either a time range or the days of the week, not both.",
        ),
        (
            {**ONCE, "startsAt": "2026-11-21T02:00:00"},
            "startsAt",
            "Give the time with its zone, such as 2026-11-21T02:00:00Z.",
        ),
        ({**ONCE, "startsAt": "tonight"}, "startsAt", "Give a date and a time."),
        ({**ONCE, "name": " "}, "name", "This is empty. Fill it in."),
        ({**ONCE, "name": "x" * 256}, "name", "This is too long: at most 255 characters."),
        ({**ONCE, "name": "a\x00"}, "name", "This contains a character that cannot be stored."),
        ({**ONCE, "isActive": "yes"}, "isActive", "This must be true or false."),
        ({**ONCE, "integrationId": "7"}, "integrationId", "There is no such connection."),
        ({**ONCE, "clientId": 5}, "clientId", "This must be text."),
        ({**NIGHT, "recurrence": 5}, "recurrence", "This must be an object."),
    ],
)
def test_what_is_refused(value: dict[str, Any], path: str, sentence: str) -> None:
    assert refusal(value) == {path: [sentence]}


@pytest.mark.parametrize(
    "change, path, sentence",
    [
        ({"type": "daily"}, "type", "Only weekly windows can repeat."),
        ({"days": []}, "days", "Choose at least one day."),
        ({"days": [7]}, "days.0", NO_DAY),
        ({"days": [1, -1]}, "days.1", NO_DAY),
        ({"days": ["1x"]}, "days.0", NO_DAY),
        ({"days": [True]}, "days.0", NO_DAY),
        ({"days": [1.5]}, "days.0", NO_DAY),
        ({"days": None}, "days", "This must be a list of days."),
        ({"startTime": "24:00"}, "startTime", NO_TIME),
        ({"startTime": "9:00"}, "startTime", NO_TIME),
        ({"endTime": "22:00:00"}, "endTime", "This is too long: at most 5 characters."),
        ({"endTime": "noon"}, "endTime", NO_TIME),
        ({"endTime": "22:00"}, "endTime", "It must not end at the minute it starts."),
        ({"timezone": "Mars/Olympus"}, "timezone", NO_ZONE),
        ({"timezone": "America"}, "timezone", NO_ZONE),
        ({"timezone": "../../etc/passwd"}, "timezone", NO_ZONE),
        ({"timezone": ""}, "timezone", "This is empty. Fill it in."),
    ],
)
def test_a_recurrence_that_is_refused(change: dict[str, Any], path: str, sentence: str) -> None:
    assert refusal({**NIGHT, "recurrence": {**WEEKLY, **change}}) == {f"recurrence.{path}": [sentence]}


def test_unknown_settings_are_refused_and_the_known_ones_named() -> None:
    (sentence,) = refusal({**NIGHT, "recurrence": {**WEEKLY, "skip": {}}})["recurrence.skip"]
    assert sentence.startswith("There is no such setting here. Known are: type, days, startTime")


def test_everything_wrong_is_told_at_once() -> None:
    recurrence = {"days": [], "startTime": "25:00", "timezone": "x"}
    assert set(refusal({"name": "", "isActive": 5, "recurrence": recurrence, "more": 1})) == {
        "name",
        "isActive",
        "more",
        "recurrence.type",
        "recurrence.days",
        "recurrence.startTime",
        "recurrence.endTime",
        "recurrence.timezone",
    }


def test_a_time_without_an_end_is_told_together_with_a_missing_name() -> None:
    assert set(refusal({"startsAt": ONCE["startsAt"]})) == {"name", "endsAt"}
