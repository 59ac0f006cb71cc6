"""The keys that Bot Connector signs with, and its tokens: genuine ones, and every kind of forgery."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://api.botframework.com"
LIFETIME = 3600
ENDORSED = ("msteams", "webchat", "directline")


@cache
def private_key(number: int) -> RSAPrivateKey:
    """The key of that number, made once in a process: making one takes a while."""
    return generate_private_key(65537, 2048)


@dataclass
class SigningKey:
    """A key with its id and the channels it may sign for."""

    number: int
    endorsements: tuple[str, ...] = ENDORSED

    @property
    def kid(self) -> str:
        """Its id."""
        return f"sim-key-{self.number}"

    def public(self) -> dict[str, Any]:
        """As the list of keys tells it."""
        found = json.loads(RSAAlgorithm.to_jwk(private_key(self.number).public_key()))
        found.pop("key_ops", None)
        return {
            **found,
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "endorsements": list(self.endorsements),
        }


@dataclass
class Draft:
    """A token before it is signed; a forgery changes a part of it."""

    key: SigningKey
    claims: dict[str, Any]
    header: dict[str, Any] = field(default_factory=dict)
    signed_by: Any = None
    algorithm: str = "RS256"

    def signed(self) -> str:
        """The token."""
        key = private_key(self.key.number) if self.signed_by is None else self.signed_by
        headers = {"kid": self.key.kid, "x5t": self.key.kid, **self.header}
        return jwt.encode(self.claims, key, self.algorithm, headers=headers)


def _shift(draft: Draft, seconds: float) -> None:
    draft.claims["nbf"] += seconds
    draft.claims["exp"] += seconds


def _foreign(draft: Draft) -> None:
    draft.signed_by = private_key(-1)


def _unknown(draft: Draft) -> None:
    draft.signed_by, draft.header = private_key(-1), {"kid": "sim-key-unknown", "x5t": "sim-key-unknown"}


def _symmetric(draft: Draft) -> None:
    draft.algorithm, draft.signed_by = "HS256", "not the key, but a text of some length"


def _unsigned(draft: Draft) -> None:
    draft.algorithm, draft.signed_by = "none", ""


FORGERIES: dict[str, Callable[[Draft], None]] = {
    "expired": lambda draft: _shift(draft, -2 * LIFETIME),
    "not_yet": lambda draft: _shift(draft, 2 * LIFETIME),
    "wrong_issuer": lambda draft: draft.claims.update(iss="https://sts.windows.net/"),
    "wrong_audience": lambda draft: draft.claims.update(aud="5e1f0000-0000-4000-8000-0000000000ff"),
    "wrong_service": lambda draft: draft.claims.update(serviceurl="https://smba.trafficmanager.net/other/"),
    "no_service": lambda draft: draft.claims.pop("serviceurl") and None,
    "no_expiry": lambda draft: draft.claims.pop("exp") and None,
    "bad_signature": _foreign,
    "unknown_key": _unknown,
    "symmetric": _symmetric,
    "unsigned": _unsigned,
}
"""What can be wrong with the token itself, by name."""
ELSEWHERE = ("no_token", "not_endorsed", "wrong_channel", "wrong_directory", "untrusted_service")
"""What can be wrong with what is around it."""
ALL_FORGERIES = (*FORGERIES, *ELSEWHERE)


def token(key: SigningKey, app_id: str, service_url: str, now: float, forge: str = "") -> str:
    """What comes with an activity, as a real one or as the forgery of that name."""
    claims = {"serviceurl": service_url, "aud": app_id, "iss": ISSUER, "nbf": int(now) - 60}
    draft = Draft(key, {**claims, "exp": int(now) + LIFETIME})
    if forge in FORGERIES:
        FORGERIES[forge](draft)
    return draft.signed()
