"""Settings: boards, statuses, priorities, users, the tenant, integrations."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import func, select, update

from reference_psa.db import db, new_id
from reference_psa.forms.settings import BoardForm, PriorityForm, StatusForm
from reference_psa.models import Board, Priority, Status, User
from reference_psa.notices import KINDS, SUBTYPES
from reference_psa.security import current_tenant, requires

bp = Blueprint("settings", __name__, url_prefix="/settings")

FIRST_STATUSES = (("New", False), ("In progress", False), ("Waiting", False), ("Closed", True))
CATEGORIES = {
    "accounting": "Accounting",
    "rmm": "RMM & endpoint management",
    "communication": "Communication",
    "calendar": "Calendar",
}


@bp.get("")
@requires("psa.settings")
def index() -> ResponseReturnValue:
    """All settings on one page."""
    return _page()


def _page(code: int = 200, **forms: Any) -> ResponseReturnValue:
    tenant_id = current_user.tenant_id
    statuses: dict[str, list[Status]] = {}
    for status in _rows(Status, Status.position):
        statuses.setdefault(status.board_id, []).append(status)
    shown = {"board": BoardForm(formdata=None), "status": StatusForm(formdata=None)}
    page = render_template(
        "psa/settings/index.html",
        boards=_rows(Board, Board.position),
        statuses=statuses,
        priorities=_rows(Priority, Priority.position),
        users=db.session.scalars(select(User).where(User.tenant_id == tenant_id).order_by(User.name)).all(),
        kinds=KINDS,
        forms={**shown, "priority": PriorityForm(formdata=None), **forms},
    )
    return page, code


def _rows(kind: Any, order: Any) -> list[Any]:
    query = select(kind).where(kind.tenant_id == current_user.tenant_id)
    return list(db.session.scalars(query.order_by(order, kind.id)))


@bp.post("/boards")
@requires("psa.settings")
def add_board() -> ResponseReturnValue:
    """A new board with the usual statuses."""
    form = BoardForm()
    if not form.validate():
        return _page(422, board=form)
    board = _new(Board, name=form.name.data, position=_next(Board))
    db.session.flush()
    for place, (name, closed) in enumerate(FIRST_STATUSES):
        _new(Status, board_id=board.id, name=name, is_closed=closed, is_default=place == 0, position=place)
    return _saved(f"The board {board.name} was added with its first statuses.")


@bp.post("/boards/<board_id>/default")
@requires("psa.settings")
def default_board(board_id: str) -> ResponseReturnValue:
    """Make a board the one new tickets go to."""
    board = db.get_or_404(Board, (current_user.tenant_id, board_id))
    others = (Board.tenant_id == current_user.tenant_id, Board.is_default)
    db.session.execute(update(Board).where(*others).values(is_default=False))
    board.is_default = board.is_active = True
    return _saved(f"New tickets go to {board.name}.")


@bp.post("/boards/<board_id>/active")
@requires("psa.settings")
def toggle_board(board_id: str) -> ResponseReturnValue:
    """Switch a board off or on; the default board stays on."""
    board = db.get_or_404(Board, (current_user.tenant_id, board_id))
    if board.is_default and board.is_active:
        flash("The default board cannot be switched off. Make another one the default first.", "danger")
        return redirect(url_for(".index"))
    board.is_active = not board.is_active
    return _saved(f"{board.name} is {'on' if board.is_active else 'off'}.")


@bp.post("/boards/<board_id>/statuses")
@requires("psa.settings")
def add_status(board_id: str) -> ResponseReturnValue:
    """A new status at the end of a board."""
    board, form = db.get_or_404(Board, (current_user.tenant_id, board_id)), StatusForm()
    if not form.validate():
        return _page(422, status=form)
    place = _next(Status, Status.board_id == board.id)
    _new(Status, board_id=board.id, name=form.name.data, is_closed=form.is_closed.data, position=place)
    return _saved(f"The status {form.name.data} was added to {board.name}.")


@bp.post("/priorities")
@requires("psa.settings")
def add_priority() -> ResponseReturnValue:
    """A new priority below the others."""
    form = PriorityForm()
    if not form.validate():
        return _page(422, priority=form)
    _new(Priority, name=form.name.data, position=_next(Priority))
    return _saved(f"The priority {form.name.data} was added.")


@bp.post("/tenant/active")
@requires("psa.settings")
def toggle_tenant() -> ResponseReturnValue:
    """Suspend the tenant, or take it up again."""
    tenant = current_tenant()
    tenant.is_active = not tenant.is_active
    return _saved("The tenant is active again." if tenant.is_active else "The tenant is suspended.")


@bp.post("/notices")
@requires("psa.settings")
def save_notices() -> ResponseReturnValue:
    """What is mailed to the tenant's users at all."""
    tenant, wanted = current_tenant(), request.form.getlist("subtype")
    tenant.email_enabled = "email_enabled" in request.form
    tenant.muted_subtypes = [name for name in SUBTYPES if name not in wanted]
    return _saved("The notification settings were saved.")


@bp.get("/integrations")
@bp.get("/integrations/<category>")
@requires("psa.settings")
def integrations(category: str = "rmm") -> ResponseReturnValue:
    """What this PSA can be connected with, by category."""
    if category not in CATEGORIES:
        return redirect(url_for(".integrations"))
    return render_template("psa/settings/integrations.html", categories=CATEGORIES, category=category)


def _new(kind: Any, **columns: Any) -> Any:
    row = kind(tenant_id=current_user.tenant_id, id=new_id(), **columns)
    db.session.add(row)
    return row


def _next(kind: Any, *where: Any) -> int:
    query = select(func.coalesce(func.max(kind.position) + 1, 0))
    return int(db.session.scalars(query.where(kind.tenant_id == current_user.tenant_id, *where)).one())


def _saved(words: str) -> ResponseReturnValue:
    db.session.commit()
    flash(words, "success")
    return redirect(url_for(".index"))
