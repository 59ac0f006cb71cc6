"""Clients and their contacts."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import func, select, update

from reference_psa.db import db, new_id
from reference_psa.forms.clients import ClientForm, ContactForm
from reference_psa.models import Asset, Client, Contact, Ticket
from reference_psa.security import requires
from reference_psa.services import asset_queries, ticket_queries
from reference_psa.services.paging import chips, paged

bp = Blueprint("clients", __name__, url_prefix="/clients")


@bp.get("")
def index() -> ResponseReturnValue:
    """The list with how much there is for each."""
    mine = (Ticket.tenant_id == Client.tenant_id, Ticket.client_id == Client.id, Ticket.closed_at.is_(None))
    owned = (Asset.tenant_id == Client.tenant_id, Asset.client_id == Client.id, Asset.status == "active")
    query = select(
        Client,
        select(func.count()).select_from(Ticket).where(*mine).scalar_subquery().label("open_tickets"),
        select(func.count()).select_from(Asset).where(*owned).scalar_subquery().label("assets"),
    ).where(Client.tenant_id == current_user.tenant_id)
    text = (request.args.get("q") or "").strip()
    if text:
        query = query.where(Client.name.icontains(text, autoescape=True))
    page = paged(query.order_by(func.lower(Client.name), Client.id))
    return render_template(
        "psa/clients/index.html", page=page, chips=chips({"q": text and f"Search: {text}"})
    )


@bp.route("/new", methods=["GET", "POST"])
@requires("psa.clients")
def new() -> ResponseReturnValue:
    """A new client."""
    form = ClientForm()
    form.offer(current_user.tenant_id, None)
    if form.validate_on_submit() and _name_free(form, None):
        client = Client(tenant_id=current_user.tenant_id, id=new_id(), name=form.name.data)
        return _save_client(client, form)
    return _form_page("New client", form)


@bp.get("/<client_id>")
def detail(client_id: str) -> ResponseReturnValue:
    """One client: contacts, open tickets, assets."""
    client = _client(client_id)
    of_client = (Contact.tenant_id == client.tenant_id, Contact.client_id == client.id)
    contacts = db.session.scalars(select(Contact).where(*of_client).order_by(Contact.name))
    tickets = ticket_queries.with_names(client.tenant_id)
    tickets = tickets.where(Ticket.client_id == client.id, Ticket.closed_at.is_(None))
    assets = asset_queries.with_client(client.tenant_id)
    assets = assets.where(Asset.client_id == client.id, Asset.status == "active")
    return render_template(
        "psa/clients/detail.html",
        client=client,
        contacts=contacts.all(),
        tickets=db.session.execute(tickets.order_by(Ticket.opened_at.desc()).limit(20)).all(),
        assets=db.session.scalars(assets.order_by(Asset.name).limit(20)).all(),
    )


@bp.route("/<client_id>/edit", methods=["GET", "POST"])
@requires("psa.clients")
def edit(client_id: str) -> ResponseReturnValue:
    """Change a client."""
    client = _client(client_id)
    form = ClientForm(obj=client)
    form.offer(current_user.tenant_id, client.id)
    if form.validate_on_submit() and _name_free(form, client.id):
        return _save_client(client, form)
    return _form_page(f"Edit {client.name}", form, client)


@bp.route("/<client_id>/contacts/new", methods=["GET", "POST"])
@requires("psa.clients")
def new_contact(client_id: str) -> ResponseReturnValue:
    """A new contact."""
    client, form = _client(client_id), ContactForm()
    if form.validate_on_submit():
        contact = Contact(tenant_id=client.tenant_id, id=new_id(), client_id=client.id)
        return _save_contact(client, contact, form)
    return _form_page(f"New contact of {client.name}", form, client)


@bp.route("/<client_id>/contacts/<contact_id>", methods=["GET", "POST"])
@requires("psa.clients")
def edit_contact(client_id: str, contact_id: str) -> ResponseReturnValue:
    """Change a contact."""
    client, contact = _client(client_id), _contact(client_id, contact_id)
    form = ContactForm(obj=contact)
    if form.validate_on_submit():
        return _save_contact(client, contact, form)
    return _form_page(f"Edit {contact.name}", form, client)


@bp.post("/<client_id>/contacts/<contact_id>/delete")
@requires("psa.clients")
def delete_contact(client_id: str, contact_id: str) -> ResponseReturnValue:
    """Delete a contact: tickets, the client and the extension forget it in the same transaction."""
    contact = _contact(client_id, contact_id)
    session, tenant_id = db.session(), current_user.tenant_id
    current_app.extensions["rmm"].contact_deleted(session, tenant_id, contact.id)
    for table, column in ((Client, Client.primary_contact_id), (Ticket, Ticket.contact_id)):
        where = (table.tenant_id == tenant_id, column == contact.id)
        session.execute(update(table).where(*where).values({column: None}))
    session.delete(contact)
    session.commit()
    flash(f"{contact.name} was deleted.", "success")
    return redirect(url_for(".detail", client_id=client_id))


def _client(client_id: str) -> Client:
    return db.get_or_404(Client, (current_user.tenant_id, client_id))


def _contact(client_id: str, contact_id: str) -> Contact:
    where = {"tenant_id": current_user.tenant_id, "client_id": client_id, "id": contact_id}
    return db.first_or_404(select(Contact).filter_by(**where))


def _name_free(form: ClientForm, own_id: str | None) -> bool:
    same = (
        Client.tenant_id == current_user.tenant_id,
        func.lower(Client.name) == form.name.data.strip().lower(),
    )
    taken = db.session.scalar(select(Client.id).where(*same, Client.id != (own_id or "")))
    if taken:
        form.name.errors = [*form.name.errors, "There is a client of this name already."]
    return taken is None


def _save_client(client: Client, form: ClientForm) -> ResponseReturnValue:
    form.populate_obj(client)
    client.name = form.name.data.strip()
    client.primary_contact_id = form.primary_contact_id.data or None
    db.session.add(client)
    db.session.commit()
    flash(f"{client.name} was saved.", "success")
    return redirect(url_for(".detail", client_id=client.id))


def _save_contact(client: Client, contact: Contact, form: ContactForm) -> ResponseReturnValue:
    form.populate_obj(contact)
    contact.email = form.email.data or None
    db.session.add(contact)
    if client.primary_contact_id is None:
        client.primary_contact_id = contact.id
    db.session.commit()
    flash(f"{contact.name} was saved.", "success")
    return redirect(url_for(".detail", client_id=client.id))


def _form_page(
    title: str, form: ClientForm | ContactForm, client: Client | None = None
) -> ResponseReturnValue:
    code = 422 if form.is_submitted() else 200
    return render_template("psa/clients/form.html", title=title, form=form, client=client), code
