"""What each answer of NinjaOne to an action really means."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from rmm_extension.domain.actions import ActionState, ErrorCode
from tests.harness.ninjaone import ninja as ninja
from tests.providers.ninjaone.accounts import BASE, ninjaone, says, signed_in

from .acting import (
    ASKED,
    DONE,
    END,
    FAILED,
    OFFERED,
    REBOOT,
    RUN,
    SET,
    UNKNOWN,
    perform,
    target,
)

ANSWERS: dict[str, tuple[int, Any, dict[str, tuple[ActionState, ErrorCode | None]]]] = {
    "taken": (200, "", {REBOOT: (ASKED, None), RUN: (ASKED, None), SET: (DONE, None), END: (DONE, None)}),
    "no content": (204, None, {REBOOT: (ASKED, None), RUN: (ASKED, None), SET: (DONE, None)}),
    "some body": (200, {"jobUid": "x"}, {RUN: (ASKED, None), REBOOT: (ASKED, None)}),
    "gone": (
        404,
        {"resultCode": "NOT_FOUND", "errorMessage": "Device not found"},
        {
            REBOOT: (FAILED, ErrorCode.NOT_FOUND),
            RUN: (FAILED, ErrorCode.NOT_FOUND),
            SET: (FAILED, ErrorCode.NOT_FOUND),
            END: (DONE, None),
        },
    ),
    "refused": (
        400,
        {"errorMessage": "Reboot is not supported for this device"},
        dict.fromkeys((REBOOT, RUN, SET, END), (FAILED, ErrorCode.VENDOR_ERROR)),
    ),
    "offline": (
        409,
        {"error": "Device is offline"},
        dict.fromkeys((REBOOT, RUN, SET), (FAILED, ErrorCode.AGENT_UNREACHABLE)),
    ),
    "scope": (
        403,
        {"message": "Forbidden"},
        dict.fromkeys((REBOOT, RUN, SET, END), (FAILED, ErrorCode.PERMISSION_DENIED)),
    ),
    "patience": (
        429,
        {},
        dict.fromkeys((REBOOT, RUN, SET, END), (FAILED, ErrorCode.RATE_LIMITED)),
    ),
    "broken": (
        500,
        {"message": "Internal server error"},
        dict.fromkeys((REBOOT, RUN, SET, END), (UNKNOWN, ErrorCode.VENDOR_ERROR)),
    ),
    "a page": (
        200,
        "<html>Sign in</html>",
        dict.fromkeys((REBOOT, RUN, SET), (UNKNOWN, ErrorCode.VENDOR_ERROR)),
    ),
    "a page that says 404": (
        404,
        "<html>Not found</html>",
        dict.fromkeys((REBOOT, RUN, SET, END), (FAILED, ErrorCode.NOT_FOUND)),
    ),
}
CALLS = {
    REBOOT: ("POST", "/v2/device/7/reboot/NORMAL", {}),
    RUN: ("POST", "/v2/device/7/script/run", {"script_id": 11}),
    SET: ("PUT", "/v2/device/7/maintenance", {}),
    END: ("DELETE", "/v2/device/7/maintenance", {}),
}


@responses.activate
@pytest.mark.parametrize(
    "answer, action", [(answer, action) for answer, (_, _, cells) in ANSWERS.items() for action in cells]
)
def test_each_answer_is_taken_for_what_it_is(answer: str, action: str) -> None:
    status, body, cells = ANSWERS[answer]
    method, path, given = CALLS[action]
    says("/v2/device/7/scripting/options", OFFERED)
    if body is None:
        responses.add(method, BASE + path, status=status)
    else:
        says(path, body, status, method=method)
    outcome = perform(ninjaone(), signed_in(), action, target(7), given)
    assert (outcome.state, outcome.error_code) == cells[action]
    assert outcome.message.rstrip().endswith((".", ")"))
    if answer == "scope":
        assert "Management" in outcome.message
    if answer == "offline":
        assert "offline" in outcome.message


@responses.activate
@pytest.mark.parametrize("action", [REBOOT, RUN, SET, END])
def test_no_answer_may_have_arrived_and_is_not_sent_twice(action: str) -> None:
    method, _, given = CALLS[action]
    says("/v2/device/7/scripting/options", OFFERED)
    outcome = perform(ninjaone(), signed_in(), action, target(7), given)
    assert outcome.state is UNKNOWN
    assert [call.request.method for call in responses.calls].count(method) == 1


@responses.activate
@pytest.mark.parametrize("status", [429, 500, 404, 403])
def test_what_stands_in_the_way_before_anything_is_done_leaves_nothing_behind(status: int) -> None:
    says("/v2/device/7/scripting/options", {"message": "no"}, status)
    outcome = perform(ninjaone(), signed_in(), RUN, target(7), {"script_id": 11})
    assert outcome.state is FAILED
    assert all(call.request.method == "GET" for call in responses.calls)


@responses.activate
def test_the_body_of_an_answer_is_kept_as_it_came_without_secrets() -> None:
    says("/v2/device/7/scripting/options", OFFERED)
    says("/v2/device/7/script/run", {"jobUid": "x", "echo": "SECRET-access-0"}, method="POST")
    outcome = perform(ninjaone(), signed_in(), RUN, target(7), {"script_id": 11})
    assert outcome.output is not None
    assert outcome.output["vendor_response"] == '{"jobUid": "x", "echo": "•••"}'
