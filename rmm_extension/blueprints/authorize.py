"""Coming back from a vendor's sign-in: with a code, or with the reason why there is none."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.authorization import refusal
from rmm_extension.domain.errors import Conflict, RMMError
from rmm_extension.forms.credentials import PREFIX, CredentialsForm, connect_form, credentials_form
from rmm_extension.providers.contract import Provider
from rmm_extension.services import authorization, connections, credentials
from rmm_extension.services.authorization import SignInLost, Typed

from .abilities import has_alerts
from .access import requires
from .connect import details_page, keep
from .connection import credentials_page, reconnect
from .context import actor, current_rmm, end_reading, session
from .leaving import nonce
from .routing import Routes
from .signing_in import Attempt, test

routes = Routes()


@routes.get("/oauth/callback")
@requires("rmm.configure")
def oauth_callback() -> ResponseReturnValue:
    """Take the vendor's code, test the connection with it, keep it and go on; or say what went wrong.

    The address holds the code: it is kept by nobody, and no link or form from here tells more of it than the
    host. (It does tell the host, for the check of a form's origin asks for that.)
    """
    answer = make_response(_answer())
    answer.headers["Referrer-Policy"] = "strict-origin"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _answer() -> ResponseReturnValue:
    try:
        return _finish()
    except SignInLost as error:
        return _lost(error)
    except RMMError as error:
        return _lost(SignInLost(str(error)))


def _finish() -> ResponseReturnValue:
    end_reading()
    state = request.args.get("state", "")
    if not state:
        raise SignInLost(
            f"The vendor sent you back without saying which sign-in this was about{_reason()}. Begin again."
        )
    begun = authorization.take(current_rmm(), actor(), state, nonce())
    provider = connections.entitled_provider(current_rmm(), session(), actor().tenant_id, begun.provider)
    error, code = request.args.get("error", ""), request.args.get("code", "")
    if error or not code:
        label = provider.manifest.label
        words = refusal(label, error) if error else f"{label} sent no code with you. Try again."
        return _again(provider, begun, Attempt(general=words))
    return _with_code(provider, begun, code)


def _with_code(provider: Provider, begun: Typed, code: str) -> ResponseReturnValue:
    connection = begun.connection(actor().tenant_id, code)
    result = test(provider, connection)
    if result.connection is None:
        authorization.abandon(provider, connection)
        return _again(provider, begun, result)
    if begun.integration_id is not None:
        return reconnect(begun.integration_id, result)
    catch_all = bool(begun.extras.get("catch_all"))
    try:
        return keep(provider, begun.extras.get("name", ""), result, catch_all=catch_all)
    except Conflict as error:
        authorization.abandon(provider, connection)
        return _again(provider, begun, Attempt(general=str(error)))


def _again(provider: Provider, begun: Typed, result: Attempt) -> ResponseReturnValue:
    """The form with what was typed, but secrets, and what stood in the way."""
    mode = credentials.auth_mode(provider, begun.auth_mode)
    values = {PREFIX + name: value for name, value in begun.settings.items()}
    values[PREFIX + "instance_url"] = begun.instance_url
    if begun.integration_id is None:
        kind = connect_form(mode, begun.extras.get("name", ""), alerts=has_alerts(provider))
        form = _filled(kind, {**values, "catch_all": bool(begun.extras.get("catch_all"))}, result)
        return details_page(provider, mode, form, result)
    row = connections.get(session(), actor().tenant_id, begun.integration_id)
    hints = current_rmm().vault.hints(session(), row.tenant_id, row.id)
    form = _filled(credentials_form(mode, hints if mode.key == row.auth_mode else {}), values, result)
    return credentials_page(row.id, provider, form, result)


def _filled(kind: type[CredentialsForm], values: dict[str, Any], result: Attempt) -> CredentialsForm:
    form = kind(formdata=None, data=values)
    form.mark(result.checks)
    return form


def _lost(error: SignInLost) -> ResponseReturnValue:
    """No form to go back to with what was typed: where to begin again."""
    if error.integration_id is not None:
        back = url_for("rmm.connection_credentials", integration_id=error.integration_id)
    elif error.provider is not None:
        back = url_for("rmm.connect", provider_key=error.provider)
    else:
        back = url_for("rmm.settings")
    page = render_template("rmm/connect/lost.html", text=str(error), back=back, known=error.provider)
    return page, 409


def _reason() -> str:
    error = request.args.get("error", "")
    return f". {refusal('The vendor', error).rstrip('.')}" if error else ""
