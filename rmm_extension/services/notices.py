"""Telling people through the host: the users a rule names of a new ticket, administrators of a connection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import HostRejected
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.types import Channel, Outcome, Severity
from rmm_extension.domain.values import one_line, shortened
from rmm_extension.host import Notice, TicketState
from rmm_extension.models import Alert, AlertHistory, Integration, utc_now

from . import outbox
from .context import Rmm

ALERTS, TRIGGERED = "RMM Alerts", "RMM Alert Triggered"
CONNECTIONS, DOWN, UP = "RMM connections", "RMM Connection Down", "RMM Connection Up"
WORKFLOWS, REFUSED, MESSAGE = "RMM workflows", "RMM Workflow Refused", "RMM Workflow Message"
"""Categories and subtypes, as a host's preferences and templates know them."""

GIVE_UP = timedelta(hours=24)
"""What could not be told for so long is no news any more."""

_TITLE_LENGTH, _BODY_LENGTH = 200, 2000


def tell_users(
    rmm: Rmm, session: Session, tenant_id: str, alert: Any, ticket_id: str, user_ids: Sequence[str]
) -> None:
    """Queue one notice per user, so that one who cannot be told keeps nobody else from it."""
    if rmm.host.notifications is None:
        return
    wanted = list(dict.fromkeys(user_ids))
    names = _names(rmm, session, tenant_id, wanted)
    now = utc_now().isoformat()
    for user_id in names:
        payload = {"alert_id": str(alert.id), "ticket_id": ticket_id, "user_id": user_id, "at": now}
        outbox.put(session, tenant_id, "notify_user", payload)
    steps = [{"code": "notified", "names": ", ".join(names.values())}] if names else []
    if missing := len(wanted) - len(names):
        steps.append({"code": "warning", "message": _left_out(missing)})
    _write_down(session, tenant_id, alert, steps)


