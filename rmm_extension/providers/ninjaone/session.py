"""NinjaOne's OAuth 2: the page to sign in at, the token endpoint, and the end of a session.

``/ws/oauth/{authorize,token,revoke}`` by NinjaOne's own ``/.well-known/oauth-authorization-server``; the
secret goes in the form (``client_secret_post``). A token lives for an hour. A code is good once, for about a
minute. A refresh may bring a new refresh token; where it brings none, the old one stays good.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import msgspec

from rmm_extension.domain.authorization import AuthorizationRequest
from rmm_extension.domain.errors import AuthFailed, InvalidRequest, ProviderError
from rmm_extension.domain.sessions import SessionToken
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.http import HttpClient
from rmm_extension.providers.ninjaone import errors, scopes
from rmm_extension.providers.ninjaone.errors import KEY
from rmm_extension.providers.reply import Reply

AUTHORIZE, TOKEN, REVOKE = "/ws/oauth/authorize", "/ws/oauth/token", "/ws/oauth/revoke"
LIFETIME = 3600
"""Seconds that a token lives where the answer does not say it."""
AHEAD = timedelta(minutes=5)
"""How long before its end a token is renewed."""


class CodeRefused(AuthFailed):
    """The code of the sign-in in the browser is not taken."""


class SignInEnded(AuthFailed):
    """The refresh token is worth nothing any more, or there is none."""


class ApplicationRefused(AuthFailed):
    """The client ID or the client secret is wrong."""


class GrantMissing(AuthFailed):
    """The API application does not allow this kind of sign-in."""


class ScopeRefused(AuthFailed):
    """The API application does not have a scope that was asked for."""


class TokenAnswer(msgspec.Struct):
    """What the token endpoint gives."""

    access_token: str
    expires_in: float | None = None
    refresh_token: str | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Application:
    """An API application of NinjaOne, as one server knows it."""

    runtime: Runtime
    base_url: str
    client_id: str
    client_secret: str

    def client(self, *more: str) -> TokenClient:
        """A client for the OAuth endpoints; ``more`` are further secrets that no text may hold."""
        return TokenClient(self.runtime, self.base_url, secrets=(self.client_secret, *more), retries=0)

    def form(self, **values: str) -> dict[str, str]:
        """The body of a request, with what proves who asks."""
        return {**values, "client_id": self.client_id, "client_secret": self.client_secret}


class TokenClient(HttpClient):
    """The OAuth endpoints: they take no token, and their errors are those of RFC 6749."""

    provider = KEY

    def explain(self, reply: Reply) -> ProviderError | None:
        """What a refusal means."""
        kind, sentence = _REFUSALS.get(reply.texts.get("error", ""), (None, ""))
        if kind is not None and 400 <= reply.status < 500 and reply.status != 429:
            return kind(sentence, provider=KEY, status=reply.status, request_id=reply.request_id)
        if reply.status == 401:
            return ApplicationRefused(
                _APPLICATION, provider=KEY, status=reply.status, request_id=reply.request_id
            )
        return errors.explained(reply, self.redact(errors.said(reply)))


@dataclass(frozen=True, slots=True, repr=False)
class BrowserSignIn:
    """Makes a session of a code, and later of the session's own refresh token. Each is sent once."""

    application: Application
    code: str = ""
    redirect_uri: str = ""
    code_verifier: str = ""

    def __call__(self, ended: SessionToken | None) -> SessionToken:
        """The token of a new session; raises ``AuthFailed`` with what the refusal can mean."""
        if ended is None and self.code:
            return self._exchange()
        if ended is None or not ended.refresh:
            raise SignInEnded(
                "NinjaOne's session has ended, and there is nothing to renew it with. Sign in again.",
                provider=KEY,
            )
        return self._refresh(ended, ended.refresh)

    def _exchange(self) -> SessionToken:
        form = self.application.form(
            grant_type="authorization_code",
            code=self.code,
            redirect_uri=self.redirect_uri,
            code_verifier=self.code_verifier,
        )
        try:
            return _ask(self.application, form, (self.code, self.code_verifier))
        except (SignInEnded, ApplicationRefused) as error:
            kind, sentence = _OF_CODES[type(error)]
            raise kind(sentence, provider=KEY, status=error.status, request_id=error.request_id) from None

    def _refresh(self, ended: SessionToken, refresh: str) -> SessionToken:
        form = self.application.form(grant_type="refresh_token", refresh_token=refresh)
        token = _ask(self.application, form, (refresh, ended.value))
        return msgspec.structs.replace(
            token, refresh=token.refresh or refresh, scopes=token.scopes or ended.scopes
        )


