"""Every answer and webhook against schemas of our own: the keys a client needs, and their types."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulators.huntress.app import VENDOR_MODULES
from simulators.huntress.enums import EVENT_TYPES
from tests.harness.shapes import Shapes
from tests.simulators.huntress.telling import answers, busy, send_everything

DOCUMENT = json.loads((Path(__file__).with_name("schemas") / "answers.json").read_text())
SHAPES = Shapes(DOCUMENT)


@pytest.fixture(scope="module")
def told(shared):
    """A server that has all to tell."""
    return busy(shared)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_an_answer_has_its_shape(told, path):
    found = answers(told, path)
    assert found
    for answer in found:
        assert all(answer[name] != [] for name in answer), "an empty answer shows nothing"
        assert list(SHAPES.faults(answer, DOCUMENT["paths"][path])) == []


def test_every_address_that_is_read_has_a_schema():
    addresses = {
        one.rule.replace("<int:remediation_id>", "{rid}")
        for module in VENDOR_MODULES
        for one in module.ADDRESSES
        if "GET" in one.actions
    }
    ids = ("organization_id", "agent_id", "incident_id", "escalation_id", "report_id")
    for name in ids:
        addresses = {one.replace(f"<int:{name}>", "{id}") for one in addresses}
    assert addresses == set(DOCUMENT["paths"])


def test_every_webhook_has_its_shape(huntress, receiver):
    huntress.webhook(f"{receiver.url}/hook")
    send_everything(huntress)
    assert {one["event_type"] for one in receiver.bodies} == set(EVENT_TYPES)
    for body in receiver.bodies:
        subject, _, happening = body["event_type"].partition(".")
        schema = DOCUMENT["webhooks"]["notification" if happening == "notification" else subject]
        assert list(SHAPES.faults(body, schema)) == []


def test_a_fault_is_seen(told):
    incident = told.raise_incident()
    told.control(f"incidents/{incident}/poison")
    row = told.get(f"/v1/incident_reports/{incident}").json()
    found = list(SHAPES.faults(row, DOCUMENT["paths"]["/incident_reports/{id}"]))
    assert "$.incident_report.subject is int, not string" in found
    assert len(found) == 7
