"""What is refused of a card before it is sent, and that the rest goes as it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.contracts.actions import load_input
from rmm_extension.domain.errors import Invalid
from rmm_extension.providers.teams.action_specs import DIRECT
from rmm_extension.providers.teams.messages import activity, shortened

BODY = [{"type": "TextBlock", "text": "x"}]


def _nested(depth: int) -> dict[str, Any]:
    card: dict[str, Any] = {"type": "TextBlock", "text": "x"}
    for _ in range(depth):
        card = {"type": "Container", "items": [card]}
    return card


def _opening(url: Any) -> dict[str, Any]:
    action = {"type": "Action.OpenUrl", "url": url}
    shown = {"type": "Action.ShowCard", "card": {"type": "AdaptiveCard", "actions": [action]}}
    return {"type": "AdaptiveCard", "body": BODY, "actions": [shown]}


@pytest.mark.parametrize(
    "card, words",
    [
        ({"type": "HeroCard", "body": BODY}, "has the type"),
        ({"body": BODY}, "has the type"),
        ({"type": "AdaptiveCard"}, "neither a body nor actions"),
        ({"type": "AdaptiveCard", "body": []}, "neither a body nor actions"),
        ({"type": "AdaptiveCard", "body": BODY, "version": "1.6"}, "up to version 1.5"),
        ({"type": "AdaptiveCard", "body": BODY, "version": "2.0"}, "up to version 1.5"),
        ({"type": "AdaptiveCard", "body": BODY, "version": 1.5}, "up to version 1.5"),
        ({"type": "AdaptiveCard", "body": BODY, "version": "x"}, "up to version 1.5"),
        ({"type": "AdaptiveCard", "body": [_nested(40)]}, "nested"),
        (_opening("javascript:alert(1)"), "begin with https://"),
        (_opening(None), "begin with https://"),
        (["x"], "JSON object"),
        ("no json", "JSON"),
    ],
)
def test_a_card_that_teams_would_refuse_is_refused_in_words(card: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        load_input(DIRECT, {"user_id": "u1", "card": card})
    assert list(caught.value.errors) == ["card"]


@pytest.mark.parametrize(
    "card",
    [
        {"type": "AdaptiveCard", "body": BODY},
        {"type": "AdaptiveCard", "body": BODY, "version": "1.0"},
        {"type": "AdaptiveCard", "actions": [{"type": "Action.Submit", "title": "x"}], "version": "1.5"},
        _opening("https://psa.example.com/tickets/7"),
    ],
)
def test_a_card_goes_as_it_is_with_what_it_lacks(card: dict[str, Any]) -> None:
    loaded = load_input(DIRECT, {"user_id": "u1", "card": card})["card"]
    (attached,) = activity(None, loaded)["attachments"]
    assert {name: attached["content"][name] for name in card} == card
    assert attached["content"]["version"] == card.get("version", "1.5")


@pytest.mark.parametrize("wish", [{}, {"message": "  \n"}])
def test_a_message_says_something(wish: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        load_input(DIRECT, {"user_id": "u1", **wish})
    assert list(caught.value.errors) == ["message"]


@given(st.text(min_size=1, max_size=300))
def test_text_is_sent_to_the_letter_and_as_plain_text(text: str) -> None:
    found = activity(text)
    assert found["text"] == text
    assert found["textFormat"] == "plain"
    assert "\n" not in found["summary"]


@given(st.text(max_size=300), st.integers(2, 150))
def test_a_shortened_text_fits_and_is_the_beginning(text: str, longest: int) -> None:
    found = shortened(text, longest)
    assert len(found) <= longest
    assert " ".join(text.split()).startswith(found.rstrip("…"))