@dataclass(frozen=True, slots=True, repr=False)
class ApplicationSignIn:
    """Makes a session of the API application alone. There is nothing to refresh: it asks anew."""

    application: Application
    scopes: tuple[str, ...]

    def __call__(self, ended: SessionToken | None) -> SessionToken:
        """The token of a new session; raises ``AuthFailed`` with what the refusal can mean."""
        wanted = " ".join(self.scopes)
        form = self.application.form(grant_type="client_credentials", scope=wanted)
        return _ask(self.application, form, (ended.value,) if ended else ())


def authorization_url(
    application: Application, wanted: tuple[str, ...], request: AuthorizationRequest
) -> str:
    """The page where a person signs in and agrees to these scopes."""
    query = {
        "response_type": "code",
        "client_id": application.client_id,
        "redirect_uri": request.redirect_uri,
        "scope": " ".join((*wanted, scopes.OFFLINE)),
        "state": request.state,
        "code_challenge": request.code_challenge,
        "code_challenge_method": "S256",
    }
    return f"{application.base_url.rstrip('/')}{AUTHORIZE}?{urlencode(query)}"


def end(application: Application, token: SessionToken) -> None:
    """Revoke the refresh token, then the access token (RFC 7009).

    Raises ``SignInEnded`` where neither was worth anything any more, ``InvalidRequest`` where NinjaOne does
    not say so only because it does not know the API application by this secret (any more).
    """
    given = [("refresh_token", token.refresh), ("access_token", token.value)]
    given = [(kind, value) for kind, value in given if value]
    over: list[SignInEnded] = []
    with application.client(*(value for _, value in given if value)) as client:
        for kind, value in given:
            try:
                form = application.form(token=value or "", token_type_hint=kind)
                # The body of a success says nothing (RFC 7009), but a web page is of somebody else.
                client.write("POST", REVOKE, form=form).require_json()
            except SignInEnded as error:
                over.append(error)
            except ApplicationRefused as error:
                raise InvalidRequest(
                    "NinjaOne does not accept the client ID and client secret that the session was made with,"
                    " so it could not be ended. It ends when the API application is deleted there.",
                    provider=KEY,
                    status=error.status,
                    request_id=error.request_id,
                ) from None
    if len(over) == len(given):
        raise over[0]


def _ask(application: Application, form: dict[str, str], hidden: tuple[str, ...]) -> SessionToken:
    # Our own clock, for it is the one that looks whether the token has ended; from before the request.
    asked_at = datetime.now(UTC)
    with application.client(*hidden) as client:
        reply = client.write("POST", TOKEN, form=form)
        return _token(reply, reply.decode(TokenAnswer), asked_at)


def _token(reply: Reply, answer: TokenAnswer, asked_at: datetime) -> SessionToken:
    if not answer.access_token or not answer.access_token.isascii() or not answer.access_token.isprintable():
        raise reply.misshapen("the token - at `$.access_token`")
    seconds = answer.expires_in if answer.expires_in and answer.expires_in > 0 else LIFETIME
    lifetime = timedelta(seconds=min(seconds, 86_400 * 30))
    return SessionToken(
        value=answer.access_token,
        expires_at=asked_at + lifetime,
        # One that lives for minutes only is not renewed before half of them are over.
        renew_at=asked_at + lifetime - min(AHEAD, lifetime / 2),
        refresh=answer.refresh_token or None,
        scopes=tuple((answer.scope or "").replace(",", " ").split()),
    )


_APPLICATION = (
    "NinjaOne does not accept the client ID and client secret: one of them is wrong, or the API application"
    " was deleted or got another secret. It says the same of an address of another region."
)
_OF_CODES: dict[type[AuthFailed], tuple[type[AuthFailed], str]] = {
    SignInEnded: (
        CodeRefused,
        "NinjaOne does not take the code that it sent: it is older than a minute, was used already, or was"
        " given for another redirect URI or API application. Sign in again.",
    ),
    # By reports from the field it says the same where the redirect URI is not the one that is set there.
    ApplicationRefused: (
        ApplicationRefused,
        "NinjaOne does not accept the client ID, the client secret or the redirect URI: one of them is not as"
        " it stands at the API application.",
    ),
}
"""What a refusal means when a code was sent."""
_REFUSALS: dict[str, tuple[type[AuthFailed] | None, str]] = {
    "invalid_grant": (
        SignInEnded,
        "NinjaOne does not renew the sign-in any more: it was withdrawn, has expired, or the user may not"
        " sign in. Sign in again.",
    ),
    "invalid_token": (SignInEnded, "NinjaOne does not know this session any more."),
    "invalid_client": (ApplicationRefused, _APPLICATION),
    "unauthorized_client": (
        GrantMissing,
        "The API application in NinjaOne does not allow this kind of sign-in: its grant type is not ticked.",
    ),
    "unsupported_grant_type": (
        GrantMissing,
        "The API application in NinjaOne does not allow this kind of sign-in: its grant type is not ticked.",
    ),
    "invalid_scope": (
        ScopeRefused,
        "The API application in NinjaOne lacks a scope that is asked for.",
    ),
}
