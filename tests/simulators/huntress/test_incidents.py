"""Incidents of the simulated Huntress: raising, remediating, resolving, and everything odd about them."""

from __future__ import annotations

import pytest


def _row(huntress, incident):
    return huntress.get(f"/v1/incident_reports/{incident}").json()["incident_report"]


def _list(huntress, **query):
    found = huntress.get("/v1/incident_reports", params={"limit": 500} | query).json()
    return [row["id"] for row in found["incident_reports"]]


def _post(huntress, incident, path="resolution", **options):
    return huntress.call("POST", f"/v1/incident_reports/{incident}/{path}", **options)


def test_an_incident_on_a_host(huntress):
    agent = huntress.lab.agent(platform="windows")
    incident = huntress.raise_incident(
        agent_id=agent.id, severity="critical", indicators={"process_detections": 2}, remediations=3
    )
    row = _row(huntress, incident)
    name = huntress.lab.fleet.organizations[agent.organization_id].name
    assert row["subject"] == f"CRITICAL - Incident on {agent.hostname} ({name})"
    assert (row["agent_id"], row["organization_id"]) == (agent.id, agent.organization_id)
    assert (row["status"], row["platform"], row["closed_at"]) == ("sent", "windows", None)
    assert row["sent_at"] == row["updated_at"] == row["status_updated_at"]
    assert row["indicator_types"] == ["process_detections"]
    assert (row["indicator_counts"]["process_detections"], row["indicator_counts"]["footholds"]) == (2, 0)
    assert row["remediations"]["total_count"] == len(row["remediations"]["items"]) == 3
    assert "created_at" not in row


def test_an_incident_of_an_organization_as_a_whole(huntress):
    incident = huntress.raise_incident(organization_id=22, severity="low", platform="google")
    row = _row(huntress, incident)
    assert (row["agent_id"], row["organization_id"], row["platform"]) == (None, 22, "google")
    assert row["subject"].startswith("LOW - Incident on ")


def test_the_body_is_html_with_entities(huntress):
    row = _row(huntress, huntress.raise_incident(indicators={"process_detections": 1, "managed_identity": 1}))
    assert "process <hidden window>" in row["summary"]
    assert "process &lt;hidden window&gt;" in row["body"]
    for part in (
        "<style>",
        "&amp;",
        "&nbsp;&ndash;",
        "&#39;",
        "<li>",
        "<table>",
        "<br/>",
        '<a href="https://',
    ):
        assert part in row["body"]


def test_texts_can_be_given(huntress):
    incident = huntress.raise_incident(subject="S", summary="T", body="<p>U</p>", status="auto_remediating")
    row = _row(huntress, incident)
    assert [row[key] for key in ("subject", "summary", "body", "status", "sent_at")] == [
        "S",
        "T",
        "<p>U</p>",
        "auto_remediating",
        None,
    ]


def test_incidents_are_narrowed(huntress):
    one = huntress.raise_incident(agent_id=5001, severity="low", indicators={"ransomware_canaries": 1})
    two = huntress.raise_incident(organization_id=23, severity="high", status="dismissed")
    for query, wanted in (
        ({"severity": "low"}, [one]),
        ({"status": "dismissed"}, [two]),
        ({"agent_id": 5001}, [one]),
        ({"organization_id": 23, "severity": "high"}, [two]),
        ({"platform": "microsoft_365"}, [two]),
        ({"indicator_type": "ransomware_canaries"}, [one]),
        ({"indicator_type": "ai_misuse"}, []),
    ):
        assert _list(huntress, **query) == wanted
    assert huntress.get("/v1/incident_reports", params={"status": "open"}).status_code == 400


def test_ten_remediations_come_with_their_incident(huntress):
    incident = huntress.raise_incident(remediations=12)
    told = _row(huntress, incident)["remediations"]
    assert (told["total_count"], told["has_more"], len(told["items"])) == (12, True, 10)
    path = f"/v1/incident_reports/{incident}/remediations"
    rows = huntress.get(path, params={"limit": 500, "sort_direction": "asc"}).json()["remediations"]
    assert rows[:10] == told["items"]
    assert len(rows) == 12
    assert huntress.get(f"{path}/{rows[11]['id']}").json() == {"remediation": rows[11]}
    assert huntress.get(f"{path}/1").status_code == 404


