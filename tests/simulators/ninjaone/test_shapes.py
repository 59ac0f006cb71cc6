"""Every answer against schemas of our own: the keys a client needs, and their types."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulators.ninjaone.app import VENDOR_MODULES
from tests.harness.shapes import Shapes
from tests.simulators.ninjaone.asking import answers

DOCUMENT = json.loads((Path(__file__).with_name("schemas") / "answers.json").read_text())
SHAPES = Shapes(DOCUMENT)


@pytest.fixture(scope="module")
def told(shared):
    """A server on which something is on and something runs."""
    shared.lab.settings.jobs = "manual"
    device = shared.lab.device(node_class="WINDOWS_WORKSTATION").id
    for name in ("Disk almost full", "Event log", "Uptime"):
        shared.control("conditions/trigger", device_id=device, condition=name)
    shared.call("POST", f"/v2/device/{device}/script/run", json={"type": "SCRIPT", "id": 12})
    window = {"disabledFeatures": ["PATCHING"], "end": "2099-01-01T00:00:00Z", "reasonMessage": "Umbau"}
    assert shared.call("PUT", f"/v2/device/{device}/maintenance", json=window).status_code == 204
    return shared


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_an_answer_has_its_shape(told, path):
    for answer in answers(told, path):
        assert answer not in ([], {}), "an empty answer shows nothing"
        assert list(SHAPES.faults(answer, DOCUMENT["paths"][path])) == []


def test_every_address_that_is_read_has_a_schema():
    addresses = {
        one.rule.replace("<int:device_id>", "{id}").replace("<int:organization_id>", "{id}")
        for module in VENDOR_MODULES
        for one in module.ENDPOINTS
        if "GET" in one.actions
    }
    unwritten = {
        "/device/{id}/software-patches",
        "/device/{id}/software-patch-installs",
        "/device/{id}/network-interfaces",
    }
    assert addresses - unwritten == set(DOCUMENT["paths"])


def test_a_webhook_has_its_shape(ninja, receiver):
    webhook = {"url": f"{receiver.url}/hook", "activities": {"CONDITION": ["*"]}, "expand": ["device"]}
    assert ninja.call("PUT", "/v2/webhook", json=webhook).status_code == 204
    ninja.control("conditions/trigger", device_id=1)
    ninja.deliver()
    assert list(SHAPES.faults(receiver.bodies[0], DOCUMENT["webhook"])) == []


def test_a_fault_is_seen():
    assert list(SHAPES.faults([{"id": "7"}], DOCUMENT["paths"]["/locations"])) == [
        "$[0].name is missing",
        "$[0].organizationId is missing",
        "$[0].id is str, not integer",
    ]
