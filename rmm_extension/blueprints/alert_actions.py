"""What people do with alerts, one or several: a page that says what will happen, and the doing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.ticket_text import PLACEHOLDERS
from rmm_extension.domain.types import AlertStatus
from rmm_extension.domain.values import one_line
from rmm_extension.providers.capabilities import ResetsAlert
from rmm_extension.services import manual
from rmm_extension.services.alert_acts import TicketChoice
from rmm_extension.services.manual import Done, Refused
from rmm_extension.services.queries.paging import AnyRow
from rmm_extension.services.queries.selection import selected, ticket_plan

from .access import requires
from .context import actor, current_rmm, end_reading, session
from .listing import tickets_of
from .narrowing import Options, read_uuids
from .returning import back_url
from .routing import Routes

routes = Routes()

MOST = 100
"""So many alerts are dealt with at once: twice what a page of the list shows."""
_NAMED = 60
"""So many characters of an alert's text stand in a message."""
_TITLE = 200


@routes.get("/alerts/selected")
@requires("rmm.alerts.manage")
def alerts_selected() -> ResponseReturnValue:
    """Before alerts are resolved or put on tickets: what will happen to which."""
    do = request.args.get("do")
    if do not in ("resolve", "ticket"):
        abort(404)
    came_from = request.args.get("back", "")
    rows = selected(session(), actor().tenant_id, read_uuids(request.args.getlist("ids"), MOST))
    if not rows:
        flash("Select the alerts first.", "warning")
        return redirect(back_url(came_from), 303)
    values = _resolving(rows) if do == "resolve" else _ticketing(rows)
    return render_template(
        f"rmm/alerts/{do}.html",
        rows=rows,
        tickets=tickets_of(rows),
        came_from=came_from,
        back=back_url(came_from),
        **values,
    )


@routes.post("/alerts/acknowledge")
@requires("rmm.alerts.manage")
def alerts_acknowledge() -> ResponseReturnValue:
    """Take alerts on."""
    ids = _chosen()
    return _answered(manual.acknowledge(current_rmm(), actor(), ids), ids, "acknowledged")


@routes.post("/alerts/resolve")
@requires("rmm.alerts.manage")
def alerts_resolve() -> ResponseReturnValue:
    """End alerts here, and by choice at the vendor."""
    ids, at_vendor = _chosen(), request.form.get("at_vendor") == "1"
    done = manual.resolve(current_rmm(), actor(), ids, at_vendor=at_vendor)
    return _answered(
        done, ids, "resolved", "; the vendor is being asked to resolve it too" if at_vendor else ""
    )


@routes.post("/alerts/tickets")
@requires("rmm.alerts.manage")
def alerts_tickets() -> ResponseReturnValue:
    """Put alerts on tickets."""
    ids = _chosen()
    done = manual.create_tickets(current_rmm(), actor(), ids, _choice())
    numbers = ", ".join(ticket.number for ticket in done.tickets[:10])
    more = len(done.tickets) - 10
    return _answered(
        done,
        ids,
        f"put on {numbers}" + (f" and {more} more" if more > 0 else "") if numbers else "dealt with",
    )


@routes.post("/alerts/retry")
@requires("rmm.alerts.manage")
def alerts_retry() -> ResponseReturnValue:
    """Try again what alerts wait for: their ticket, or their reset at the vendor."""
    ids = _chosen()
    rmm = current_rmm()
    asked = 0
    refused: list[Refused] = []
    numbers: list[str] = []
    for alert_id in ids:
        if manual.retry_reset(rmm, actor(), alert_id) is not None:
            asked += 1
            continue
        done = manual.retry_ticket(rmm, actor(), alert_id)
        refused += done.refused
        numbers += [ticket.number for ticket in done.tickets]
    if asked:
        flash(f"The vendor is being asked again to resolve {_counted(asked)}.", "success")
    if numbers:
        flash(f"{_counted(len(numbers))} now on {', '.join(dict.fromkeys(numbers))}.", "success")
    if not ids:
        flash("Select the alerts first.", "warning")
    _tell_refusals(refused, ids)
    return redirect(back_url(request.form.get("back", "")), 303)


