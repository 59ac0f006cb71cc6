"""Signatures of Svix, which sends Huntress's webhooks: HMAC-SHA256 over ``id.timestamp.body``.

By Svix's description of its headers: the secret is ``whsec_`` and base64, the header ``svix-signature`` a
list of ``v1,<base64>`` apart by blanks (several while a secret is rotated), and a message counts for five
minutes.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.types import WebhookRequest
from rmm_extension.providers.hooks import any_equal

ID, TIMESTAMP, SIGNATURE = "svix-id", "svix-timestamp", "svix-signature"
TOLERANCE = 300
"""Seconds that a delivery's time may be away from its arrival, in both directions."""
_PREFIX = "whsec_"
_VERSION = "v1"
_SHORTEST, _LONGEST = 16, 128
_MOST_SIGNATURES = 20


def verify(request: WebhookRequest, secrets: Sequence[str]) -> bool:
    """Whether the delivery is fresh and signed with one of the secrets.

    Every pair is compared, each in constant time.
    """
    message_id, timestamp = request.headers.get(ID, ""), request.headers.get(TIMESTAMP, "")
    if not message_id or not _is_fresh(timestamp, request.received_at.timestamp()):
        return False
    signed = f"{message_id}.{timestamp}.".encode() + request.body
    keys = [key for secret in secrets if (key := _key(secret)) is not None]
    wanted = [b64encode(hmac.new(key, signed, hashlib.sha256).digest()) for key in keys]
    given = _given(request.headers.get(SIGNATURE, ""))
    return any_equal(given, wanted)


def checked_secret(value: str) -> str:
    """The signing secret in its one form; raises ``ConfigError`` for what is none."""
    found = "".join(value.split())
    if not found.startswith(_PREFIX):
        raise ConfigError("Copy the whole signing secret from Huntress: it begins with whsec_.")
    if _key(found) is None:
        raise ConfigError("This is no signing secret of Huntress: a part of it is missing. Copy it again.")
    return found


def _key(secret: str) -> bytes | None:
    """The bytes of a secret; ``None`` for what is none."""
    if not secret.startswith(_PREFIX):
        return None
    try:
        key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if _SHORTEST <= len(key) <= _LONGEST else None


def _is_fresh(timestamp: str, now: float) -> bool:
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        return False
    return abs(now - int(timestamp)) <= TOLERANCE


def _given(header: str) -> list[bytes]:
    """The signatures of the version that is known here."""
    pairs = (one.partition(",") for one in header.split()[:_MOST_SIGNATURES])
    return [signature.encode() for version, _, signature in pairs if version == _VERSION and signature]
