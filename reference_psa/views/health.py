"""Whether the process lives."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Answers without the database, so that its absence does not restart a sound process."""
    return "ok\n", 200, {"Content-Type": "text/plain"}
