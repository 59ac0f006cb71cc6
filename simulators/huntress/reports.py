"""/v1/reports: summary reports of organizations."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request

from simulators.huntress.endpoints import lab, number, reads, the, word
from simulators.huntress.enums import REPORT_TYPES
from simulators.huntress.lab import Lab
from simulators.huntress.models import Incident, Report
from simulators.huntress.paging import BY_TIME, listing
from simulators.huntress.replies import iso

Row = dict[str, Any]

FIRST_REPORT = 301
SORTS = {**BY_TIME, "updated_at": BY_TIME["created_at"]}
ZEROES = (
    "antivirus_exclusions_count",
    "deployed_canaries_count",
    "external_ports_count",
    "process_detections",
    "risky_services_count",
    "signals_detected",
    "signals_investigated",
)


def open_reports(lab: Lab) -> None:
    """Two monthly reports and a quarterly one for each organization."""
    first = datetime.fromtimestamp(lab.now(), UTC).replace(day=1, hour=6, minute=0, second=0, microsecond=0)
    for organization_id in lab.fleet.organizations:
        for kind, days, back in (
            ("quarterly_summary", 91, 0),
            ("monthly_summary", 30, 30),
            ("monthly_summary", 30, 0),
        ):
            end = first - timedelta(days=1 + back)
            start = end - timedelta(days=days - 1)
            report_id = FIRST_REPORT + len(lab.reports)
            lab.reports[report_id] = Report(
                report_id,
                organization_id,
                kind,
                start.date().isoformat(),
                end.date().isoformat(),
                (end + timedelta(days=1)).timestamp(),
            )


def _incidents_of(one: Report) -> list[Incident]:
    return [each for each in lab().incidents.values() if each.organization_id == one.organization_id]


def report_row(one: Report) -> Row:
    """The report with a part of its many counts."""
    incidents, agents = _incidents_of(one), lab().fleet.agents_of(one.organization_id)
    platforms = Counter(each.platform for each in agents)
    return {
        "id": one.id,
        "organization_id": one.organization_id,
        "type": one.type,
        "period": f"{one.first_day}...{one.last_day}",
        "created_at": iso(one.created),
        "updated_at": iso(one.created),
        "url": f"https://huntress.example/reports/{one.id}.pdf?disposition=download",
        "incidents_reported": len(incidents),
        "incidents_resolved": sum(each.status == "closed" for each in incidents),
        "incident_severity_counts": dict(Counter(each.severity for each in incidents)),
        "windows_agent_count": platforms["windows"],
        "macos_agent_count": platforms["darwin"],
        "linux_agent_count": platforms["linux"],
        "total_entities": len(agents),
        "analyst_note": "Everything looks fine. Thanks for using the simulator.",
        **dict.fromkeys(ZEROES, 0),
    }


def reports() -> Row:
    """Narrowed by period, organization and type."""
    kind, organization_id = word("type", REPORT_TYPES), number("organization_id")
    earliest, latest = request.args.get("period_min", ""), request.args.get("period_max", "~")
    rows = [
        one
        for one in lab().reports.values()
        if kind in (None, one.type)
        and organization_id in (None, one.organization_id)
        and earliest <= one.first_day
        and one.last_day <= latest
    ]
    return listing("reports", rows, report_row, SORTS)


def report(report_id: int) -> Row:
    """One of them."""
    return {"report": report_row(the(lab().reports, report_id, "Report"))}


ADDRESSES = [reads("/reports", reports), reads("/reports/<int:report_id>", report)]
