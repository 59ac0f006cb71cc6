"""Every answer against schemas of our own, and against description and examples where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulators.levelio.app import VENDOR_MODULES
from simulators.levelio.events import EVENT_TYPES
from tests.harness.recordings import description, example
from tests.harness.shapes import Shapes
from tests.simulators.levelio.asking import answer, busy, webhooks

DOCUMENT = json.loads((Path(__file__).with_name("schemas") / "answers.json").read_text())
SHAPES = Shapes(DOCUMENT)
FILE = description("level-v2-RECONSTRUCTED.json")
EXAMPLES = {
    "list": example("level-list-alerts.json"),
    "alert": example("level-webhook-alert-active.DERIVED.json"),
    "envelope": example("level-webhook-envelope.json"),
}
described = pytest.mark.skipif(not FILE.is_file(), reason=f"no description of the API in {FILE}")
captured = pytest.mark.skipif(
    not all(one.is_file() for one in EXAMPLES.values()), reason=f"no examples beside {EXAMPLES['list']}"
)


@pytest.fixture(scope="module")
def told(shared):
    return busy(shared)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_an_answer_has_its_shape(told, path):
    found = answer(told, path)
    assert found.get("data", found), "an empty answer shows nothing"
    assert list(SHAPES.faults(found, DOCUMENT["paths"][path])) == []


def test_every_address_that_is_read_has_a_schema():
    addresses = {
        one.rule.replace(name, "{id}")
        for module in VENDOR_MODULES
        for one in module.ENDPOINTS
        for name in [f"<{one.rule.partition('<')[2].partition('>')[0]}>"]
        if "GET" in one.actions
    }
    assert addresses == set(DOCUMENT["paths"])


def test_a_fault_is_seen():
    row = {"data": [{"id": 7, "name": "x", "device_count": 1, "other": 1}], "has_more": "yes"}
    assert list(SHAPES.faults(row, DOCUMENT["paths"]["/groups"])) == [
        "$.data[0].parent_id is missing",
        "$.data[0].child_ids is missing",
        "$.data[0].descendent_device_count is missing",
        "$.data[0].id is int, not string",
        "$.data[0].other is not known",
        "$.has_more is str, not boolean",
    ]


def test_webhooks_have_their_shape(level, receiver):
    level.add_webhook(f"{receiver.url}/hook")
    webhooks(level)
    assert len(receiver.bodies) == 4
    for body in receiver.bodies:
        assert list(SHAPES.faults(body, DOCUMENT["webhook"])) == []
        kind = body["event_type"].partition("_")[0]
        assert list(SHAPES.faults(body["data"], DOCUMENT["$defs"][kind])) == []


@described
@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_an_answer_is_as_described(told, path):
    document = json.loads(FILE.read_text())
    get = document["paths"][f"/v2{path}"]["get"]
    schema = get["responses"]["200"]["content"]["application/json"]["schema"]
    assert sorted(set(Shapes(document).faults(answer(told, path), schema))) == []


@described
def test_webhooks_are_as_described(level, receiver):
    document = json.loads(FILE.read_text())
    schemas = document["components"]["schemas"]
    assert set(EVENT_TYPES) == set(schemas["webhook_event"]["properties"]["event_type"]["enum"])
    level.add_webhook(f"{receiver.url}/hook")
    webhooks(level)
    for body in receiver.bodies:
        assert list(Shapes(document).faults(body, schemas["webhook_event"])) == []


@captured
def test_answers_and_webhooks_have_the_keys_of_the_examples(level, receiver):
    level.add_webhook(f"{receiver.url}/hook")
    level.raise_alert(level.lab.device(online=True, maintenance=False).id)
    level.deliver()
    bodies = {name: json.loads(path.read_text())["body"] for name, path in EXAMPLES.items()}
    listed = level.get("/v2/alerts").json()
    assert listed.keys() == bodies["list"].keys()
    assert listed["data"][0].keys() == bodies["list"]["data"][0].keys()
    (sent,) = receiver.bodies
    assert sent.keys() == bodies["alert"].keys() == bodies["envelope"].keys()
    assert sent["data"].keys() == bodies["alert"]["data"].keys()
