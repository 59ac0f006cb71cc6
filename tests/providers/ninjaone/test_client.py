"""Paging to the end or an error, rows that cannot be read, and errors in words."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.errors import (
    AuthFailed,
    BadResponse,
    ConfigError,
    InvalidRequest,
    NotFound,
    PermissionMissing,
    RateLimited,
    Unavailable,
)
from rmm_extension.domain.types import Organization
from rmm_extension.providers import progress
from rmm_extension.providers.ninjaone import client as client_module
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.errors import AdministratorNeeded
from rmm_extension.providers.ninjaone.scopes import granted, is_missing

from .accounts import BASE, connection, lists, ninjaone, says, signed_in

LIST, REPORT = "/v2/devices", "/v2/queries/software"


class Row(msgspec.Struct):
    id: int
    name: str = ""


class Line(msgspec.Struct):
    name: str


@pytest.fixture(autouse=True)
def mocked() -> Any:
    with responses.mock:
        yield


def open_client() -> NinjaOneClient:
    return ninjaone().client(signed_in(), retries=0)


def asked() -> list[dict[str, str]]:
    """The queries of the requests."""
    queries = [urlsplit(str(call.request.url)).query for call in responses.calls]
    return [{key: values[0] for key, values in parse_qs(query).items()} for query in queries]


def server_with(rows: list[dict[str, Any]], cap: int = 1000) -> None:
    """A list as NinjaOne pages it: by the id of the last row, at most ``cap`` rows."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        query = {key: values[0] for key, values in parse_qs(urlsplit(request.url).query).items()}
        rest = [row for row in rows if row["id"] > int(query.get("after", -1))]
        return 200, {"Content-Type": "application/json"}, json.dumps(rest[: min(cap, int(query["pageSize"]))])

    responses.add_callback("GET", BASE + LIST, callback=answer)


def listed(size: int) -> tuple[list[int], list[str]]:
    errors: list[str] = []
    with open_client() as http:
        pages = list(http.watermark(LIST, Row, errors=errors, params={"df": "org = 1"}, page_size=size))
    assert all(pages)
    return [row.id for page in pages for row in page], errors


class TestAList:
    def test_it_goes_on_after_the_last_id_until_an_empty_page(self) -> None:
        server_with([{"id": number} for number in (3, 4, 9, 20, 21)])
        assert listed(2) == ([3, 4, 9, 20, 21], [])
        assert [query.get("after") for query in asked()] == [None, "4", "20", "21"]
        assert {query["df"] for query in asked()} == {"org = 1"}

    def test_an_empty_list_is_a_list(self) -> None:
        server_with([])
        assert listed(2) == ([], [])

    @pytest.mark.parametrize("cap", [1, 20, 50, 60])
    def test_a_server_that_gives_less_than_asked_for_is_read_to_its_end(self, cap: int) -> None:
        server_with([{"id": number} for number in range(1, 131)], cap=cap)
        assert listed(1000)[0] == list(range(1, 131))

    @given(total=st.integers(0, 20), size=st.integers(1, 15), cap=st.integers(1, 15))
    def test_every_row_comes_once_in_its_order(self, total: int, size: int, cap: int) -> None:
        responses.reset()
        server_with([{"id": number * 3} for number in range(total)], cap)
        assert listed(size)[0] == [number * 3 for number in range(total)]

    def test_a_row_that_cannot_be_read_costs_itself_only(self) -> None:
        server_with([{"id": 1}, {"id": 2, "name": 5}, {"id": 3}])
        found, errors = listed(2)
        assert found == [1, 3]
        assert len(errors) == 1
        assert errors[0].startswith("A row of /v2/devices was left out: ")

    def test_one_at_the_end_of_a_page_does_not_lose_the_place(self) -> None:
        server_with([{"id": 1}, {"id": 2, "name": 5}, {"id": 3}, {"id": 4}])
        assert listed(2)[0] == [1, 3, 4]

    @pytest.mark.parametrize("last", [{}, {"id": None}, {"id": "x"}, 5])
    def test_a_page_without_a_last_id_is_an_error_not_an_end(self, last: Any) -> None:
        says(LIST, [{"id": 1}, last])
        with pytest.raises(BadResponse):
            listed(2)

    def test_a_server_that_does_not_go_on_is_an_error(self) -> None:
        says(LIST, [{"id": 1}, {"id": 2}])
        with pytest.raises(BadResponse, match="again and again"):
            listed(2)
        assert len(responses.calls) == 2

    def test_one_that_goes_in_a_circle_is_an_error(self) -> None:
        for number in (1, 2, 1):
            says(LIST, [{"id": number}])
        with pytest.raises(BadResponse, match="again and again"):
            listed(1)
        assert len(responses.calls) == 3

    def test_one_without_an_end_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(progress, "LIST_BYTES", 1000)
        server_with([{"id": number, "name": "x" * 100} for number in range(100)])
        with pytest.raises(BadResponse, match="too long"):
            listed(1)
        assert len(responses.calls) < 12

    @pytest.mark.parametrize("body", [{"results": []}, "[", None, 5])
    def test_what_is_no_list_is_an_error(self, body: Any) -> None:
        says(LIST, body)
        with pytest.raises(BadResponse):
            listed(2)


