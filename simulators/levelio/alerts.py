"""/v2/alerts: what monitors found, and resolving it."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from simulators.levelio.endpoints import Action, Endpoint, choice, known, lab, reads
from simulators.levelio.monitors import resolve_alert
from simulators.levelio.paging import page
from simulators.levelio.rows import alert_row


def alerts() -> Any:
    """Alerts, active ones or resolved ones only, of one device or all."""
    status, device_id = choice("status", ("active", "resolved")), request.args.get("device_id")
    return page(
        lab().alerts,
        alert_row,
        lambda one: (
            (status is None or (one.resolved is None) == (status == "active"))
            and device_id in (None, one.device_id)
        ),
    )


def alert(alert_id: str) -> Any:
    """One alert."""
    return alert_row(known(lab().alerts, alert_id, "Alert"))


def resolve(alert_id: str) -> Any:
    """Resolve it; one that is resolved already stays so."""
    found = known(lab().alerts, alert_id, "Alert")
    resolve_alert(lab(), found)
    return Response(status=200) if lab().settings.resolve_answer == "empty" else alert_row(found)


ENDPOINTS = [
    reads("/alerts", alerts),
    reads("/alerts/<alert_id>", alert),
    Endpoint("/alerts/<alert_id>/resolve", {"POST": Action(resolve, writes=True)}),
]
