"""Pages for what goes wrong: what happened, what to do, and an id that is in the log; never a trace."""

from __future__ import annotations

import logging
import secrets

from flask import Blueprint, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError

from rmm_extension.domain.errors import Conflict, Forbidden, HostUnavailable, ProviderError, RMMError
from rmm_extension.services.actions import UnknownInvocation
from rmm_extension.services.connections import UnknownConnection
from rmm_extension.services.inventory.joining import UnknownDevice
from rmm_extension.services.maintenance import UnknownWindow
from rmm_extension.services.mapping import UnknownMapping
from rmm_extension.services.rules import UnknownRule
from rmm_extension.services.runs import UnknownRun
from rmm_extension.workflows.definitions import UnknownWorkflow
from rmm_extension.workflows.edits import UnknownStep

from .context import current_rmm

log = logging.getLogger("rmm_extension")

RETRY_AFTER = "5"
_GONE = "There is nothing at this address: it was removed, or it belongs to somebody else."
_UNKNOWN = (
    UnknownConnection,
    UnknownDevice,
    UnknownInvocation,
    UnknownMapping,
    UnknownRule,
    UnknownRun,
    UnknownStep,
    UnknownWindow,
    UnknownWorkflow,
)
_TITLES = {
    400: "The request was not understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible this way",
    409: "Not possible now",
    413: "Too large",
}
_EXPIRED = "Your session ended or the page was open for long. Go back, reload the page and send it again."
_TEXTS = {
    400: "Go back and try again.",
    401: "Sign in and open the page again.",
    404: _GONE,
    405: "Open the page again and use its buttons.",
}


def add_to(blueprint: Blueprint) -> None:
    """Register the error pages."""
    for code in _TITLES:
        blueprint.register_error_handler(code, _http)
    blueprint.register_error_handler(CSRFError, _expired)
    for unknown in _UNKNOWN:
        blueprint.register_error_handler(unknown, _unknown)
    blueprint.register_error_handler(RMMError, _refused)
    for gone in (OperationalError, InterfaceError, PoolTimeout):
        blueprint.register_error_handler(gone, _database_away)
    blueprint.register_error_handler(InternalServerError, _failed)


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 400
    own_words = error.description if error.description != type(error).description else None
    return _page(code, own_words or _TEXTS.get(code, ""))


def _expired(_error: Exception) -> ResponseReturnValue:
    return _page(400, _EXPIRED, title="The form is out of date")


def _unknown(_error: Exception) -> ResponseReturnValue:
    return _page(404, _GONE)


def _refused(error: Exception) -> ResponseReturnValue:
    _roll_back()
    if isinstance(error, Forbidden):
        return _page(403, str(error))
    if isinstance(error, (ProviderError, HostUnavailable)):
        return _page(502, str(error), title="The other side did not do it")
    code = 409 if isinstance(error, Conflict) else 400
    return _page(code, str(error), title=_TITLES[409])


def _database_away(error: Exception) -> ResponseReturnValue:
    answer = make_response(_plain_page(error, away=True), 503)
    answer.headers["Retry-After"] = RETRY_AFTER
    return answer


def _failed(error: Exception) -> ResponseReturnValue:
    return _plain_page(getattr(error, "original_exception", None) or error, away=False), 500


def _plain_page(error: BaseException, *, away: bool) -> str:
    """Rendered without the host's base template and context processors, which may need what is away."""
    reference = secrets.token_hex(4)
    log.error("page %s failed, reference %s: %s", request.endpoint, reference, type(error).__name__)
    template = current_app.jinja_env.get_template("rmm/error_plain.html")
    return template.render(reference=reference, away=away)


def _page(code: int, text: str, *, title: str | None = None) -> ResponseReturnValue:
    _roll_back()
    heading = title or _TITLES.get(code, "That did not work")
    reference = secrets.token_hex(4)
    log.info("page %s answered %s, reference %s", request.endpoint, code, reference)
    return render_template("rmm/error.html", title=heading, text=text, reference=reference), code


def _roll_back() -> None:
    """Give up what the failed view began, so that the error page starts in a clean transaction."""
    current_rmm().db.session.rollback()
