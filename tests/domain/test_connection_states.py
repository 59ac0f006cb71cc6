"""What the states of a connection allow, and the one sentence where they do not."""

from __future__ import annotations

import pytest

from rmm_extension.domain.connection_states import refusal, sleeps, standing, works

STATES = ("connected", "error", "needs_reauth", "paused", "not_connected")


@pytest.mark.parametrize("state", STATES)
def test_what_does_not_work_has_a_sentence_and_what_sleeps_does_not_work(state: str) -> None:
    assert works(state) == (state in ("connected", "error"))
    assert sleeps(state) == (state in ("paused", "not_connected"))
    assert not (works(state) and sleeps(state))
    if not works(state):
        assert refusal("Main", state).startswith(f"The connection “Main” {standing(state)}: ")


def test_the_sentence_says_what_to_do() -> None:
    assert refusal("Main", "paused") == (
        "The connection “Main” is paused: resume it under Settings › Integrations."
    )
    assert refusal("Main", "needs_reauth") == (
        "The connection “Main” waits for new credentials: enter them under Settings › Integrations."
    )
