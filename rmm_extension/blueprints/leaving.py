"""Sending a person to a vendor's page to sign in, and what both sides have to know for it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from flask import make_response, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from werkzeug.urls import iri_to_uri

from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import AuthMode, Provider
from rmm_extension.services import authorization
from rmm_extension.services.unit import unit

from .context import actor, current_rmm

NONCE = "rmm_browser"
"""Where the cookie keeps what proves that the same browser comes back."""


@dataclass(frozen=True, slots=True)
class Return:
    """Where the vendor sends people back to. ``elsewhere`` is the address of that host, where the page was
    opened at another one: this browser is not signed in there."""

    url: str
    elsewhere: str | None


def way_back(mode: AuthMode) -> Return | None:
    """The redirect URI as the vendor has to know it; ``None`` for a sign-in without a browser."""
    if not mode.in_browser:
        return None
    public = current_rmm().settings.public_url
    if public is None:
        return Return(url_for("rmm.oauth_callback", _external=True), None)
    there = urlsplit(public)
    elsewhere = f"{there.scheme}://{there.netloc}" if there.netloc != request.host else None
    return Return(f"{public}{url_for('rmm.oauth_callback')}", elsewhere)


def nonce() -> str:
    """What only this browser holds while somebody is signed in here; empty before :func:`lead_away`."""
    return str(cookie.get(NONCE) or "")


def lead_away(
    provider: Provider,
    connection: Connection,
    way: Return,
    *,
    integration_id: UUID | None = None,
    extras: dict[str, str] | None = None,
) -> ResponseReturnValue:
    """Keep what was typed and lead the browser to the vendor.

    Not by a redirect: a host whose pages send forms to themselves only (``form-action 'self'``) has the
    browser refuse one that leads elsewhere. Raises ``ConfigError`` for what the vendor cannot be asked with.
    """
    proof = nonce() or secrets.token_urlsafe(32)
    with unit(current_rmm()) as opened:
        url = authorization.begin(
            current_rmm(),
            opened,
            actor(),
            provider,
            connection,
            redirect_uri=way.url,
            browser_nonce=proof,
            integration_id=integration_id,
            extras=extras,
        )
    cookie[NONCE] = proof
    answer = make_response(
        render_template("rmm/connect/leaving.html", manifest=provider.manifest, url=url, host=_host(url))
    )
    answer.headers["Refresh"] = f"0; url={iri_to_uri(url)}"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _host(url: str) -> str:
    return urlsplit(url).netloc
