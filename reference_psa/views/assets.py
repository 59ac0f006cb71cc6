"""Assets: list, detail, and what people enter."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from reference_psa.adapters._asset_columns import ASSET_COLUMNS
from reference_psa.db import db, new_id
from reference_psa.forms import choices
from reference_psa.forms.assets import AssetForm
from reference_psa.models import ASSET_TYPES, Asset, Client
from reference_psa.presentation import words
from reference_psa.security import requires
from reference_psa.services import asset_edits, asset_queries
from reference_psa.services.paging import chips, paged

bp = Blueprint("assets", __name__, url_prefix="/assets")

_STATUSES = [("active", "Active"), ("inactive", "Inactive"), ("all", "Active and inactive")]
DEFAULTS = {"status": "active"}


@bp.get("")
def index() -> ResponseReturnValue:
    """The list, narrowed by GET parameters."""
    tenant_id = current_user.tenant_id
    query = asset_queries.filtered(asset_queries.with_client(tenant_id), tenant_id, request.args)
    page = paged(query.order_by(Asset.name, Asset.id))
    offered = {
        "client": ("Client", choices.clients(tenant_id)),
        "type": ("Type", [(kind, words(kind)) for kind in ASSET_TYPES]),
        "status": ("Status", _STATUSES),
    }
    return render_template("psa/assets/index.html", page=page, offered=offered, chips=_chips(offered))


_SEARCHES = (
    ("q", "Search"),
    ("rmm_managed", "Managed"),
    ("rmm_provider", "RMM"),
    ("agent_status", "Agent"),
    ("rmm_alerts", "Alerts"),
    ("rmm_patches", "Patches"),
)


def _chips(offered: dict[str, Any]) -> Any:
    labels: dict[str, str | None] = {}
    for name, (label, options) in offered.items():
        chosen = request.args.get(name)
        shown = chosen and chosen != DEFAULTS.get(name)
        labels[name] = f"{label}: {dict(options).get(chosen, 'unknown')}" if shown else None
    for name, label in _SEARCHES:
        chosen = request.args.get(name)
        labels[name] = f"{label}: {words(chosen) if name != 'q' else chosen}" if chosen else None
    return chips(labels)


@bp.route("/new", methods=["GET", "POST"])
@requires("psa.assets")
def new() -> ResponseReturnValue:
    """An asset entered by hand."""
    form = AssetForm(client_id=request.args.get("client"))
    form.offer(current_user.tenant_id)
    if form.validate_on_submit():
        asset = Asset(tenant_id=current_user.tenant_id, id=new_id(), name=form.name.data)
        _save(asset, form)
        return redirect(url_for(".detail", asset_id=asset.id))
    return _form_page("New asset", form)


@bp.get("/<asset_id>")
def detail(asset_id: str) -> ResponseReturnValue:
    """One asset: facts, vitals, history."""
    asset = _asset(asset_id)
    session = db.session()
    return render_template(
        "psa/assets/detail.html",
        asset=asset,
        client=asset.client_id and session.get(Client, (asset.tenant_id, asset.client_id)),
        names=dict(choices.clients(asset.tenant_id)),
        vitals=asset_queries.vitals(session, asset),
        history=asset_queries.history(session, asset),
        tickets=asset_queries.tickets(session, asset),
        takeable=ASSET_COLUMNS,
    )


@bp.route("/<asset_id>/edit", methods=["GET", "POST"])
@requires("psa.assets")
def edit(asset_id: str) -> ResponseReturnValue:
    """Change what a person enters."""
    asset = _asset(asset_id)
    form = AssetForm(obj=asset)
    form.offer(current_user.tenant_id)
    if form.validate_on_submit():
        _save(asset, form)
        return redirect(url_for(".detail", asset_id=asset.id))
    return _form_page(f"Edit {asset.name}", form, asset)


@bp.post("/<asset_id>/take/<field>")
@requires("psa.assets")
def take(asset_id: str, field: str) -> ResponseReturnValue:
    """Take the RMM's value of a kept field."""
    asset = _asset(asset_id)
    taken = asset_edits.take_reported(db.session(), current_user, asset, field)
    db.session.commit()
    flash(f"{words(field)} now follows the RMM." if taken else "There is nothing to review.", "success")
    return redirect(url_for(".detail", asset_id=asset_id))


def _asset(asset_id: str) -> Asset:
    return db.get_or_404(Asset, (current_user.tenant_id, asset_id))


def _save(asset: Asset, form: AssetForm) -> None:
    entered = {name: form[name].data for name in (*asset_edits.EDITED, "kept_fields")}
    optional = {
        name: entered[name] or None for name in ("client_id", "serial_number", "location", "asset_tag")
    }
    changed = asset_edits.save_asset(db.session(), current_user, asset, {**entered, **optional})
    db.session.commit()
    flash(
        "Changed: " + ", ".join(map(words, changed)) + "." if changed else "Nothing was changed.", "success"
    )


def _form_page(title: str, form: AssetForm, asset: Asset | None = None) -> ResponseReturnValue:
    code = 422 if form.is_submitted() else 200
    return render_template("psa/assets/form.html", title=title, form=form, asset=asset), code