def pages(*found: tuple[str | None, list[Any]]) -> None:
    for name, results in found:
        cursor = {"cursor": {"name": name, "offset": 0, "count": 1, "expires": 1.5}} if name else {}
        says(REPORT, {**cursor, "results": results})


def reported() -> tuple[list[str], list[str]]:
    errors: list[str] = []
    with open_client() as http:
        found = list(http.report(REPORT, Line, errors=errors, params={"df": "org = 1"}, page_size=2))
    assert all(found)
    return [line.name for page in found for line in page], errors


class TestAReport:
    def test_it_goes_on_by_the_name_of_its_cursor_until_it_is_empty(self) -> None:
        pages(("c1", [{"name": "a"}, {"name": "b"}]), ("c2", [{"name": "c"}]), ("c2", []))
        assert reported() == (["a", "b", "c"], [])
        assert [query.get("cursor") for query in asked()] == [None, "c1", "c2"]
        assert {query["df"] for query in asked()} == {"org = 1"}

    def test_the_name_may_stay_the_same(self) -> None:
        pages(("c", [{"name": "a"}]), ("c", [{"name": "b"}]), ("c", []))
        assert reported()[0] == ["a", "b"]

    def test_a_single_page_may_come_without_a_cursor(self) -> None:
        pages((None, [{"name": "a"}]))
        assert reported()[0] == ["a"]
        assert len(responses.calls) == 1

    @pytest.mark.parametrize("body", [{"unexpected": []}, {}, {"cursor": None}, [], "[", {"results": 5}])
    def test_what_is_no_report_is_an_error(self, body: Any) -> None:
        says(REPORT, body)
        with pytest.raises(BadResponse):
            reported()

    @pytest.mark.parametrize(
        "body",
        [{"results": None}, {"results": []}, {"cursor": {"name": "c"}}, {"cursor": None, "results": []}],
    )
    def test_an_empty_one_is_empty(self, body: dict[str, Any]) -> None:
        says(REPORT, body)
        assert reported() == ([], [])

    def test_a_row_that_cannot_be_read_costs_itself_only(self) -> None:
        pages((None, [{"name": "a"}, {"name": 5}, 7, {"name": "b"}]))
        found, errors = reported()
        assert found == ["a", "b"]
        assert len(errors) == 2

    def test_a_server_that_does_not_go_on_is_an_error(self) -> None:
        pages(("c", [{"name": "a"}]))
        with pytest.raises(BadResponse, match="again and again"):
            reported()

    def test_one_that_goes_in_a_circle_is_an_error(self) -> None:
        pages(("c", [{"name": "a"}]), ("c", [{"name": "b"}]), ("c", [{"name": "a"}]))
        with pytest.raises(BadResponse, match="again and again"):
            reported()
        assert len(responses.calls) == 3

    def test_one_without_an_end_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(progress, "LIST_BYTES", 1000)
        pages(*(("c", [{"name": f"{number:0200}"}]) for number in range(20)))
        with pytest.raises(BadResponse, match="too long"):
            reported()
        assert len(responses.calls) < 12

    def test_an_error_in_between_is_no_end(self) -> None:
        pages(("c", [{"name": "a"}]))
        says(REPORT, {"resultCode": "CURSOR_EXPIRED", "errorMessage": "Cursor expired"}, 400)
        with pytest.raises(InvalidRequest, match="Cursor expired"):
            reported()


ERRORS: list[tuple[int, Any, type[Exception], str]] = [
    (400, {"resultCode": "FAILURE", "errorMessage": "Bad filter"}, InvalidRequest, "refused: Bad filter"),
    (400, {"error": "Bad filter"}, InvalidRequest, "refused: Bad filter"),
    (400, {"message": "Bad filter."}, InvalidRequest, r"refused: Bad filter\.$"),
    (400, {}, InvalidRequest, "rejected"),
    (403, {}, PermissionMissing, "Monitoring"),
    (403, {"errorMessage": "insufficient_scope"}, PermissionMissing, "insufficient_scope"),
    (404, {}, NotFound, "does not know"),
    (405, {}, InvalidRequest, "status 405"),
    (500, {"resultCode": "FAILURE"}, Unavailable, "failed inside"),
    (502, "<html>", Unavailable, "failed inside"),
    (404, "<html>", NotFound, "no NinjaOne API"),
]


