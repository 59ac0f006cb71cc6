"""One incident or escalation through the API: read whole, and resolved."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import responses

from rmm_extension.domain.errors import (
    BadResponse,
    InvalidRequest,
    RateLimited,
    Unavailable,
)
from rmm_extension.domain.types import AlertKind, Receipt
from rmm_extension.providers import http
from rmm_extension.providers.huntress.errors import InTheWay, ReadOnlyKey, Refused
from tests.providers.huntress.accounts import (
    BASE,
    agent,
    asked,
    connection,
    escalation,
    huntress,
    in_rest,
    lists,
    remediation,
    says,
)

INCIDENT, RESOLUTION = "/v1/incident_reports/1234", "/v1/incident_reports/1234/resolution"
REMEDIATIONS = f"{INCIDENT}/remediations"
ESCALATION, DISMISSAL = "/v1/escalations/84938", "/v1/escalations/84938/resolution"
PAGE = "https://acme-msp.huntress.io/incident_reports/1234"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


def there(**changes: Any) -> None:
    says(INCIDENT, {"incident_report": in_rest(**changes)})


def around(status: int = 200) -> None:
    says("/v1/agents/12", {"agent": agent()}, status)
    says("/v1/organizations/4", {"organization": {"id": 4, "name": "Acme Corp"}}, status)


def reset(external_id: str = "1234") -> Receipt:
    return huntress().reset_alert(connection(), external_id)


@responses.activate
def test_an_incident_comes_with_its_host_its_organization_and_its_remediations() -> None:
    there()
    around()
    found = huntress().alert(connection(), "1234")
    assert found is not None
    assert not found.is_partial
    assert "Serial number: wtIe1bvDbh" in (found.report or "")
    assert asked() == [f"GET {INCIDENT}", "GET /v1/agents/12", "GET /v1/organizations/4"]


@responses.activate
@pytest.mark.parametrize(
    "told", [{"total_count": 14, "has_more": True, "items": []}, None, [], {"items": "x"}]
)
def test_remediations_that_are_not_all_there_are_read(told: Any) -> None:
    there(remediations=told)
    around()
    lists(REMEDIATIONS, [remediation(1, action="First")], token="next")
    lists(REMEDIATIONS, [remediation(2, action="Second"), "odd"])
    found = huntress().alert(connection(), "1234")
    assert found is not None
    assert "- First (" in (found.report or "")
    assert "- Second (" in (found.report or "")


@responses.activate
@pytest.mark.parametrize("status", [403, 404])
def test_a_host_that_cannot_be_seen_is_left_out(status: int) -> None:
    there()
    around(status)
    found = huntress().alert(connection(), "1234")
    assert found is not None
    assert "Host\n" not in (found.report or "")
    assert found.device_name == "DESKTOP-ARL0EQ1"


@responses.activate
def test_a_host_that_does_not_answer_is_asked_for_again_later() -> None:
    there()
    around(500)
    with pytest.raises(Unavailable):
        huntress().alert(connection(), "1234")


@responses.activate
@pytest.mark.parametrize("external_id, path", [("1234", INCIDENT), ("escalation:84938", ESCALATION)])
def test_one_that_huntress_does_not_know(external_id: str, path: str) -> None:
    says(path, {"error": "Not found"}, 404)
    assert huntress().alert(connection(), external_id) is None


@responses.activate
def test_one_that_is_being_deleted_is_none() -> None:
    there(status="deleting", agent_id=None, organization_id=None)
    assert huntress().alert(connection(), "1234") is None


@responses.activate
@pytest.mark.parametrize("row", [{}, in_rest(id=None), in_rest(id=9)])
def test_another_object_is_not_taken_for_it(row: dict[str, Any]) -> None:
    says(INCIDENT, {"incident_report": row})
    with pytest.raises(BadResponse, match=r"\$\.incident_report\.id"):
        huntress().alert(connection(), "1234")


@responses.activate
def test_one_that_cannot_be_read_is_an_error_and_says_where() -> None:
    there(severity=["high"], agent_id=None, organization_id=None)
    with pytest.raises(BadResponse, match=r"\$\.incident_report\.severity"):
        huntress().alert(connection(), "1234")


@responses.activate
def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    says("/v1/incident_reports/..%2Faccount%3Fx", {}, 404)
    assert huntress().alert(connection(), "../account?x") is None


@responses.activate
def test_an_incident_is_closed_by_one_post_without_a_body() -> None:
    there()
    says(RESOLUTION, {"incident_report": in_rest(status="closed")}, 201, method="POST")
    assert reset() == Receipt(accepted=True, message="Huntress has closed the incident.", status=201)
    assert asked() == [f"GET {INCIDENT}", f"POST {RESOLUTION}"]
    assert not responses.calls[1].request.body


@responses.activate
@pytest.mark.parametrize("status", ["closed", "dismissed", "partner_dismissed", "deleting"])
def test_one_that_is_over_is_not_closed_again(status: str) -> None:
    there(status=status)
    receipt = reset()
    assert receipt.accepted
    assert status in receipt.message
    assert asked() == [f"GET {INCIDENT}"]


@responses.activate
@pytest.mark.parametrize("external_id, path, word", [("1234", INCIDENT, "incident")])
def test_one_that_is_gone_counts_as_over(external_id: str, path: str, word: str) -> None:
    says(path, {}, 404)
    receipt = reset(external_id)
    assert (receipt.accepted, receipt.status) == (True, 404)
    assert f"no such {word}" in receipt.message


@responses.activate
@pytest.mark.parametrize("status, words", [("auto_remediating", "auto remediating"), (None, "not told")])
def test_only_a_sent_one_is_closed(status: str | None, words: str) -> None:
    there(status=status)
    with pytest.raises(InvalidRequest, match=f"“{words}”") as caught:
        reset()
    assert PAGE in str(caught.value)
    assert asked() == [f"GET {INCIDENT}"]


@responses.activate
@pytest.mark.parametrize(
    "statuses, words",
    [
        (["unapproved"], "1 of 1 remediations is not approved yet"),
        (["approved", "unapproved", "completed", "unapproved"], "2 of 4 remediations are not approved yet"),
    ],
)
def test_what_is_not_approved_is_told_in_numbers_and_nothing_is_sent(statuses: list[str], words: str) -> None:
    items = [remediation(number, status) for number, status in enumerate(statuses)]
    there(remediations={"total_count": len(items), "has_more": False, "items": items})
    with pytest.raises(InTheWay, match=words) as caught:
        reset()
    assert PAGE in str(caught.value)
    assert not [one for one in asked() if one.startswith("POST")]


@responses.activate
def test_all_remediations_are_looked_at_not_only_the_first_ten() -> None:
    first = [remediation(number) for number in range(10)]
    there(remediations={"total_count": 12, "has_more": True, "items": first})
    lists(REMEDIATIONS, [*first, remediation(10), remediation(11, "unapproved")])
    with pytest.raises(InvalidRequest, match="1 of 12 remediations"):
        reset()


@responses.activate
@pytest.mark.parametrize("status", ["approved", "completed", "failed", "cancelled"])
def test_nothing_else_than_unapproved_is_in_the_way(status: str) -> None:
    there(remediations={"total_count": 1, "has_more": False, "items": [remediation(1, status)]})
    says(RESOLUTION, {"incident_report": in_rest(status="closed")}, 201, method="POST")
    assert reset().accepted


@responses.activate
@pytest.mark.parametrize("body", [{"error": "Not so."}, {"errors": ["Not so."]}, "Not so.", ""])
@pytest.mark.parametrize(
    "status, words", [(409, "a remediation is not approved"), (422, "not “sent” any more")]
)
def test_a_refusal_is_told_in_words_whatever_its_body(status: int, words: str, body: Any) -> None:
    there()
    says(RESOLUTION, body, status, method="POST")
    with pytest.raises(InTheWay, match=words) as caught:
        reset()
    assert PAGE in str(caught.value)
    assert ("(it says: Not so)" in str(caught.value)) is bool(body)
    assert (caught.value.status, caught.value.provider) == (status, "huntress")


@responses.activate
@pytest.mark.parametrize("external_id", ["1234", "escalation:84938"])
def test_a_read_only_key_is_told_and_how_to_make_another(external_id: str) -> None:
    there()
    for path in (RESOLUTION, DISMISSAL):
        says(path, {"error": "forbidden"}, 403, method="POST")
    with pytest.raises(ReadOnlyKey, match="user-based API key"):
        reset(external_id)


@responses.activate
def test_another_refusal_is_no_obstacle_that_somebody_could_remove() -> None:
    there()
    says(RESOLUTION, {"error": "Not so."}, 400, method="POST")
    with pytest.raises(Refused, match="Huntress refused: Not so"):
        reset()


@responses.activate
@pytest.mark.parametrize("status, kind", [(500, Unavailable), (429, RateLimited)])
def test_what_may_pass_is_tried_again_later_and_not_at_once(status: int, kind: type[Exception]) -> None:
    there()
    says(RESOLUTION, {}, status, method="POST")
    with pytest.raises(kind):
        reset()
    assert asked().count(f"POST {RESOLUTION}") == 1


@responses.activate
def test_after_an_answer_that_was_lost_the_incident_is_found_closed() -> None:
    there()
    responses.add("POST", BASE + RESOLUTION, body=requests.ConnectionError("reset"))
    there(status="closed")
    with pytest.raises(Unavailable):
        reset()
    assert reset().accepted
    assert asked().count(f"POST {RESOLUTION}") == 1


@responses.activate
@pytest.mark.parametrize(
    "method, words",
    [("direct", "has resolved"), ("dismiss", "the next such event opens it again"), (None, "has")],
)
def test_an_escalation_is_resolved_without_a_determination(method: str | None, words: str) -> None:
    done = {"escalation": escalation(status="resolved"), "resolution_method": method}
    says(DISMISSAL, done, 201, method="POST")
    receipt = reset("escalation:84938")
    assert receipt.accepted
    assert words in receipt.message
    assert json.loads(responses.calls[0].request.body or "") == {}


@responses.activate
@pytest.mark.parametrize("status", [404, 409])
def test_an_escalation_that_is_over_counts_as_resolved(status: int) -> None:
    says(DISMISSAL, {"error": "x"}, status, method="POST")
    assert reset("escalation:84938").accepted


@responses.activate
def test_an_escalation_that_only_the_portal_resolves() -> None:
    says(DISMISSAL, {"error": "x"}, 422, method="POST")
    with pytest.raises(InvalidRequest, match=r"https://acme-msp\.huntress\.io/escalations"):
        reset("escalation:84938")


@responses.activate
def test_a_web_page_in_place_of_an_answer_is_no_word_about_the_incident() -> None:
    says(INCIDENT, "<html>Not found</html>", 404)
    with pytest.raises(BadResponse, match="web page"):
        huntress().alert(connection(), "1234")
    with pytest.raises(BadResponse, match="web page"):
        reset()


@responses.activate
def test_an_escalation_comes_with_what_it_is_about() -> None:
    entities = {"total_count": 1, "items": [{"id": 1, "type": "Agent", "details": {"hostname": "laptop01"}}]}
    says(ESCALATION, {"escalation": escalation(status="resolved", entities=entities)})
    found = huntress().alert(connection(), "escalation:84938")
    assert found is not None
    assert found.kind is AlertKind.RESET
    assert "- Agent laptop01" in (found.report or "")
