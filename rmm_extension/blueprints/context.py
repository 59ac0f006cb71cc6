"""What every page works with: the mounted extension, the actor, the session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import current_app, flash, g, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import RMMError
from rmm_extension.host import Actor
from rmm_extension.providers.contract import Provider
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit


def current_rmm() -> Rmm:
    """The extension as it is mounted on this app."""
    return cast(Rmm, current_app.extensions["rmm"].services)


def provider_of(key: str) -> Provider | None:
    """The vendor's module; ``None`` where it is not available in this installation."""
    return next((one for one in current_rmm().providers.all() if one.manifest.key == key), None)


def current_actor() -> Actor | None:
    """Who is signed in, asked of the host once per request."""
    if "rmm_actor" not in g:
        g.rmm_actor = current_rmm().host.actors.current()
    return cast("Actor | None", g.rmm_actor)


def actor() -> Actor:
    """The actor of a view that let one in."""
    found = current_actor()
    assert found is not None
    return found


def allows(permission: str) -> bool:
    """Whether the signed-in person has the permission; asked of the host once per request and permission."""
    found = current_actor()
    if found is None:
        return False
    known: dict[str, bool] = g.setdefault("rmm_allows", {})
    if permission not in known:
        known[permission] = current_rmm().host.permissions.allows(found, permission)
    return known[permission]


def session() -> Session:
    """The host's session, for reading."""
    opened: Session = current_rmm().db.session()
    return opened


def end_reading() -> None:
    """End the transaction of what was read so far: with a commit, since psycopg forgets its prepared
    statements at every rollback. Afterwards no transaction is open, so a vendor may be called."""
    session().commit()


def act(work: Callable[[Session], str], back: str) -> ResponseReturnValue:
    """Do the work in one unit and say what changed; a refusal is said instead. Redirects to ``back``."""
    try:
        with unit(current_rmm()) as opened:
            message = work(opened)
    except RMMError as error:
        flash(str(error), "danger")
    else:
        flash(message, "success")
    return redirect(back, 303)


def host_names(found: dict[str, Any]) -> dict[str, str]:
    """Names by id of what a host's ``get_many`` returned."""
    return {key: value.name for key, value in found.items()}
