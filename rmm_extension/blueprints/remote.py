"""Remote access: the button's answer, at once or when the vendor has given its link."""

from __future__ import annotations

from uuid import UUID

from flask import make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.urls import iri_to_uri

from rmm_extension.domain.types import RemoteLink
from rmm_extension.models import JobRun
from rmm_extension.services import remote_links
from rmm_extension.services.remote_access import open_remotely
from rmm_extension.services.runs import UNFINISHED

from .access import requires
from .context import actor, current_rmm, end_reading
from .routing import Routes

routes = Routes()


@routes.post("/devices/<uuid:device_id>/remote")
@requires("rmm.remote_access")
def device_remote(device_id: UUID) -> ResponseReturnValue:
    """Lead a new tab to the device, or have it wait there for the vendor's link."""
    end_reading()
    link = open_remotely(current_rmm(), actor(), device_id)
    if link is not None:
        return _leading_on(link)
    run_id = remote_links.ask(current_rmm(), actor(), device_id)
    return redirect(url_for("rmm.remote_link", run_id=run_id), 303)


@routes.get("/remote/<uuid:run_id>")
@requires("rmm.remote_access")
def remote_link(run_id: UUID) -> ResponseReturnValue:
    """The tab that waits, and then goes on to the device by itself."""
    run = _asked(run_id)
    link = remote_links.take(current_rmm(), run)
    if link is not None:
        return _leading_on(link)
    return _not_kept(render_template("rmm/actions/getting.html", **_values(run)))


@routes.get("/remote/<uuid:run_id>/progress")
@requires("rmm.remote_access")
def remote_link_progress(run_id: UUID) -> ResponseReturnValue:
    """The part of that tab that changes, alone; it never holds the link."""
    return _not_kept(render_template("rmm/actions/_getting.html", **_values(_asked(run_id))))


def _asked(run_id: UUID) -> JobRun:
    end_reading()
    return remote_links.asked(current_rmm(), actor(), run_id)


def _values(run: JobRun) -> dict[str, object]:
    unfinished = run.status in UNFINISHED
    return {"run": run, "device_id": remote_links.device_of(run), "unfinished": unfinished}


def _leading_on(link: RemoteLink) -> ResponseReturnValue:
    """Not by a redirect: a host whose pages send forms to themselves only (``form-action 'self'``) has the
    browser refuse one that leads elsewhere."""
    answer = make_response(render_template("rmm/actions/opening.html", url=link.url))
    answer.headers["Refresh"] = f"0; url={iri_to_uri(link.url)}"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return _not_kept(answer)


def _not_kept(page: object) -> ResponseReturnValue:
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    return answer