@pytest.mark.parametrize("status, body, kind, words", ERRORS)
def test_errors_have_their_class_and_their_words(
    status: int, body: Any, kind: type[Exception], words: str
) -> None:
    says(LIST, body, status)
    with open_client() as http, pytest.raises(kind, match=words) as caught:
        http.read(LIST)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "method, path, scope",
    [
        ("GET", "/v2/organizations", "Monitoring"),
        ("GET", "/v2/queries/os-patches", "Monitoring"),
        ("GET", "/v2/device/7", "Monitoring"),
        ("DELETE", "/v2/alert/ab-cd", "Management"),
        ("POST", "/v2/alert/ab-cd/reset", "Management"),
        ("POST", "/v2/device/7/script/run", "Management"),
        ("POST", "/v2/device/7/reboot/NORMAL", "Management"),
        ("PUT", "/v2/device/7/maintenance", "Management"),
        ("GET", "/v2/device/7/dashboard-url", "Control"),
    ],
)
def test_a_refusal_names_the_scope(method: str, path: str, scope: str) -> None:
    says(path, {}, 403, method=method)
    with open_client() as http, pytest.raises(PermissionMissing, match=f"scope {scope}"):
        http.read(path) if method == "GET" else http.write(method, path, json={})


def test_the_webhook_takes_an_administrator() -> None:
    says("/v2/webhook", {}, 403, method="PUT")
    with open_client() as http, pytest.raises(AdministratorNeeded, match="System Administrator"):
        http.write("PUT", "/v2/webhook", json={})


@pytest.mark.parametrize("headers, seconds", [({"Retry-After": "57"}, 57.0), ({}, 10.0)])
def test_patience_is_asked_for(headers: dict[str, str], seconds: float) -> None:
    says(LIST, {}, 429, **headers)
    with open_client() as http, pytest.raises(RateLimited) as caught:
        http.read(LIST)
    assert caught.value.retry_after == seconds


def test_a_session_that_cannot_be_renewed_is_refused_credentials() -> None:
    says(LIST, {}, 401)
    says("/ws/oauth/token", {"error": "invalid_grant"}, 400)
    with open_client() as http, pytest.raises(AuthFailed):
        http.read(LIST)


def test_another_kind_of_sign_in_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="in the browser"):
        ninjaone().client(connection("api_key"))


class TestScopes:
    def test_they_are_those_of_the_session(self) -> None:
        assert granted(signed_in("monitoring control")) == {"monitoring", "control"}
        assert is_missing(signed_in("monitoring"), "control")
        assert not is_missing(signed_in("monitoring control"), "control")

    def test_what_nobody_said_is_not_missing(self) -> None:
        assert granted(signed_in("")) is None
        assert not is_missing(signed_in(""), "control")
        assert not is_missing(connection(), "control")


class TestOrganizations:
    def rows(self, *rows: dict[str, Any]) -> list[Organization]:
        lists("/v2/organizations-detailed", list(rows))
        return list(ninjaone().organizations(signed_in()))

    def test_description_and_locations_come_along(self) -> None:
        (found,) = self.rows(
            {
                "id": 2,
                "name": " Northwind ",
                "description": "Dentists",
                "nodeApprovalMode": "AUTOMATIC",
                "locations": [{"id": 5, "name": "Main office", "address": "1 Main St"}, {"id": 6}],
                "policies": [],
            }
        )
        assert found == Organization(
            external_id="2",
            name="Northwind",
            metadata={"description": "Dentists", "locations": {"5": "Main office", "6": "Location 6"}},
        )

    @pytest.mark.parametrize(
        "more", [{}, {"name": None, "description": "", "locations": None}, {"name": " "}]
    )
    def test_what_is_missing_stays_so(self, more: dict[str, Any]) -> None:
        assert self.rows({"id": 2, **more}) == [Organization(external_id="2", name="Organization 2")]

    def test_one_that_is_told_twice_is_one(self) -> None:
        assert len(self.rows({"id": 2, "name": "A"}, {"id": 2, "name": "B"})) == 1

    def test_a_list_that_lacks_one_is_an_error(self) -> None:
        with pytest.raises(BadResponse, match="not complete"):
            self.rows({"id": 1, "name": "A"}, {"id": 2, "name": 5})


def test_a_page_is_as_large_as_what_is_used_in_the_field() -> None:
    assert client_module.PAGE == 1000