def test_remediations_are_narrowed_and_tell_what_is_to_be_done(huntress):
    incident = huntress.raise_incident(remediations=6)
    path = f"/v1/incident_reports/{incident}/remediations"

    def ask(**query):
        return huntress.get(path, params=query).json()["remediations"]

    assert {row["type"] for row in ask(**{"types[]": "manual,containment"})} == {"manual", "containment"}
    assert {row["type"] for row in ask(**{"types[]": ["manual", "assisted"]})} == {"manual", "assisted"}
    assert ask(**{"statuses[]": "completed"}) == []
    assert huntress.get(path, params={"types[]": "magic"}).status_code == 400
    by_type = {row["type"]: row["parameters"] for row in ask()}
    assert by_type["manual"] is None
    assert isinstance(by_type["containment"], str)
    assert by_type["assisted"][0]["name"] == "path"


def test_the_steps_fit_what_the_incident_is_about(huntress):
    mac = huntress.lab.agent(platform="darwin").id
    windows = huntress.lab.agent(platform="windows").id

    def actions(**where):
        row = _row(huntress, huntress.raise_incident(remediations=6, **where))
        return {one["action"] for one in row["remediations"]["items"]}

    assert "Delete Registry Value" in actions(agent_id=windows)
    assert "Delete Registry Value" not in actions(agent_id=mac)
    assert "Host Isolation" not in actions(organization_id=21)
    assert "Disable Identity" in actions(organization_id=21)


def test_an_incident_is_resolved_once_everything_is_approved(huntress):
    incident = huntress.raise_incident(remediations=2)
    refused = _post(huntress, incident)
    assert refused.status_code == 409
    assert "remediations are approved" in refused.json()["error"]
    approved = _post(huntress, incident, "remediations/bulk_approval")
    assert approved.status_code == 201
    items = approved.json()["incident_report"]["remediations"]["items"]
    assert {(one["status"], one["approved_by"]["email"]) for one in items} == {
        ("approved", "security@msp.example")
    }
    assert {one["approved_at"] is None for one in items} == {False}
    huntress.control("time", shift_seconds=5)
    reply = _post(huntress, incident)
    assert reply.status_code == 201
    row = reply.json()["incident_report"]
    assert row["status"] == "closed"
    assert row["closed_at"] == row["status_updated_at"] == row["updated_at"] > row["sent_at"]
    assert _post(huntress, incident).status_code == 422
    assert _post(huntress, 7).status_code == 404


@pytest.mark.parametrize("status", ["auto_remediating", "dismissed", "closed", "deleting"])
def test_only_a_sent_incident_is_resolved_or_remediated(huntress, status):
    incident = huntress.raise_incident(status=status, remediations=1)
    assert _post(huntress, incident).status_code == 422
    assert _post(huntress, incident, "remediations/bulk_approval").status_code == 409
    body = {"comment": "no", "useful": False}
    assert _post(huntress, incident, "remediations/bulk_rejection", json=body).status_code == 409


def test_nothing_to_approve_is_a_422(huntress):
    incident = huntress.raise_incident(remediations=0)
    assert _post(huntress, incident, "remediations/bulk_approval").status_code == 422
    assert _post(huntress, incident).status_code == 201


def test_approved_assisted_remediations_run_by_themselves(huntress):
    incident = huntress.raise_incident(remediations=3)
    _post(huntress, incident, "remediations/bulk_approval")
    huntress.control("time", shift_seconds=61)
    items = _row(huntress, incident)["remediations"]["items"]
    assert [(one["type"], one["status"]) for one in items] == [
        ("assisted", "completed"),
        ("assisted", "completed"),
        ("manual", "approved"),
    ]
    assert [one["completed_at"] is None for one in items] == [False, False, True]
    huntress.control(f"incidents/{incident}/remediations", id=items[2]["id"], status="failed")
    assert _row(huntress, incident)["remediations"]["items"][2]["status"] == "failed"


def test_remediations_are_approved_in_the_portal_too(huntress):
    incident = huntress.raise_incident(remediations=2)
    assert huntress.control(f"incidents/{incident}/approve", finish=True) == {"approved": 2}
    items = _row(huntress, incident)["remediations"]["items"]
    assert {one["status"] for one in items} == {"completed"}


