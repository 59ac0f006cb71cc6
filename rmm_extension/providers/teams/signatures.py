"""Whether an inbound message is Bot Connector's, for this bot: the token that comes with it.

By Microsoft's description of the authentication from Connector to bot: a JSON Web Token whose issuer,
audience, time and signature are checked, whose claim ``serviceurl`` is the activity's, and whose key endorses
the channel that the activity names. Nothing here is ever skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jwt

from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.messaging import KeyUnknown
from rmm_extension.providers.teams.activities import CHANNEL, Activity

ISSUER = "https://api.botframework.com"
ALGORITHMS = ("RS256", "RS384", "RS512")
SKEW = 300
"""Seconds that the sender's clock may be away from ours."""
_LONGEST = 16_384
_SMALLEST_KEY = 2048
_UNREADABLE = "The key of the token cannot be read."


def verify(
    headers: Mapping[str, str], activity: Activity, app_id: str, keys: Sequence[Mapping[str, Any]]
) -> None:
    """Raise ``KeyUnknown``, or another ``WebhookRejected`` in words, unless everything is right."""
    token = _bearer(headers)
    key = _key(token, keys)
    claims = _claims(token, key, app_id)
    if _claim(claims, "serviceurl") != activity.service_url:
        raise WebhookRejected("wrong_service", "The token is for another service URL than the activity's.")
    if activity.channel_id != CHANNEL:
        raise WebhookRejected("wrong_channel", "The activity is not of Microsoft Teams.")
    endorsed = key.get("endorsements")
    if not isinstance(endorsed, list) or activity.channel_id not in endorsed:
        raise WebhookRejected("not_endorsed", "The key of the token may not sign for Microsoft Teams.")


def _bearer(headers: Mapping[str, str]) -> str:
    given = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    scheme, _, token = given.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > _LONGEST:
        raise WebhookRejected("no_token", "The message comes without a token of Bot Connector.")
    return token


def _key(token: str, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The key that the token names."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise WebhookRejected("bad_token", "The token of the message is none.") from None
    if header.get("alg") not in ALGORITHMS:
        raise WebhookRejected(
            "bad_algorithm", "The token is signed in a way that Bot Connector does not use."
        )
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise WebhookRejected("bad_token", "The token does not name the key that it is signed with.")
    for key in keys:
        if key.get("kid") == kid:
            return key
    raise KeyUnknown("The token is signed with a key that is not known.")


def _claims(token: str, key: Mapping[str, Any], app_id: str) -> dict[str, Any]:
    try:
        public = jwt.PyJWK(dict(key), algorithm="RS256").key
        if key.get("kty") != "RSA" or public.key_size < _SMALLEST_KEY:
            raise WebhookRejected("bad_key", "The key of the token is too weak.")
        return jwt.decode(
            token,
            public,
            algorithms=list(ALGORITHMS),
            audience=app_id,
            issuer=ISSUER,
            leeway=SKEW,
            options={"require": ["exp", "iss", "aud"], "strict_aud": True},
        )
    except jwt.PyJWTError as error:
        raise _refusal(error) from None
    except (ValueError, TypeError, AttributeError):
        raise WebhookRejected("bad_key", _UNREADABLE) from None


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim; the vendor's documents and its own code write its name in different cases."""
    return next((value for found, value in claims.items() if found.lower() == name), None)


def _refusal(error: jwt.PyJWTError) -> WebhookRejected:
    reason, sentence = next(
        (told for kind, told in _REFUSALS if isinstance(error, kind)),
        ("bad_token", "The token of the message is none."),
    )
    return WebhookRejected(reason, sentence)


_REFUSALS: tuple[tuple[type[jwt.PyJWTError], tuple[str, str]], ...] = (
    (jwt.ExpiredSignatureError, ("expired", "The token of the message has expired.")),
    (jwt.ImmatureSignatureError, ("not_yet", "The token of the message does not count yet.")),
    (jwt.InvalidAudienceError, ("wrong_audience", "The token is for another bot.")),
    (jwt.InvalidIssuerError, ("wrong_issuer", "The token was not issued by Bot Framework.")),
    (jwt.MissingRequiredClaimError, ("claim_missing", "The token lacks a claim that it must have.")),
    (jwt.InvalidSignatureError, ("bad_signature", "The signature of the token is not right.")),
    (jwt.PyJWKError, ("bad_key", _UNREADABLE)),
    (jwt.InvalidKeyError, ("bad_key", _UNREADABLE)),
)
