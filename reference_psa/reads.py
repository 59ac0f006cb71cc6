"""Ending requests that only read."""

from __future__ import annotations

from flask import Flask, Response, request

from reference_psa.db import db


def init_reads(app: Flask) -> None:
    """Register the hook."""
    app.after_request(end_read)


def end_read(response: Response) -> Response:
    """Commit after a read, because psycopg forgets its prepared statements at every rollback."""
    session = db.session
    if request.method in ("GET", "HEAD") and response.status_code < 400 and session.registry.has():
        untouched = not (session.new or session.dirty or session.deleted)
        if untouched and session().in_transaction():
            session.commit()
    return response
