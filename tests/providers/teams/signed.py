"""Activities with tokens as Bot Connector's, genuine but for what a test changes."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt

from rmm_extension.domain.messaging import BotActivity
from simulators.teams.signing import ISSUER, SigningKey, private_key
from tests.providers.teams.accounts import APP_ID, DIRECTORY, PERSON, SERVICE, connection, provider

KEY = SigningKey(1)
KEYS = [SigningKey(2).public(), KEY.public()]


def activity(**changes: Any) -> dict[str, Any]:
    """The bot is installed for a person."""
    found = {
        "type": "installationUpdate",
        "action": "add",
        "id": "f:1",
        "timestamp": "2026-11-22T08:00:00.123Z",
        "channelId": "msteams",
        "serviceUrl": SERVICE,
        "from": {"id": "29:1x", "name": "Priya Raman", "aadObjectId": PERSON.upper()},
        "recipient": {"id": f"28:{APP_ID}", "name": "PSA"},
        "conversation": {"conversationType": "personal", "id": "a:1p0"},
        "channelData": {"tenant": {"id": DIRECTORY}},
    }
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


@dataclass
class Message:
    """What arrives; ``claims`` and ``header`` are put over those of a genuine token, None leaves one out.

    A claim that is a time span counts from when the message arrives.
    """

    activity: dict[str, Any] = field(default_factory=activity)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    signed_by: Any = None
    algorithm: str = "RS256"
    body: bytes | None = None

    def token(self) -> str:
        """The token that comes with it."""
        now = int(time.time())
        usual = {"serviceurl": SERVICE, "aud": APP_ID, "iss": ISSUER, "nbf": now - 60, "exp": now + 3600}
        told = {**usual, **self.claims}
        claims = {name: _at(now, value) for name, value in told.items() if value is not None}
        header = {name: value for name, value in {"kid": KEY.kid, **self.header}.items() if value is not None}
        key = private_key(KEY.number) if self.signed_by is None else self.signed_by
        return jwt.encode(claims, key, self.algorithm, headers=header)

    def arrives(
        self,
        authorization: str | None = None,
        keys: list[dict[str, Any]] | None = None,
        **settings: Any,
    ) -> BotActivity | None:
        """What the provider makes of it."""
        given = f"Bearer {self.token()}" if authorization is None else authorization
        body = json.dumps(self.activity).encode() if self.body is None else self.body
        headers = {"Content-Type": "application/json", "AUTHORIZATION": given}
        return provider().verify_bot_message(
            connection(**settings), headers, body, KEYS if keys is None else keys
        )


def _at(now: int, value: Any) -> Any:
    return now + int(value.total_seconds()) if isinstance(value, timedelta) else value