def _chosen() -> list[UUID]:
    """The alerts of the form. The transaction in which the person was looked up ends here: each alert is
    dealt with in one of its own."""
    end_reading()
    return read_uuids(request.form.getlist("ids"), MOST)


def _answered(done: Done, ids: Sequence[UUID], what: str, more: str = "") -> ResponseReturnValue:
    if not ids:
        flash("Select the alerts first.", "warning")
    if done.done:
        flash(f"{_counted(done.done)} {what}{more}.", "success")
    _tell_refusals(done.refused, ids)
    return redirect(back_url(request.form.get("back", "")), 303)


def _counted(number: int) -> str:
    return "1 alert" if number == 1 else f"{number} alerts"


def _tell_refusals(refused: Sequence[Refused], ids: Sequence[UUID]) -> None:
    """Which alerts were left alone and why: a message for each reason, naming all of them."""
    if not refused:
        return
    rows = selected(session(), actor().tenant_id, [one.alert_id for one in refused])
    names = {row.id: _name(row) for row in rows}
    reasons: dict[str, list[str]] = {}
    for one in refused:
        reasons.setdefault(one.reason.rstrip("."), []).append(names.get(one.alert_id, "one that is gone"))
    for reason, which in reasons.items():
        left = f"{_counted(len(which))} left alone" if len(ids) > 1 else "Nothing was done"
        named = f" {'; '.join(which)}." if len(ids) > 1 else ""
        flash(f"{left}: {reason}.{named}", "warning")


def _name(row: AnyRow) -> str:
    shown = one_line(row.message or row.alert_class or "alert without text", _NAMED)
    return f"{row.device_name}, {shown}" if row.device_name else shown


def _resolving(rows: Sequence[AnyRow]) -> Mapping[str, object]:
    """What resolving would do: how many are open, and which vendors can be asked."""
    still_open = [row for row in rows if AlertStatus(row.status).is_open]
    vendors = dict.fromkeys(row.provider for row in still_open)
    resetting = {one.manifest.key for one in current_rmm().providers.all() if isinstance(one, ResetsAlert)}
    able = [vendor for vendor in vendors if vendor in resetting]
    return {
        "still_open": len(still_open),
        "with_ticket": sum(row.ticket_id is not None for row in still_open),
        "vendors": [provider_label(vendor) for vendor in able],
        "unable": [provider_label(vendor) for vendor in vendors if vendor not in able],
    }


def _ticketing(rows: Sequence[AnyRow]) -> Mapping[str, object]:
    """What asking for tickets would do, and what a new one may be filed under."""
    return {
        "plan": ticket_plan(current_rmm(), session(), actor().tenant_id, rows),
        "offered": _offered(),
        "takes_tickets": current_rmm().host.tickets is not None,
        "placeholders": PLACEHOLDERS,
    }


def _offered() -> Mapping[str, Options]:
    host, tenant_id = current_rmm().host, actor().tenant_id
    catalog = host.catalog
    boards = catalog.boards(session(), tenant_id) if catalog else ()
    priorities = catalog.priorities(session(), tenant_id) if catalog else ()
    users = host.users.active(session(), tenant_id) if host.users else ()
    return {
        "board": [(board.id, board.name) for board in boards],
        "priority": [(priority.id, priority.name) for priority in priorities],
        "assignee": [(user.id, user.name) for user in users if user.takes_tickets],
    }


def _choice() -> TicketChoice:
    """What the form asks of new tickets; a choice that is not offered is as if it was not made."""
    offered = _offered()

    def picked(name: str) -> str | None:
        value = request.form.get(name, "")
        return value if value in dict(offered[name]) else None

    title = " ".join(request.form.get("title", "").replace("\x00", "").split())[:_TITLE]
    choice = TicketChoice(picked("board"), picked("priority"), picked("assignee"), title or None)
    end_reading()
    return choice
