"""Tickets: list, new, detail and what people do there."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Form

from reference_psa.adapters.people import SqlContacts
from reference_psa.db import AnyRow, db
from reference_psa.forms import choices
from reference_psa.forms.tickets import CloseForm, CommentForm, EditTicketForm, NewTicketForm, TimeForm
from reference_psa.models import Status, Ticket
from reference_psa.security import requires
from reference_psa.services import ticket_queries, tickets
from reference_psa.services.paging import chips, paged
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host.types import TicketDraft

bp = Blueprint("tickets", __name__, url_prefix="/tickets")

STATES = [("open", "Open"), ("closed", "Closed"), ("all", "Open and closed")]
DEFAULTS = {"state": "open"}


@bp.get("")
def index() -> ResponseReturnValue:
    """The list, narrowed by GET parameters."""
    tenant_id = current_user.tenant_id
    query = ticket_queries.filtered(ticket_queries.with_names(tenant_id), request.args, current_user.id)
    page = paged(query.order_by(Ticket.opened_at.desc(), Ticket.id))
    offered = _offered(tenant_id)
    return render_template("psa/tickets/index.html", page=page, offered=offered, chips=_chips(offered))


def _offered(tenant_id: str) -> dict[str, Any]:
    return {
        "state": ("State", STATES),
        "board": ("Board", choices.boards(tenant_id)),
        "priority": ("Priority", choices.priorities(tenant_id)),
        "assignee": ("Assignee", [("me", "Me"), ("none", "Nobody"), *choices.workers(tenant_id)]),
        "client": ("Client", choices.clients(tenant_id)),
    }


def _chips(offered: dict[str, Any]) -> Any:
    labels: dict[str, str | None] = {}
    for name, (label, options) in offered.items():
        chosen = request.args.get(name)
        shown = chosen and chosen != DEFAULTS.get(name)
        labels[name] = f"{label}: {dict(options).get(chosen, 'unknown')}" if shown else None
    for name, label in (("q", "Search"), ("source", "Source")):
        labels[name] = f"{label}: {request.args[name]}" if request.args.get(name) else None
    return chips(labels)


@bp.route("/new", methods=["GET", "POST"])
@requires("psa.tickets")
def new() -> ResponseReturnValue:
    """A new ticket."""
    form = NewTicketForm(client_id=request.args.get("client"))
    form.offer(current_user.tenant_id)
    if form.validate_on_submit():
        try:
            ticket_id = tickets.open_ticket(db.session(), current_user, _draft(form))
        except HostRejected as error:
            db.session.rollback()
            flash(str(error), "danger")
        else:
            db.session.commit()
            return redirect(url_for(".detail", ticket_id=ticket_id))
    return render_template("psa/tickets/new.html", form=form), 422 if form.is_submitted() else 200


def _draft(form: NewTicketForm) -> TicketDraft:
    client_id = form.client_id.data
    contacts = SqlContacts()
    return TicketDraft(
        idempotency_key=f"form:{form.draft.data}",
        title=form.title.data.strip(),
        description=form.description.data or "",
        client_id=client_id,
        contact_id=contacts.for_ticket(db.session(), current_user.tenant_id, client_id, form.contact_id.data),
        board_id=form.board_id.data,
        priority_id=form.priority_id.data or None,
        assignee_id=form.assignee_id.data or None,
        source="manual",
        source_reference="",
    )


@bp.get("/<ticket_id>")
def detail(ticket_id: str) -> ResponseReturnValue:
    """One ticket with its timeline."""
    return _page(_row(ticket_id))


def _row(ticket_id: str) -> AnyRow:
    query = ticket_queries.with_names(current_user.tenant_id).where(Ticket.id == ticket_id)
    return db.session.execute(query).first() or abort(404)


def _page(row: AnyRow, code: int = 200, **forms: Form) -> ResponseReturnValue:
    ticket: Ticket = row[0]
    edit, closing = EditTicketForm(obj=ticket), CloseForm(formdata=None)
    edit.offer(ticket.tenant_id, ticket.board_id, ticket.assignee_id)
    closing.offer(ticket.tenant_id, ticket.board_id)
    shown = {
        "comment": CommentForm(formdata=None),
        "time": TimeForm(formdata=None),
        "edit": edit,
        "closing": closing,
    }
    page = render_template(
        "psa/tickets/detail.html",
        row=row,
        ticket=ticket,
        timeline=ticket_queries.timeline(db.session(), ticket.tenant_id, ticket.id),
        assets=ticket_queries.linked_assets(db.session(), ticket.tenant_id, ticket.id),
        forms={**shown, **forms},
    )
    return page, code


@bp.post("/<ticket_id>/comment")
@requires("psa.tickets")
def comment(ticket_id: str) -> ResponseReturnValue:
    """Add a comment."""
    row, form = _row(ticket_id), CommentForm()
    if not form.validate():
        return _page(row, 422, comment=form)
    internal = form.audience.data == "internal"
    tickets.add_comment(db.session(), current_user, ticket_id, form.body.data.strip(), is_internal=internal)
    return _saved(ticket_id, "Comment added.")


@bp.post("/<ticket_id>/time")
@requires("psa.tickets")
def time(ticket_id: str) -> ResponseReturnValue:
    """Book time."""
    row, form = _row(ticket_id), TimeForm()
    if not form.validate():
        return _page(row, 422, time=form)
    tickets.book_time(db.session(), current_user, ticket_id, form.minutes.data, form.note.data or "")
    return _saved(ticket_id, f"{form.minutes.data} minutes booked.")


@bp.post("/<ticket_id>/edit")
@requires("psa.tickets")
def edit(ticket_id: str) -> ResponseReturnValue:
    """Change status, priority, assignee or board."""
    row, form = _row(ticket_id), EditTicketForm()
    form.offer(current_user.tenant_id, row[0].board_id, row[0].assignee_id)
    if not form.validate():
        return _page(row, 422, edit=form)
    said = _apply_edit(row, form)
    return _saved(ticket_id, "Changed: " + ", ".join(said) + "." if said else "Nothing was changed.")


def _apply_edit(row: AnyRow, form: EditTicketForm) -> list[str]:
    ticket = tickets.locked(db.session(), current_user.tenant_id, row[0].id)
    said = []
    for name, attribute in (("priority", "priority_id"), ("assignee", "assignee_id")):
        wanted = form[attribute].data or None
        if getattr(ticket, attribute) != wanted:
            setattr(ticket, attribute, wanted)
            said.append(name)
    if form.board_id.data != ticket.board_id:
        tickets.move_to_board(db.session(), ticket, form.board_id.data)
        said.append("board")
    elif form.status_id.data != ticket.status_id:
        status = db.session.get_one(Status, (ticket.tenant_id, form.status_id.data))
        db.session.flush()
        tickets.set_status(db.session(), current_user, ticket.id, status)
        said.append("status")
    return said


@bp.post("/<ticket_id>/close")
@requires("psa.tickets")
def close(ticket_id: str) -> ResponseReturnValue:
    """Close with a status."""
    row, form = _row(ticket_id), CloseForm()
    form.offer(current_user.tenant_id, row[0].board_id)
    if not form.validate():
        return _page(row, 422, closing=form)
    if form.comment.data:
        tickets.add_comment(
            db.session(), current_user, ticket_id, form.comment.data.strip(), is_internal=True
        )
        db.session.flush()
    move = tickets.close(db.session(), current_user, ticket_id, form.status_id.data)
    return _saved(ticket_id, f"Closed as {move.status_name}." if move else "No closed status is set up.")


@bp.post("/<ticket_id>/assets")
@requires("psa.tickets")
def link_asset(ticket_id: str) -> ResponseReturnValue:
    """Link an asset of the ticket's client."""
    _row(ticket_id)
    linked = tickets.link_asset(db.session(), current_user, ticket_id, request.form.get("asset_id", ""))
    return _saved(ticket_id, "Asset linked." if linked else "That asset is not one of this client's.")


def _saved(ticket_id: str, words: str) -> ResponseReturnValue:
    db.session.commit()
    flash(words, "success")
    return redirect(url_for(".detail", ticket_id=ticket_id))
