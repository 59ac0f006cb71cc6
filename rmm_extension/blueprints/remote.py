"""Remote access: the button's answer."""

from __future__ import annotations

from uuid import UUID

from flask import make_response, render_template
from flask.typing import ResponseReturnValue
from werkzeug.urls import iri_to_uri

from rmm_extension.services.remote_access import open_remotely

from .access import requires
from .context import actor, current_rmm, end_reading
from .routing import Routes

routes = Routes()


@routes.post("/devices/<uuid:device_id>/remote")
@requires("rmm.remote_access")
def device_remote(device_id: UUID) -> ResponseReturnValue:
    """Lead a new tab to the device. Not by a redirect: a host whose pages send forms to themselves only
    (``form-action 'self'``) has the browser refuse one that leads elsewhere."""
    end_reading()
    link = open_remotely(current_rmm(), actor(), device_id)
    answer = make_response(render_template("rmm/actions/opening.html", url=link.url))
    answer.headers["Refresh"] = f"0; url={iri_to_uri(link.url)}"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer
