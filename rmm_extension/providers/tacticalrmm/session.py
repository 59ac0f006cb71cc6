"""Signing in by user and password: Tactical RMM's two steps, and the code of its two-step log-in.

The facts are of Tactical RMM 1.5.1, recorded over HTTP. ``POST /v2/checkcreds/`` answers a user without a
TOTP key with a token at once; ``/v2/login/`` would then fail with a 500. A user with a TOTP key gets a token
from ``/v2/login/`` with a code. Both crash where a key of the body is missing, and each takes ten calls a
minute and 300 a day from one address, successful ones included.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import pyotp

from rmm_extension.domain.errors import AuthFailed, ProviderError, RateLimited, Unavailable
from rmm_extension.domain.sessions import SessionToken, until_words
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.tacticalrmm.client import KEY, TacticalClient

FIRST, SECOND = "/v2/checkcreds/", "/v2/login/"
LIFETIME = timedelta(hours=5)
"""How long a token lives after its last use. That of the first step has 180 s until it is used at all."""
_REFUSED = (
    "Tactical RMM refuses this user name and password. It says no more, and says the same of a user who is"
    " inactive, whose dashboard log-in is blocked, or who signs in by SSO, and of everybody but superusers"
    " where local log-ins are switched off."
)
_CODE_NEEDED = (
    "This user has two-step log-in in Tactical RMM. Sign in again with the connection's credentials and the"
    " code that the authenticator shows now, or store its TOTP seed there, so that sign-ins need nobody."
)


class PasswordRefused(AuthFailed):
    """The name and password are wrong, or the user may not sign in with them."""


class CodeNeeded(AuthFailed):
    """The user has two-step log-in, and there is neither a code nor a seed."""


class CodeRefused(AuthFailed):
    """The code that was typed is wrong or too old."""


class SeedRefused(AuthFailed):
    """The code made from the stored seed is refused."""


class FirstStep(msgspec.Struct):
    """The answer of the first step; ``totp`` tells whether there is a second."""

    totp: bool = False
    token: str | None = None


class SecondStep(msgspec.Struct):
    """The answer of the second step."""

    token: str


class LogInClient(TacticalClient):
    """The two addresses of the log-in. They take no token: a stale one would be refused first of all."""

    def explain(self, reply: Reply) -> ProviderError | None:
        """What a refused log-in can mean."""
        found = _refusal(reply)
        if found is None:
            return super().explain(reply)
        found.provider, found.status, found.request_id = KEY, reply.status, reply.request_id
        return found


@dataclass(frozen=True, slots=True, repr=False)
class PasswordSignIn:
    """Makes a session of a user name and a password: one attempt, never repeated.

    ``code`` was typed for this sign-in; without it ``totp`` makes one where it is needed.
    """

    runtime: Runtime
    base_url: str
    username: str
    password: str
    totp: pyotp.TOTP | None = None
    code: str = ""

    def __call__(self, ended: SessionToken | None) -> SessionToken:
        """The token of a new session.

        Raises ``AuthFailed`` with what the refusal can mean, ``RateLimited`` with when to come again.
        """
        secrets = (self.password, self.code, self.totp.secret if self.totp else "")
        with LogInClient(self.runtime, self.base_url, secrets=secrets, retries=0) as client:
            who = {"username": self.username, "password": self.password}
            reply = client.write("POST", FIRST, json=who)
            first = reply.decode(FirstStep)
            if not first.totp:
                return _token(first.token, reply)
            return self._second(client, who, reply.moment)

    def _second(self, client: LogInClient, who: dict[str, str], moment: datetime) -> SessionToken:
        code = self.code or (self.totp.at(moment) if self.totp else "")
        if not code:
            raise CodeNeeded(_CODE_NEEDED, provider=KEY)
        try:
            reply = client.write("POST", SECOND, json={**who, "twofactor": code})
        except CodeRefused as error:
            if self.code:
                raise
            raise SeedRefused(
                "Tactical RMM refuses the code made from the stored TOTP seed: it is not this user's seed, or"
                " the user has a new one.",
                provider=KEY,
                status=error.status,
                request_id=error.request_id,
            ) from None
        return _token(reply.decode(SecondStep).token, reply)


def _token(value: str | None, reply: Reply) -> SessionToken:
    if not value or not value.isascii() or not value.isprintable():
        raise reply.misshapen("the token - at `$.token`")
    return SessionToken(value=value, expires_at=reply.moment + LIFETIME)


def _refusal(reply: Reply) -> ProviderError | None:
    if reply.status == 429:
        return _throttled(reply)
    if reply.status == 400 and not reply.is_html:
        return _refused(reply)
    if reply.status == 500 and reply.path == SECOND:
        return Unavailable(
            "Tactical RMM failed at the second step of the log-in (status 500). It does so when the TOTP key"
            " of the user was removed a moment ago; otherwise its own log says why."
        )
    return None


def _refused(reply: Reply) -> AuthFailed:
    """The second step has two bodies for two reasons; both stand in for a wrong password in the first."""
    if reply.path == SECOND and reply.body.lstrip().startswith(b'"'):
        return CodeRefused("Tactical RMM refuses the code. Type the one that the authenticator shows now.")
    return PasswordRefused(_REFUSED)


def _throttled(reply: Reply) -> RateLimited:
    seconds = 60.0 if reply.retry_after is None else reply.retry_after
    return RateLimited(
        f"Tactical RMM takes no log-ins from here until {until_words(reply.moment, seconds)}. It takes ten a"
        " minute from everybody behind one address.",
        retry_after=seconds,
    )
