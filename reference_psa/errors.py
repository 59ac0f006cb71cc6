"""Pages for what goes wrong, in words, each with an id that is also in the log."""

from __future__ import annotations

import logging
import secrets

from flask import Flask, current_app, make_response, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import Forbidden, HTTPException, NotFound

log = logging.getLogger(__name__)

RETRY_AFTER = 5


def init_errors(app: Flask) -> None:
    """Register the pages."""
    app.register_error_handler(Forbidden, forbidden)
    app.register_error_handler(NotFound, not_found)
    app.register_error_handler(CSRFError, expired)
    for gone in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(gone, database_gone)


def forbidden(_error: HTTPException) -> ResponseReturnValue:
    """The user's role does not include this."""
    return render_template("psa/error.html", title="Not allowed", text=FORBIDDEN), 403


def not_found(_error: HTTPException) -> ResponseReturnValue:
    """There is no such page, or it belongs to another tenant."""
    return render_template("psa/error.html", title="Not found", text=NOT_FOUND), 404


def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form was sent without the token of this session."""
    return render_template("psa/error.html", title="The form is out of date", text=EXPIRED), 400


def database_gone(error: Exception) -> ResponseReturnValue:
    """The database does not answer; the page needs none itself."""
    reference = secrets.token_hex(4)
    log.error("database unavailable (%s): %s", reference, type(error).__name__)
    # Not render_template: what it adds to the context asks who is signed in, and that asks the database.
    page = current_app.jinja_env.get_template("psa/unavailable.html").render(reference=reference)
    response = make_response(page, 503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


FORBIDDEN = "Your role does not include this. An administrator can do it or change your role."
NOT_FOUND = "There is nothing at this address, or it belongs to somebody else."
EXPIRED = "Your session ended or the page was open for long. Go back, reload the page and send it again."
