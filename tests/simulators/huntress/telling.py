"""A request for each address that is read, and a webhook of each type, of a server that has all to tell."""

from __future__ import annotations

from typing import Any

from simulators.huntress.enums import CATEGORIES
from tests.harness.huntress import Huntress


def busy(huntress: Huntress) -> Huntress:
    """Let there be an incident with approved and open remediations, an isolated host, and an escalation."""
    incident = huntress.raise_incident(remediations=6, indicators={"ai_misuse": 2, "footholds": 1})
    huntress.control(f"incidents/{incident}/approve", finish=True)
    huntress.raise_incident(remediations=11)
    huntress.call("POST", f"/v1/agents/{huntress.lab.agent(isolatable=True).id}/isolation")
    huntress.control("escalations/raise", organization_id=21)
    return huntress


def answers(huntress: Huntress, path: str) -> list[Any]:
    """What the address answers: of a list a page and the last page, else each of the newest rows."""
    if "{" not in path:
        return [huntress.get(f"/v1{path}", params=query).json() for query in ({"limit": 2}, {"limit": 500})]
    found = []
    for row_id in _ids(huntress, path.partition("/{")[0]):
        address = path.replace("{id}", str(row_id))
        if "{rid}" in address:
            address = address.replace("{rid}", str(_ids(huntress, address.removesuffix("/{rid}"))[0]))
        found.append(huntress.get(f"/v1{address}").json())
    return found


def _ids(huntress: Huntress, path: str) -> list[int]:
    told = huntress.get(f"/v1{path}", params={"limit": 3}).json()
    (rows,) = [rows for name, rows in told.items() if name != "pagination"]
    ids = [row["id"] for row in rows]
    if path == "/incident_reports":
        return [one for one in ids if huntress.lab.incidents[one].remediations]
    return ids


def send_everything(huntress: Huntress) -> None:
    """Let an event of every type be sent to all endpoints."""
    incident = huntress.raise_incident(agent_id=5001)
    huntress.control(f"incidents/{incident}/comment")
    huntress.control(f"incidents/{incident}/status", status="closed")
    huntress.raise_incident(organization_id=21, status="auto_remediating")
    escalation = huntress.control("escalations/raise", organization_id=21)["id"]
    huntress.control(f"escalations/{escalation}/overdue")
    huntress.control(f"escalations/{escalation}/resolve")
    for kind in (*CATEGORIES["Platform Actions"], *CATEGORIES["Account Notices"]):
        huntress.control("events/send", event_type=kind, organization_id=22)
    huntress.deliver()
