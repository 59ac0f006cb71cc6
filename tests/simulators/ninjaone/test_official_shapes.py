"""Every answer against the vendor's own description and captures, where they are at hand."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from simulators.ninjaone.conditions import CONDITIONS
from simulators.ninjaone.enums import ACTIVITY_TYPES, NODE_CLASSES
from tests.harness.recordings import description, example
from tests.harness.shapes import Shapes
from tests.simulators.ninjaone.asking import answers

FILE = description("ninjaone-subset.json")
CAPTURE = example("ninjaone-webhook-condition-triggered.json")
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason=f"no official description of the API in {FILE}")

RICHER = ("/device/{id}",)
"""Addresses whose real answers hold more keys than described."""


@functools.cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def described() -> dict[str, Any]:
    """Schemas of the answers, by address."""
    found: dict[str, Any] = {}
    if not FILE.is_file():
        return {"none": None}
    for path, methods in document()["paths"].items():
        for answer in methods.get("get", {}).get("responses", {}).values():
            content = answer.get("content", {}).get("application/json", {})
            if "schema" in content:
                found[path.removeprefix("/v2")] = content["schema"]
    return found


@pytest.fixture(scope="module")
def told(shared):
    """A server with alerts, a job and a window."""
    shared.lab.settings.jobs = "manual"
    device = shared.lab.device(node_class="WINDOWS_WORKSTATION").id
    shared.control("conditions/trigger", device_id=device)
    shared.call("POST", f"/v2/device/{device}/script/run", json={"type": "SCRIPT", "id": 12})
    shared.call("PUT", f"/v2/device/{device}/maintenance", json={"disabledFeatures": ["PATCHING"]})
    return shared


@pytest.mark.parametrize("path", described())
def test_an_answer_is_as_described(told, path):
    shapes = Shapes(document(), nullable=True, closed=path not in RICHER)
    for answer in answers(told, path):
        assert sorted(set(shapes.faults(answer, described()[path]))) == []


def test_a_webhook_has_the_keys_of_the_captured_one(ninja, receiver):
    captured = json.loads(CAPTURE.read_text())["body"]
    webhook = {"url": f"{receiver.url}/hook", "activities": {"CONDITION": ["TRIGGERED"]}}
    webhook["expand"] = ["device", "organization", "location"]
    assert ninja.call("PUT", "/v2/webhook", json=webhook).status_code == 204
    host = ninja.lab.device(node_class="VMWARE_VM_HOST")
    host.parent_id, host.display_name = 6, "192.0.2.43"
    ninja.control("conditions/trigger", device_id=host.id, condition="Memory")
    ninja.deliver()
    (sent,) = receiver.bodies
    assert set(sent) == set(captured)
    assert set(sent["data"]["message"]["params"]) <= set(captured["data"]["message"]["params"])
    assert set(sent["device"]) - {"uid", "netbiosName"} == set(captured["device"])
    assert sent["device"]["references"].keys() == captured["device"]["references"].keys()
    for key in ("status", "statusCode", "activityType", "type", "message", "sourceName"):
        assert sent[key] == captured[key]


def test_the_codes_are_the_described_ones():
    schemas = document()["components"]["schemas"]
    assert set(ACTIVITY_TYPES) == set(schemas["Activity"]["properties"]["activityType"]["enum"])
    assert set(NODE_CLASSES) == set(schemas["Device"]["properties"]["nodeClass"]["enum"])
    sources = set(schemas["Alert"]["properties"]["sourceType"]["enum"])
    assert {one.source_type for one in CONDITIONS.values()} <= sources