def test_a_rejection_goes_back_to_the_soc(huntress):
    incident = huntress.raise_incident(remediations=2)
    path = "remediations/bulk_rejection"
    assert _post(huntress, incident, path, json={"comment": "no"}).status_code == 400
    reply = _post(huntress, incident, path, json={"comment": "Wrong host", "useful": False})
    assert (reply.status_code, reply.content) == (201, b"")
    (sent,) = huntress.ask("rejections")
    assert (sent["incident_id"], sent["comment"]) == (incident, "Wrong host")
    assert {one["status"] for one in _row(huntress, incident)["remediations"]["items"]} == {"cancelled"}
    assert _post(huntress, incident, path, json={"comment": "no", "useful": True}).status_code == 422


def test_a_status_changes_without_anybodys_asking(huntress):
    incident = huntress.raise_incident(status="auto_remediating")
    huntress.control("time", shift_seconds=10)
    huntress.control(f"incidents/{incident}/status", status="sent")
    row = _row(huntress, incident)
    assert row["status"] == "sent"
    assert row["sent_at"] == row["updated_at"] == row["status_updated_at"]
    huntress.control(f"incidents/{incident}/severity", severity="critical")
    assert _row(huntress, incident)["severity"] == "critical"
    refused = huntress.call("POST", f"/_control/api/incidents/{incident}/status", json={"status": "open"})
    assert refused.status_code == 400


def test_a_poisoned_row_has_wrong_types_and_can_be_healed(huntress):
    one, two = huntress.raise_incident(), huntress.raise_incident()
    before = _row(huntress, one)
    huntress.control(f"incidents/{one}/poison")
    assert sorted(_list(huntress, sort_field="updated_at")) == [one, two]
    row = _row(huntress, one)
    assert isinstance(row["severity"], list)
    assert isinstance(row["organization_id"], dict)
    huntress.control(f"incidents/{one}/poison", fields={"updated_at": 7})
    assert _row(huntress, one)["updated_at"] == 7
    huntress.control(f"incidents/{one}/poison", fields={})
    assert _row(huntress, one)["subject"] == before["subject"]


def test_a_burst_comes_in_order(huntress):
    ids = huntress.control("incidents/burst", count=30, spread=600, severity="low")["ids"]
    assert _list(huntress, sort_field="updated_at") == ids[::-1]
    times = [_row(huntress, one)["updated_at"] for one in (ids[0], ids[-1])]
    assert times[0] < times[1]


def test_a_deleted_incident_is_gone(huntress):
    incident = huntress.raise_incident()
    huntress.control(f"incidents/{incident}/delete")
    assert huntress.get(f"/v1/incident_reports/{incident}").status_code == 404


def test_a_comment_touches_the_incident_if_switched_on(huntress):
    incident = huntress.raise_incident()
    before = _row(huntress, incident)["updated_at"]
    huntress.control("time", shift_seconds=5)
    huntress.control(f"incidents/{incident}/comment")
    assert _row(huntress, incident)["updated_at"] == before
    huntress.control("settings", comment_touches=True)
    huntress.control(f"incidents/{incident}/comment")
    assert _row(huntress, incident)["updated_at"] > before


def test_a_removed_host_leaves_its_incidents(huntress):
    incident = huntress.raise_incident(agent_id=5003)
    huntress.control("agents/5003/remove")
    assert _row(huntress, incident)["agent_id"] == 5003
    assert huntress.get("/v1/agents/5003").status_code == 404
    assert huntress.ask("incidents")[0]["host"] is None


def test_history_is_there_from_the_start(shared):
    rows = shared.get("/v1/incident_reports", params={"limit": 500}).json()["incident_reports"]
    assert len(rows) == 24
    assert {row["status"] for row in rows} == {"sent", "closed", "auto_remediating", "dismissed"}
    assert {row["severity"] for row in rows} == {"critical", "high", "low"}
    assert {row["agent_id"] is None for row in rows} == {True, False}
    huntress = shared.control("reset")
    assert huntress == {"agents": 120}
    assert len(shared.ask("incidents")) == 24
