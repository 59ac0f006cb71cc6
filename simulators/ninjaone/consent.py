"""/ws/oauth/authorize: a person signs in, sees what an application asks for, and allows it or not."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request

from simulators.ninjaone.applications import Application, Code, User
from simulators.ninjaone.endpoints import lab
from simulators.ninjaone.oauth import scopes_asked
from simulators.ninjaone.replies import ApiError

consent_blueprint = Blueprint("consent", __name__, template_folder="templates")

LEGENDS = {
    "monitoring": "Read devices, alerts and activities",
    "management": "Change devices, run scripts, reset alerts",
    "control": "Open remote sessions",
    "offline_access": "Stay signed in while you are away",
}


@dataclass
class SignIn:
    """An authorization under way."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    challenge: str | None
    user_id: int | None = None


@consent_blueprint.get("/ws/oauth/authorize", endpoint="authorize")
@consent_blueprint.get("/oauth/authorize", endpoint="authorize_alias")
def authorize() -> Any:
    """The log-in page. What cannot be answered to the application is told on the vendor's own error page."""
    asked = request.args
    with lab().lock:
        application = lab().applications.get(asked.get("client_id", ""))
        if application is None:
            return _error_page("invalid_client", "Unknown client")
        if asked.get("redirect_uri", "") not in application.redirect_uris:
            return _error_page("invalid_request", "Redirect URI mismatch")
        if "authorization_code" not in application.grants:
            return _error_page("unauthorized_client", "Grant type is not allowed for this application")
        return _begin(application)


def _begin(application: Application) -> Any:
    asked = request.args
    sign_in = SignIn(
        client_id=application.client_id,
        redirect_uri=asked["redirect_uri"],
        scopes=(),
        state=asked.get("state"),
        challenge=asked.get("code_challenge"),
    )
    if asked.get("response_type") != "code":
        return _back(sign_in, error="unsupported_response_type")
    plain = sign_in.challenge is not None and asked.get("code_challenge_method", "plain") != "S256"
    if plain or (sign_in.challenge is None and lab().settings.pkce_required):
        return _back(sign_in, error="invalid_request", error_description="S256 code challenge required")
    try:
        sign_in.scopes = scopes_asked(application, asked.get("scope", ""))
    except ApiError as error:
        return _back(sign_in, **error.body)
    ticket = secrets.token_urlsafe(24)
    lab().sign_ins[ticket] = sign_in
    return render_template("login.html", ticket=ticket, email="", problem=None)


@consent_blueprint.post("/ws/oauth/login")
def login() -> Any:
    """Check the person; then the consent page."""
    ticket, email = request.form.get("ticket", ""), request.form.get("email", "")
    with lab().lock:
        sign_in = lab().sign_ins.get(ticket)
        if sign_in is None:
            return _error_page("invalid_request", "This sign-in is over")
        person = _person(email, request.form.get("password", ""))
        if person is None:
            problem = "E-mail address or password is wrong."
            return render_template("login.html", ticket=ticket, email=email, problem=problem), 401
        sign_in.user_id = person.id
        declined = lab().settings.declined_scopes
        return render_template(
            "consent.html",
            ticket=ticket,
            person=person,
            application=lab().applications[sign_in.client_id],
            scopes=[(one, LEGENDS[one], one not in declined) for one in sign_in.scopes],
        )


def _person(email: str, password: str) -> User | None:
    for one in lab().users.values():
        if one.email == email.strip().lower() and one.password == password and one.enabled:
            return one
    return None


@consent_blueprint.post("/ws/oauth/consent")
def consent() -> Any:
    """What the person decided, back to the application."""
    with lab().lock:
        sign_in = lab().sign_ins.pop(request.form.get("ticket", ""), None)
        if sign_in is None or sign_in.user_id is None:
            return _error_page("invalid_request", "This sign-in is over")
        if request.form.get("decision") != "allow":
            return _back(sign_in, error="access_denied", error_description="The user denied access")
        ticked = set(request.form.getlist("scope"))
        scopes = tuple(one for one in sign_in.scopes if one in ticked)
        code = secrets.token_urlsafe(24)
        expires = lab().clock.timestamp() + lab().settings.code_seconds
        lab().codes[code] = Code(
            sign_in.client_id, sign_in.user_id, scopes, sign_in.redirect_uri, expires, sign_in.challenge
        )
        return _back(sign_in, code=code)


@consent_blueprint.get("/ws/oauth/error")
def error() -> Any:
    """The vendor's own error page."""
    return render_template("oauth_error.html", error=request.args), 400


def _error_page(error: str, description: str) -> Any:
    return redirect(f"/ws/oauth/error?{urlencode({'error': error, 'error_description': description})}", 302)


def _back(sign_in: SignIn, **parameters: str) -> Any:
    """To the application, with its state."""
    if sign_in.state is not None:
        parameters["state"] = sign_in.state
    mark = "&" if "?" in sign_in.redirect_uri else "?"
    return redirect(f"{sign_in.redirect_uri}{mark}{urlencode(parameters)}", 302)