def notify_user(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Tell one user of one ticket, once however often this row comes.

    A host that refuses for good is written down with the alert; any other failure is tried again for a day.
    """
    alert = _alert(session, tenant_id, UUID(payload["alert_id"]))
    if alert is None or rmm.host.notifications is None:
        return
    user_id = payload["user_id"]
    if utc_now() - datetime.fromisoformat(payload["at"]) > GIVE_UP:
        _warn(session, tenant_id, alert, "A user could not be notified within a day.")
        return
    notice = _ticket_notice(rmm, session, tenant_id, alert, payload["ticket_id"])
    try:
        with session.begin_nested():
            rmm.host.notifications.send(session, tenant_id, [user_id], notice)
    except HostRejected as error:
        _warn(session, tenant_id, alert, f"A user could not be notified: {error}")


def tell_admins(
    rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any], *, is_down: bool, body: str
) -> None:
    """Tell the administrators that a connection went down, or is well again; once for each time."""
    if rmm.host.notifications is None:
        return
    link = f"{rmm.settings.url_prefix}/connections/{payload['integration_id']}"
    level = "error" if is_down else "info"
    notice = Notice(
        category=CONNECTIONS,
        subtype=DOWN if is_down else UP,
        title=one_line(
            f"RMM connection {payload['name']} {'needs attention' if is_down else 'works again'}",
            _TITLE_LENGTH,
        ),
        body=shortened(body, _BODY_LENGTH),
        level=level,
        # The moment it was found out, not the row of now: that has moved on, perhaps to the next trouble.
        idempotency_key=f"rmm-connection:{payload['integration_id']}:{payload.get('at', '')}:{level}",
        link=link,
        url=_absolute(rmm, link),
        variables={"connection": payload["name"], "message": body, "url": _absolute(rmm, link) or link},
    )
    rmm.host.notifications.send(session, tenant_id, (), notice)


def workflow_refused(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Tell the administrators that runs of a workflow were refused; once for each ``key``."""
    if rmm.host.notifications is None:
        return
    name, message = payload["name"], payload["message"]
    link = f"{rmm.settings.url_prefix}/workflows/{payload['workflow_id']}/runs"
    notice = Notice(
        category=WORKFLOWS,
        subtype=REFUSED,
        title=one_line(f"Workflow {name} was not started", _TITLE_LENGTH),
        body=shortened(message, _BODY_LENGTH),
        level="warning",
        idempotency_key=f"rmm-workflow:{payload['key']}",
        link=link,
        url=_absolute(rmm, link),
        variables={"workflow": name, "message": message, "url": _absolute(rmm, link) or link},
    )
    rmm.host.notifications.send(session, tenant_id, (), notice)


def of_workflow(rmm: Rmm, title: str, body: str, *, level: str, key: str, link: str | None) -> Notice:
    """What a workflow tells users, once for each ``key``; ``link`` is the path of what it is about."""
    return Notice(
        category=WORKFLOWS,
        subtype=MESSAGE,
        title=one_line(title, _TITLE_LENGTH),
        body=shortened(body, _BODY_LENGTH),
        level=level,
        idempotency_key=f"rmm-{key}",
        link=link,
        url=_absolute(rmm, link),
        variables={"title": title, "message": body, "url": _absolute(rmm, link) or link or ""},
    )


def _names(rmm: Rmm, session: Session, tenant_id: str, user_ids: Collection[str]) -> dict[str, str]:
    """The users that can be told, by id; all of them by their ids where the host has no list of users."""
    if rmm.host.users is None:
        return {user_id: user_id for user_id in user_ids}
    known = rmm.host.users.get_many(session, tenant_id, user_ids)
    return {one: known[one].name for one in user_ids if one in known and known[one].is_active}


def _left_out(number: int) -> str:
    if number == 1:
        return "1 user whom the rule notifies is gone or inactive and was left out."
    return f"{number} users whom the rule notifies are gone or inactive and were left out."


def _alert(session: Session, tenant_id: str, alert_id: UUID) -> Any:
    columns = (
        Alert.id,
        Alert.integration_id,
        Alert.severity,
        Alert.device_name,
        Alert.external_device_id,
        Alert.message,
        Integration.provider,
    )
    same_connection = (Integration.tenant_id == Alert.tenant_id) & (Integration.id == Alert.integration_id)
    found = select(*columns).join(Integration, same_connection)
    return session.execute(found.where(Alert.tenant_id == tenant_id, Alert.id == alert_id)).first()


def _ticket_notice(rmm: Rmm, session: Session, tenant_id: str, alert: Any, ticket_id: str) -> Notice:
    ticket = _ticket(rmm, session, tenant_id, ticket_id)
    device = alert.device_name or alert.external_device_id or "unknown device"
    # The text of an alert may be on its way still; the ticket's title says what is known.
    message = shortened(alert.message or (ticket.title if ticket else "It has no text."), _BODY_LENGTH)
    link = rmm.host.urls.ticket(ticket_id) if rmm.host.urls else None
    return Notice(
        category=ALERTS,
        subtype=TRIGGERED,
        title=one_line(f"RMM Alert ({alert.severity}): {device}", _TITLE_LENGTH),
        body=message,
        level="error" if alert.severity == Severity.CRITICAL else "warning",
        idempotency_key=f"rmm-ticket:{ticket_id}",
        link=link,
        url=_absolute(rmm, link),
        variables={
            "severity": alert.severity,
            "deviceName": device,
            "message": message,
            "provider": provider_label(alert.provider),
            "ticketNumber": ticket.number if ticket else ticket_id,
            "url": _absolute(rmm, link) or link or "",
        },
    )


def _ticket(rmm: Rmm, session: Session, tenant_id: str, ticket_id: str) -> TicketState | None:
    if rmm.host.tickets is None:
        return None
    return rmm.host.tickets.get_many(session, tenant_id, [ticket_id]).get(ticket_id)


def _absolute(rmm: Rmm, link: str | None) -> str | None:
    """The link as an e-mail needs it, where the public address is known."""
    if link is None or rmm.settings.public_url is None:
        return None
    return f"{rmm.settings.public_url}{link}"


def _warn(session: Session, tenant_id: str, alert: Any, message: str) -> None:
    _write_down(session, tenant_id, alert, [{"code": "warning", "message": message}])


def _write_down(session: Session, tenant_id: str, alert: Any, steps: list[dict[str, Any]]) -> None:
    """Add to the alert's story; the alert itself stays as it is."""
    now = utc_now()
    session.add(
        AlertHistory(
            tenant_id=tenant_id,
            alert_id=alert.id,
            integration_id=alert.integration_id,
            at=now,
            occurred_at=now,
            channel=Channel.TICK,
            kind="notification",
            outcome=Outcome.UPDATED,
            steps=steps,
        )
    )
