"""The text of a ticket."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.providers.huntress.report import Known, escalation_report, incident_page, incident_report
from tests.providers.huntress.accounts import agent, escalation, in_rest, in_webhook, remediation
from tests.providers.huntress.test_webhooks import _JSON

WHOLE = Known(subdomain="acme-msp", agent=agent(), remediations=[remediation()], is_whole=True)


def test_an_incident_with_all_that_is_known() -> None:
    assert incident_report(in_rest(), WHOLE) == "\n".join(
        [
            "Severity: Critical",
            "Status: Sent",
            "Platform: Windows",
            "Indicators: Footholds (1), Process detections (2)",
            "Reported: 9 Oct 2026, 03:05 UTC",
            "",
            "Summary of Huntress's analysts",
            "Huntress detected a malicious scheduled task on this host.",
            "",
            "Host",
            "Hostname: DESKTOP-ARL0EQ1",
            "Operating system: Windows 11 Pro",
            "Internal address: 10.0.0.12",
            "External address: 198.51.100.42",
            "Serial number: wtIe1bvDbh",
            "Last heard of: 9 Oct 2026, 11:40 UTC",
            "",
            "Remediations",
            r"- Delete File (assisted, approved): path c:\windows\evil.exe",
            "",
            "Details",
            "A task runs at start.",
            "",
            "In Huntress: https://acme-msp.huntress.io/incident_reports/1234",
        ]
    )


def test_without_a_host_its_organization_stands_there() -> None:
    by_webhook = incident_report(in_webhook(agent_id=None), Known())
    assert "Organization\nName: Acme Corp" in by_webhook
    assert "Host\n" not in by_webhook
    read = Known(organization={"id": 4, "name": "Acme Corp"}, is_whole=True)
    assert "Organization\nName: Acme Corp" in incident_report(in_rest(agent_id=None), read)


@pytest.mark.parametrize("count, more", [(25, None), (26, "- and 1 more"), (1300, "- and 1,275 more")])
def test_many_remediations_are_told_by_their_number(count: int, more: str | None) -> None:
    known = Known(remediations=[remediation(number) for number in range(count)], is_whole=True)
    lines = incident_report(in_rest(), known).splitlines()
    listed = [line for line in lines if line.startswith("- Delete File")]
    assert len(listed) == 25
    assert [line for line in lines if line.startswith("- and")] == ([more] if more else [])


def test_of_those_that_a_list_leaves_out_the_number_is_told() -> None:
    told = {"total_count": 14, "has_more": True, "items": [remediation(number) for number in range(10)]}
    assert "- and 4 more" in incident_report(in_rest(remediations=told), Known())


@pytest.mark.parametrize(
    "parameters, ending",
    [
        ("PC-1 was isolated", ": PC-1 was isolated"),
        (None, ""),
        ([], ""),
        ([{"name": "path", "value": "x"}, "odd", {"name": "only a name"}], ": path x"),
    ],
)
def test_what_a_remediation_was_given(parameters: Any, ending: str) -> None:
    known = Known(remediations=[remediation(parameters=parameters)], is_whole=True)
    assert f"- Delete File (assisted, approved){ending}\n" in incident_report(in_rest(), known)


@pytest.mark.parametrize(
    "subdomain, address",
    [
        ("acme-msp", "https://acme-msp.huntress.io/incident_reports/7"),
        ("", "https://huntress.io/incident_reports/7"),
        ("evil.example/", "https://huntress.io/incident_reports/7"),
        ("a b", "https://huntress.io/incident_reports/7"),
    ],
)
def test_the_link_leads_to_huntress(subdomain: str, address: str) -> None:
    assert incident_page(subdomain, "7") == address


def test_an_escalation() -> None:
    several = [{"id": 4, "name": "Acme Corp"}, {"id": 5, "name": "Globex"}]
    entities = {"items": [{"id": 1, "type": "Agent", "details": {"hostname": "laptop01"}}, {"id": 2}]}
    row = escalation(organizations=several, entities=entities, subtype="US")
    assert escalation_report(row, Known(subdomain="acme-msp")) == "\n".join(
        [
            "Type: Environmental Issue",
            "Kind: US",
            "Severity: High",
            "Status: Open",
            "Reported: 9 Oct 2026, 02:00 UTC",
            "",
            "Organizations",
            "- Acme Corp",
            "- Globex",
            "",
            "It is about",
            "- Agent laptop01",
            "- 2",
            "",
            "In Huntress: https://acme-msp.huntress.io/escalations",
        ]
    )


@given(st.dictionaries(st.sampled_from([*in_rest(), "organization", "organizations", "entities"]), _JSON))
def test_whatever_stands_in_the_fields_there_is_a_text(odd: dict[str, Any]) -> None:
    assert "In Huntress: " in incident_report(in_rest() | odd, Known(agent=agent() | odd, remediations=[odd]))
    assert "In Huntress: " in escalation_report(escalation() | odd, Known())
