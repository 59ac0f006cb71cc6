"""The rate limit of the simulated Huntress: an exact sliding window, told by the control API."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.huntress.throttle import Meter


def _admitted(meter: Meter, times: list[float], limit: int = 60) -> list[bool]:
    return [meter.admit(at, limit, 60.0, enforced=True) for at in times]


def test_the_documents_own_example():
    meter = Meter()
    assert all(_admitted(meter, [0.0, 5.0, *[10.0] * 58]))
    assert _admitted(meter, [55.0, 61.0, 61.0, 65.0, 65.001]) == [False, True, False, False, True]
    assert (meter.refused, meter.most) == (3, 63)


@given(st.lists(st.floats(0, 50, allow_nan=False), max_size=60), st.integers(1, 8))
def test_no_window_holds_more_than_the_limit(gaps, limit):
    meter, now, times, admitted = Meter(), 0.0, [], []
    for gap in gaps:
        now += gap
        times.append(now)
        if meter.admit(now, limit, 60.0, enforced=True):
            admitted.append(now)

    def fullest(moments):
        counts = [
            sum(0 <= end - at <= 60.0 for at in moments[: place + 1]) for place, end in enumerate(moments)
        ]
        return max(counts, default=0)

    assert fullest(admitted) <= limit
    assert meter.most == fullest(times)
    assert meter.refused == len(times) - len(admitted) == meter.above


def test_a_request_too_many_is_refused_until_the_window_has_passed(start_huntress):
    huntress = start_huntress(rate_enforced=True, rate_limit=3, rate_window=30.0)
    assert [huntress.get("/v1/account").status_code for _ in range(4)] == [200, 200, 200, 429]
    reply = huntress.get("/v1/agents", by="reader")
    assert (reply.status_code, "Retry-After" in reply.headers) == (429, False)
    huntress.control("time", shift_seconds=31)
    assert huntress.get("/v1/account").status_code == 200
    seen = huntress.rate()
    assert (seen["total"], seen["most_in_window"], seen["refused"], seen["above_limit"]) == (6, 5, 2, 2)


def test_a_retry_after_can_be_told(start_huntress):
    huntress = start_huntress(rate_enforced=True, rate_limit=0, retry_after="7")
    assert huntress.get("/v1/account").headers["Retry-After"] == "7"


def test_the_limit_can_be_counted_only(start_huntress):
    huntress = start_huntress(rate_limit=2)
    assert [huntress.get("/v1/account").status_code for _ in range(5)] == [200] * 5
    seen = huntress.rate()
    assert (seen["most_in_window"], seen["refused"], seen["above_limit"]) == (5, 0, 3)
    assert huntress.control("rate/reset")["most_in_window"] == 0


def test_strangers_do_not_count_and_faults_do(huntress):
    huntress.get("/v1/account", auth=("a", "b"))
    huntress.fault("server_error", prefix="/v1", count=1)
    assert huntress.get("/v1/account").status_code == 500
    assert huntress.get("/v1/nothing").status_code == 404
    assert huntress.rate()["total"] == 2


def test_many_at_once_are_counted_exactly(start_huntress):
    huntress = start_huntress(rate_enforced=True, rate_limit=15)
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: huntress.get("/v1/account").status_code, range(40)))
    assert (codes.count(200), codes.count(429)) == (15, 25)
    assert (huntress.rate()["most_in_window"], huntress.rate()["refused"]) == (40, 25)


@pytest.mark.parametrize("mode, status", [("throttled", 429), ("unauthorized", 401), ("forbidden", 403)])
def test_faults_answer_in_the_vendors_form(huntress, mode, status):
    huntress.fault(mode, prefix="/v1/agents", count=1)
    reply = huntress.get("/v1/agents")
    assert (reply.status_code, list(reply.json())) == (status, ["error"])
    assert huntress.get("/v1/agents").status_code == 200


def test_a_wrong_shape_is_json(huntress):
    huntress.fault("wrong_shape", prefix="/v1", count=1)
    assert huntress.get("/v1/agents").json()["pagination"] == 7
    huntress.fault("dashboard_html", prefix="/v1", count=1)
    assert huntress.get("/v1/agents").text.startswith("<!doctype html>")
