"""Every answer and webhook against the vendor's own descriptions and examples, where they are at hand."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from simulators.huntress import enums
from tests.harness.recordings import description, example
from tests.harness.shapes import Shapes
from tests.simulators.huntress.telling import answers, busy, send_everything

REST, WEBHOOKS = description("huntress-rest-swagger.json"), description("huntress-webhooks-openapi.json")
pytestmark = [
    pytest.mark.skipif(not one.is_file(), reason=f"no official description of the API in {one}")
    for one in (REST, WEBHOOKS)
]

CONTRADICTED = {
    ("OrganizationWithActualProductUsages", "actual_usages"),
    ("Remediation", "parameters"),
    ("Escalation", "organizations"),
    ("EscalationWithEntities", "organizations"),
}
"""Properties whose examples have another type than is described."""
UNDEFINED = ("Organization", "OrganizationWithActualProductUsages")
"""Definitions that require properties which they do not define."""
DESCRIBED = {
    "/incident_reports/{id}/remediations": "/incident_reports/{incident_report_id}/remediations",
    "/incident_reports/{id}/remediations/{rid}": (
        "/incident_reports/{incident_report_id}/remediations/{remediation_id}"
    ),
}
"""Addresses whose ids have another name there."""
TYPES = {"Object": "object", "Account": "object"}
"""Types that are none of JSON Schema's."""
READ = (
    *("/account", "/actor", "/organizations", "/organizations/{id}", "/agents", "/agents/{id}"),
    *("/incident_reports", "/incident_reports/{id}", "/escalations", "/escalations/{id}"),
    *("/incident_reports/{id}/remediations", "/incident_reports/{id}/remediations/{rid}"),
    *("/reports", "/reports/{id}"),
)


@functools.cache
def document() -> dict[str, Any]:
    """The Swagger document with types that JSON Schema knows, and without what it gets wrong itself."""
    found: dict[str, Any] = json.loads(REST.read_text())
    for name, schema in found["definitions"].items():
        if name in UNDEFINED:
            schema.pop("required", None)
        for key, one in schema.get("properties", {}).items():
            if "type" in one:
                one["type"] = TYPES.get(one["type"], one["type"])
            if (name, key) in CONTRADICTED:
                one.clear()
    return found


def schema_of(path: str) -> Any:
    """The schema of a good answer to a GET."""
    answers_of = document()["paths"][f"/v1{DESCRIBED.get(path, path)}"]["get"]["responses"]
    return answers_of["200"]["schema"]


@pytest.fixture(scope="module")
def told(shared):
    """A server that has all to tell."""
    return busy(shared)


@pytest.mark.parametrize("path", READ)
def test_an_answer_is_as_described(told, path):
    shapes = Shapes(document(), nullable=True, closed=True)
    found = answers(told, path)
    assert found
    for answer in found:
        assert sorted(set(shapes.faults(answer, schema_of(path)))) == []


@pytest.mark.parametrize(
    "path, file, name",
    [
        ("/organizations", "huntress-list-organizations.json", "organizations"),
        ("/agents", "huntress-list-agents.json", "agents"),
        ("/incident_reports", "huntress-list-incident_reports.json", "incident_reports"),
    ],
)
def test_a_row_has_the_keys_of_the_example(told, path, file, name):
    wanted = json.loads(example(file).read_text())["body"]
    page = told.get(f"/v1{path}", params={"limit": 1}).json()
    assert set(page[name][0]) == set(wanted[name][0])
    assert set(page["pagination"]) == set(wanted["pagination"])


def test_the_account_has_the_keys_of_the_example(told):
    wanted = json.loads(example("huntress-get-account.json").read_text())["body"]
    assert set(told.get("/v1/account").json()["account"]) == set(wanted["account"])


def test_a_webhook_has_the_keys_of_the_example(huntress, receiver):
    wanted = json.loads(example("huntress-webhook-incident_report-created.json").read_text())["body"]
    huntress.webhook(f"{receiver.url}/hook")
    huntress.raise_incident(severity="critical")
    huntress.deliver()
    assert set(receiver.bodies[0]) == set(wanted)


def flattened(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """One object of all that `allOf` puts together."""
    if "$ref" in schema:
        return flattened(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    merged = {"type": "object", "required": [], "properties": {}, "additionalProperties": False}
    for part in [flattened(one, schemas) for one in schema["allOf"]] if "allOf" in schema else [schema]:
        merged["required"] += part.get("required", [])
        merged["properties"] |= part["properties"]
    return merged


def test_every_webhook_is_as_described(huntress, receiver):
    described = json.loads(WEBHOOKS.read_text())
    schemas = described["components"]["schemas"]
    huntress.webhook(f"{receiver.url}/hook")
    send_everything(huntress)
    assert {one["event_type"] for one in receiver.bodies} == set(described["webhooks"])
    for body in receiver.bodies:
        content = described["webhooks"][body["event_type"]]["post"]["requestBody"]["content"]
        schema = flattened(content["application/json"]["schema"], schemas)
        assert schema["properties"]["event_type"] == {"const": body["event_type"]}
        assert list(Shapes(described).faults(body, schema)) == []


def parameters(path: str) -> dict[str, Any]:
    """Parameters of a GET, by name."""
    return {one["name"]: one for one in document()["paths"][f"/v1{path}"]["get"]["parameters"]}


def test_the_words_are_the_described_ones():
    incidents, escalations = parameters("/incident_reports"), parameters("/escalations")
    assert incidents["status"]["enum"] == list(enums.STATUSES)
    assert incidents["severity"]["enum"] == list(enums.SEVERITIES)
    assert incidents["platform"]["enum"] == list(enums.PLATFORMS)
    assert incidents["indicator_type"]["enum"] == list(enums.INDICATORS)
    assert escalations["status"]["enum"] == list(enums.ESCALATION_FILTERS)
    assert parameters("/agents")["platform"]["enum"] == list(enums.HOST_PLATFORMS)
    assert parameters("/reports")["type"]["enum"] == list(enums.REPORT_TYPES)


@pytest.mark.parametrize(
    "path", ["/organizations", "/agents", "/incident_reports", "/escalations", "/reports"]
)
def test_every_described_parameter_is_understood(told, path):
    for name, one in parameters(path).items():
        for value in one.get("enum", []):
            assert told.get(f"/v1{path}", params={name: value}).status_code == 200
        if "enum" in one:
            assert told.get(f"/v1{path}", params={name: "no such word"}).status_code == 400
    limit = parameters(path)["limit"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 500, 10)
