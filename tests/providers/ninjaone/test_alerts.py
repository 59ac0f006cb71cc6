"""Alerts of NinjaOne through its API: the list, one by its series, the reset."""

from __future__ import annotations

import json
from typing import Any

import pytest
import responses

from rmm_extension.domain.errors import BadResponse, PermissionMissing, Unavailable
from rmm_extension.domain.types import AlertKind
from rmm_extension.providers import http
from tests.providers.ninjaone.accounts import BASE, ninjaone, says, signed_in
from tests.providers.ninjaone.bodies import UID, activity, alert


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


def series(*rows: dict[str, Any]) -> None:
    """The activities of the alert, newest first."""
    says("/v2/activities", {"lastActivityId": 9, "activities": list(rows)})


@responses.activate
def test_the_list_is_one_body() -> None:
    says("/v2/alerts", [alert(), alert(uid="other", severity="CRITICAL")])
    found = ninjaone().active_alerts(signed_in())
    assert [one.external_id for one in found] == [UID, "other"]
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize("body", [{}, {"results": []}, "text", None, [1], [alert(uid=None)], [alert(), {}]])
def test_a_list_that_cannot_be_complete_is_none(body: Any) -> None:
    says("/v2/alerts", body)
    with pytest.raises(BadResponse, match=r"/v2/alerts"):
        ninjaone().active_alerts(signed_in())


@responses.activate
def test_an_empty_list_is_a_list() -> None:
    says("/v2/alerts", [])
    assert list(ninjaone().active_alerts(signed_in())) == []


@responses.activate
@pytest.mark.parametrize(
    "code, kind",
    [
        ("RESET", AlertKind.RESET),
        ("RESET_BY_PSA_TICKET_CALLBACK", AlertKind.RESET),
        ("DISABLED", AlertKind.RESET),
    ],
)
def test_the_newest_word_of_the_series_ends_it(code: str, kind: AlertKind) -> None:
    series(activity(id=1), activity(id=3, statusCode=code), activity(id=2, statusCode="ACKNOWLEDGED"))
    found = ninjaone().alert(signed_in(), UID)
    assert found is not None
    assert (found.kind, found.vanished) == (kind, False)
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize(
    "code, kind", [("TRIGGERED", AlertKind.TRIGGERED), ("ACKNOWLEDGED", AlertKind.ACKNOWLEDGED)]
)
def test_one_that_is_still_listed_is_on(code: str, kind: AlertKind) -> None:
    series(
        activity(id=1),
        activity(id=5, statusCode=code),
        activity(id=9, statusCode="EVALUATION_FAILURE", status="Failed"),
    )
    says("/v2/device/7/alerts", [alert(uid="other"), alert()])
    found = ninjaone().alert(signed_in(), UID)
    assert found is not None
    assert (found.kind, found.vanished) == (kind, False)


@responses.activate
@pytest.mark.parametrize("listed", [[], None], ids=["not listed", "device deleted"])
def test_one_whose_series_has_no_end_and_that_is_not_listed_is_over(listed: list[Any] | None) -> None:
    series(activity())
    says(
        "/v2/device/7/alerts",
        listed if listed is not None else {"resultCode": "X"},
        404 if listed is None else 200,
    )
    found = ninjaone().alert(signed_in(), UID)
    assert found is not None
    assert (found.kind, found.vanished) == (AlertKind.RESET, True)


@responses.activate
@pytest.mark.parametrize("listed, kind", [(UID, AlertKind.TRIGGERED), ("other", AlertKind.RESET)])
def test_one_of_no_device_is_looked_for_in_the_whole_list(listed: str, kind: AlertKind) -> None:
    """Else one that just goes would be on for ever."""
    series(activity(deviceId=None, device=None))
    says("/v2/alerts", [alert(uid=listed)])
    found = ninjaone().alert(signed_in(), UID)
    assert found is not None
    assert found.kind is kind


@responses.activate
@pytest.mark.parametrize(
    "rows", [[], [activity(seriesUid="another")], [activity(statusCode="COMPLETED", status="x")]]
)
def test_a_series_that_says_nothing_of_it(rows: list[dict[str, Any]]) -> None:
    series(*rows)
    assert ninjaone().alert(signed_in(), UID) is None


@responses.activate
def test_an_answer_that_does_not_come_says_nothing_of_the_alert() -> None:
    series(activity())
    says("/v2/device/7/alerts", {}, 500)
    with pytest.raises(Unavailable):
        ninjaone().alert(signed_in(), UID)


@responses.activate
def test_a_reset_is_one_post_with_an_object() -> None:
    responses.add("POST", f"{BASE}/v2/alert/{UID}/reset", status=204)
    receipt = ninjaone().reset_alert(signed_in(), UID)
    assert (receipt.accepted, receipt.status) == (True, 204)
    (call,) = responses.calls
    assert isinstance(json.loads(call.request.body), dict)


@responses.activate
def test_one_that_is_gone_is_reset() -> None:
    says(f"/v2/alert/{UID}/reset", {"errorMessage": "no"}, 404, method="POST")
    receipt = ninjaone().reset_alert(signed_in(), UID)
    assert receipt.accepted
    assert "over there already" in receipt.message


@responses.activate
def test_a_reset_that_may_not_be_names_the_scope() -> None:
    says(f"/v2/alert/{UID}/reset", {}, 403, method="POST")
    with pytest.raises(PermissionMissing, match="Management"):
        ninjaone().reset_alert(signed_in(), UID)


@responses.activate
def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    responses.add("POST", f"{BASE}/v2/alert/a%2F..%2Fb%3Fc/reset", status=204)
    assert ninjaone().reset_alert(signed_in(), "a/../b?c").accepted
