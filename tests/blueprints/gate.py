"""A vendor made up for these tests that is signed in to in the browser; its code decides how that goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlencode

from rmm_extension.domain.authorization import AuthorizationRequest
from rmm_extension.domain.errors import ConfigError, Unavailable
from rmm_extension.domain.sessions import SessionToken
from rmm_extension.domain.types import AlertEvent, Check, Connection
from rmm_extension.providers.contract import AuthMode, Field, Manifest

from .vendor import ADDRESS, KEY_MODE, StockProvider

KEY = "gate"
SECRET = "gate-secret-0123456789"
MODE = AuthMode(
    key="browser",
    label="Sign-in in the browser",
    description="Somebody signs in.",
    fields=(ADDRESS, Field("client_id", "Client ID"), Field("client_secret", "Client secret", secret=True)),
    vendor_steps=("Enter the redirect URI.",),
    ends_with=("client_secret",),
    in_browser=True,
)


class GateProvider(StockProvider):
    """``asked`` are the codes that were brought, ``ended`` the tokens of sessions that were ended."""

    manifest = Manifest(
        key=KEY,
        label="Gate RMM",
        description="One way in.",
        auth_modes=(MODE, KEY_MODE),
        editions=("enterprise",),
    )
    asked: ClassVar[list[dict[str, str]]] = []
    ended: ClassVar[list[str]] = []
    look: ClassVar[Callable[[], None]] = staticmethod(lambda: None)

    def authorization_url(self, connection: Connection, request: AuthorizationRequest) -> str:
        """At the vendor's own host."""
        if " " in connection.settings["client_id"]:
            raise ConfigError("The client ID has characters that it cannot have.")
        query = {"state": request.state, "redirect_uri": request.redirect_uri, "c": request.code_challenge}
        return f"{connection.instance_url}/authorize?{urlencode(query)}"

    def check(self, connection: Connection) -> Iterator[Check]:
        """By the code."""
        type(self).look()
        self.asked.append({**connection.once, **connection.secrets})
        code = connection.once.get("code", "")
        if code == "away":
            raise Unavailable("Gate RMM does not answer.", provider=KEY)
        if code == "refused":
            yield Check(name="Sign-in", state="failed", message="The code is refused.", remedy="Begin again.")
            return
        if code == "bad-secret":
            yield Check(
                name="Sign-in", state="failed", message="No.", remedy="Copy it.", field="client_secret"
            )
            return
        assert connection.sessions is not None
        connection.sessions.renew(None, lambda ended: SessionToken(value=f"token-of-{code}", refresh="r"))
        yield Check(name="Sign-in", state="ok", message="The sign-in is valid.")
        if code == "short":
            yield Check(name="Renewal", state="failed", message="It ends within an hour.", remedy="Tick it.")
        if code == "limited":
            yield Check(name="Scopes", state="warning", message="Without Control there is no remote access.")

    def end_session(self, connection: Connection) -> None:
        """Remember it."""
        token = connection.sessions.current() if connection.sessions else None
        assert token is not None
        self.ended.append(token.value)


class LoudProvider(GateProvider):
    """The same with alerts."""

    manifest = replace(GateProvider.manifest, key="loud", label="Loud RMM")

    def active_alerts(self, connection: Connection) -> Sequence[AlertEvent]:  # type: ignore[override]
        """None."""
        return ()
