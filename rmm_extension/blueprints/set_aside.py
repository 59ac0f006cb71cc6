"""Alerts that could not be taken: trying one again, and leaving one alone."""

from __future__ import annotations

from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.services import set_aside

from .access import requires
from .context import act, actor
from .routing import Routes

routes = Routes()


@routes.post("/attention/set-aside/<uuid:set_aside_id>/retry")
@requires("rmm.alerts.manage")
def set_aside_retry(set_aside_id: UUID) -> ResponseReturnValue:
    """Ask the vendor for it now."""

    def work(opened: Session) -> str:
        started = set_aside.try_again(opened, actor(), set_aside_id)
        return "It is tried again now." if started else "It is tried again once the sync under way is over."

    return act(work, url_for("rmm.attention"))


@routes.post("/attention/set-aside/<uuid:set_aside_id>/dismiss")
@requires("rmm.alerts.manage")
def set_aside_dismiss(set_aside_id: UUID) -> ResponseReturnValue:
    """Leave it alone until it changes at the vendor."""

    def work(opened: Session) -> str:
        return f"Alert {set_aside.dismiss(opened, actor(), set_aside_id)} is left alone until it changes."

    return act(work, url_for("rmm.attention"))
