"""What the provider relies on, held against Huntress's official descriptions and examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rmm_extension.domain.types import AlertEvent
from rmm_extension.providers.huntress import webhooks
from rmm_extension.providers.huntress.agents import device_of
from rmm_extension.providers.huntress.changes import ESCALATIONS, INCIDENTS
from rmm_extension.providers.huntress.events import of_escalation, of_incident
from rmm_extension.providers.huntress.report import Known, incident_report
from tests.harness.recordings import description, example
from tests.harness.shapes import Shapes
from tests.providers.huntress.accounts import NOON, agent, escalation, in_rest, in_webhook, remediation
from tests.providers.huntress.test_webhooks import of_escalation as escalation_event
from tests.providers.huntress.test_webhooks import request

REST, WEBHOOKS = "huntress-rest-swagger.json", "huntress-webhooks-openapi.json"


def document(path: Path) -> Any:
    if not path.is_file():
        pytest.skip(f"{path.name} is not at hand: name the folder above it in VENDOR_RECORDINGS")
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def rest() -> Any:
    return document(description(REST))


@pytest.fixture(scope="module")
def hooks() -> Any:
    return document(description(WEBHOOKS))


@pytest.mark.parametrize(
    "name, row",
    [
        ("Agent", agent()),
        ("IncidentReport", in_rest()),
        ("Remediation", remediation()),
        ("Escalation", escalation()),
    ],
)
def test_the_rows_of_these_tests_have_documented_fields_alone(
    rest: Any, name: str, row: dict[str, Any]
) -> None:
    assert row.keys() <= rest["definitions"][name]["properties"].keys()


@pytest.mark.parametrize(
    "method, path",
    [
        ("get", "/v1/account"),
        ("get", "/v1/actor"),
        ("get", "/v1/organizations/{id}"),
        ("get", "/v1/agents/{id}"),
        ("get", "/v1/incident_reports/{id}"),
        ("get", "/v1/incident_reports/{incident_report_id}/remediations"),
        ("get", "/v1/escalations/{id}"),
        ("post", "/v1/incident_reports/{id}/resolution"),
        ("post", "/v1/escalations/{id}/resolution"),
        ("post", "/v1/agents/{id}/isolation"),
        ("delete", "/v1/agents/{id}/isolation"),
    ],
)
def test_every_call_is_documented(rest: Any, method: str, path: str) -> None:
    assert method in rest["paths"][path]


@pytest.mark.parametrize("path", [INCIDENTS, ESCALATIONS, "/v1/agents", "/v1/organizations"])
def test_lists_can_be_asked_for_as_they_are(rest: Any, path: str) -> None:
    known = {one["name"]: one for one in rest["paths"][path]["get"]["parameters"]}
    assert {"id", "updated_at"} <= set(known["sort_field"]["enum"])
    assert {"asc", "desc"} == set(known["sort_direction"]["enum"])
    assert "page_token" in known
    assert known["limit"]["maximum"] == 500


def test_every_documented_event_is_an_alert_or_not_used(hooks: Any) -> None:
    taken = {
        name for name in hooks["webhooks"] if webhooks.parse(request({**in_webhook(), "event_type": name}))
    }
    assert taken == {
        "incident_report.created",
        "incident_report.closed",
        "incident_report.comment_added",
        "escalation.created",
        "escalation.closed",
        "escalation.overdue",
    }
    assert len(hooks["webhooks"]) == 11


@pytest.mark.parametrize(
    "name, body",
    [
        ("IncidentReportCreated", in_webhook("created")),
        ("IncidentReportCommentAdded", in_webhook("comment_added", comment="x")),
        ("EscalationCreated", escalation_event("created")),
        ("EscalationOverdue", escalation_event("overdue", message=None)),
    ],
)
def test_the_bodies_of_these_tests_have_the_documented_shape(
    hooks: Any, name: str, body: dict[str, Any]
) -> None:
    shapes = Shapes(hooks)
    parts = hooks["components"]["schemas"][name]["allOf"]
    assert [fault for part in parts for fault in shapes.faults(body, part)] == []


def test_the_official_examples_are_read() -> None:
    (row,) = document(example("huntress-list-agents.json"))["body"]["agents"]
    assert device_of(row, NOON, full=True).serial == "wtIe1bvDbh"
    (row,) = document(example("huntress-list-incident_reports.json"))["body"]["incident_reports"]
    event = of_incident(row, NOON)
    assert event is not None
    assert (event.kind, event.vendor_status, event.device_name) == ("reset", "closed", "laptop01")
    assert r"- Delete File (manual, completed): path c:\windows\system32" in incident_report(row, Known())


def test_the_official_webhook_is_read() -> None:
    body = document(example("huntress-webhook-incident_report-created.json"))["body"]
    (event,) = webhooks.parse(request(body))
    assert isinstance(event, AlertEvent)
    assert (event.external_id, event.external_device_id, event.external_organization_id) == (
        "1234",
        "12",
        "4",
    )
    assert (event.severity, event.device_name) == ("critical", "DESKTOP-ARL0EQ1")


def test_the_documented_example_of_an_escalation_is_read(rest: Any) -> None:
    fields = rest["definitions"]["EscalationWithEntities"]["properties"]
    event = of_escalation({name: one["example"] for name, one in fields.items()}, NOON)
    assert (event.external_id, event.kind, event.external_organization_id) == (
        "escalation:84938",
        "reset",
        "1234",
    )
    assert "- Agent laptop01" in (event.report or "")
