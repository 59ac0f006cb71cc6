"""Incidents and escalations as alerts: one table, whichever way they came."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import responses

from rmm_extension.domain.types import AlertEvent, AlertKind, Severity
from rmm_extension.providers.huntress.events import Nameless, Unreadable, of_escalation, of_incident
from tests.providers.huntress.accounts import (
    CHANGED,
    NOON,
    SINCE,
    SUBJECT,
    SUMMARY,
    agent,
    connection,
    escalation,
    huntress,
    in_rest,
    in_webhook,
    lists,
    says,
)
from tests.providers.huntress.test_webhooks import told

OF_THE_CHANNEL: dict[str, Any] = {"report": None, "is_partial": False, "raw": {}}
"""What one channel tells and another does not: the text of the ticket, whether it is whole, what was sent."""


def same(event: AlertEvent) -> AlertEvent:
    return msgspec.structs.replace(event, **OF_THE_CHANNEL)


def listed(row: dict[str, Any]) -> AlertEvent:
    lists("/v1/incident_reports", [row])
    lists("/v1/escalations", [])
    (event,) = huntress().alert_changes(connection(), SINCE).events
    return event


def fetched(row: dict[str, Any], external_id: str = "1234") -> AlertEvent:
    says("/v1/incident_reports/1234", {"incident_report": row})
    says("/v1/agents/12", {"agent": agent()})
    says("/v1/organizations/4", {"organization": {"id": 4, "name": "Acme Corp"}})
    event = huntress().alert(connection(), external_id)
    assert event is not None
    return event


@responses.activate
@pytest.mark.parametrize("status", ["sent", "auto_remediating", "closed", "dismissed", "partner_dismissed"])
@pytest.mark.parametrize("agent_id", [12, None], ids=["of a host", "of no host"])
def test_one_incident_is_the_same_through_each_channel(status: str, agent_id: int | None) -> None:
    row = in_rest(status=status, agent_id=agent_id)
    by_webhook = told(in_webhook(status=status, agent_id=agent_id))
    by_list, by_itself = listed(row), fetched(row)
    assert same(by_webhook) == same(by_list) == same(by_itself)
    assert by_webhook.is_partial
    assert by_list.is_partial
    assert not by_itself.is_partial


@responses.activate
@pytest.mark.parametrize("status", ["open", "overdue", "resolved"])
def test_one_escalation_is_the_same_through_each_channel(status: str) -> None:
    row = escalation(status=status)
    by_webhook = told({**row, "event_type": "escalation.created", "total_organizations_impacted": 1})
    lists("/v1/incident_reports", [])
    lists("/v1/escalations", [row])
    (by_list,) = huntress().alert_changes(connection(), SINCE).events
    says("/v1/escalations/84938", {"escalation": {**row, "entities": {"items": []}}})
    by_itself = huntress().alert(connection(), "escalation:84938")
    assert by_itself is not None
    assert same(by_webhook) == same(by_list) == same(by_itself)
    assert not by_itself.is_partial


def incident(**changes: Any) -> AlertEvent:
    event = of_incident(in_rest(**changes), NOON)
    assert event is not None
    return event


def test_what_an_incident_says() -> None:
    event = incident()
    assert (event.external_id, event.condition) == ("1234", "1234")
    assert (event.external_device_id, event.external_organization_id) == ("12", "4")
    assert (event.occurred_at, event.vendor_status) == (CHANGED, "sent")
    assert (event.alert_class, event.activity_type, event.source_type) == (
        "Incident report",
        "incident_report",
        "windows",
    )
    assert (event.title, event.message, event.device_name) == (SUBJECT, SUMMARY, "DESKTOP-ARL0EQ1")


@pytest.mark.parametrize(
    "word, severity",
    [
        ("critical", Severity.CRITICAL),
        ("high", Severity.MAJOR),
        ("low", Severity.MINOR),
        ("LOW", Severity.MINOR),
        ("odd", Severity.NONE),
        (None, Severity.NONE),
    ],
)
def test_severities(word: object, severity: Severity) -> None:
    assert incident(severity=word).severity is severity
    assert of_escalation(escalation(severity=word), NOON).severity is severity


@pytest.mark.parametrize(
    "status, kind",
    [
        ("sent", AlertKind.TRIGGERED),
        ("auto_remediating", AlertKind.TRIGGERED),
        ("something new", AlertKind.TRIGGERED),
        (None, AlertKind.TRIGGERED),
        ("closed", AlertKind.RESET),
        ("CLOSED", AlertKind.RESET),
        ("dismissed", AlertKind.RESET),
        ("partner_dismissed", AlertKind.RESET),
        ("resolved", AlertKind.RESET),
    ],
)
def test_statuses(status: str | None, kind: AlertKind) -> None:
    assert incident(status=status).kind is kind


def test_one_that_is_being_deleted_is_none() -> None:
    assert of_incident(in_rest(status="deleting"), NOON) is None


@pytest.mark.parametrize(
    "row, expected",
    [
        ({"organization": {"id": 4, "name": "A"}}, "4"),
        ({"organization_id": 4}, "4"),
        ({"organization": {"id": 4}, "organization_id": 9}, "4"),
        ({"organization": {"id": None, "name": None}, "organization_id": 9}, "9"),
        ({"organization": {"id": None, "name": None}, "organization_id": None}, None),
        ({}, None),
    ],
)
def test_an_organization_in_either_shape(row: dict[str, Any], expected: str | None) -> None:
    event = of_incident({"id": 1, **row}, NOON)
    assert event is not None
    assert event.external_organization_id == expected


@pytest.mark.parametrize(
    "organizations, expected",
    [
        ([{"id": 4, "name": "A"}], "4"),
        ([{"id": 4}, {"id": 5}], None),
        ([], None),
        (["Acme"], None),
        (None, None),
    ],
)
def test_an_escalation_of_several_organizations_is_of_none(organizations: Any, expected: str | None) -> None:
    event = of_escalation(escalation(organizations=organizations), NOON)
    assert event.external_organization_id == expected
    assert event.external_device_id is None


@pytest.mark.parametrize(
    "subject, host",
    [
        (SUBJECT, "DESKTOP-ARL0EQ1"),
        ("LOW - Incident on SRV-1 (Acme (UK))", "SRV-1"),
        ("HIGH - Incident on SRV-1", "SRV-1"),
        ("Huntress EDR Critical Incident Report | Incident on SRV-1 (Acme)", "SRV-1"),
        ("Something else", None),
        (None, None),
    ],
)
def test_the_host_that_the_subject_names(subject: str | None, host: str | None) -> None:
    assert incident(subject=subject).device_name == host
    assert incident(subject=subject, agent_id=None).device_name is None


def test_what_stands_in_for_what_is_missing() -> None:
    bare = of_incident({"id": 7}, NOON)
    assert bare is not None
    assert (bare.occurred_at, bare.title, bare.message) == (NOON, "An incident 7", None)
    assert incident(summary=None).message == "A task runs at start."
    assert incident(summary=" ", body=None).message == SUBJECT
    assert incident(updated_at="soon").occurred_at == CHANGED
    assert of_escalation({"id": 7}, NOON).title == "Escalation 7"


@pytest.mark.parametrize("number", [None, "", {}, [], True, "null"])
def test_without_an_id_there_is_no_alert(number: object) -> None:
    with pytest.raises(Nameless):
        of_incident(in_rest(id=number), NOON)
    with pytest.raises(Nameless):
        of_escalation(escalation(id=number), NOON)


@pytest.mark.parametrize(
    "name, value",
    [
        ("status", {"odd": 1}),
        ("severity", ["high"]),
        ("subject", True),
        ("summary", {"text": None}),
        ("organization_id", {"id": "x"}),
        ("organization", "Acme"),
        ("agent_id", [12]),
        ("platform", {}),
    ],
)
def test_what_decides_where_a_ticket_goes_is_read_or_refused(name: str, value: object) -> None:
    """A guess would put the ticket at the wrong client, or with no severity."""
    with pytest.raises(Unreadable) as caught:
        of_incident(in_rest(**{name: value}), NOON)
    assert caught.value.field == name


@pytest.mark.parametrize("name", ["indicator_types", "indicator_counts", "remediations", "body", "sent_at"])
def test_what_is_only_for_the_text_is_left_out_where_it_is_odd(name: str) -> None:
    assert incident(**{name: "odd"}).external_id == "1234"
