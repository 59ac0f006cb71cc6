"""Signing a webhook as Svix's documents say: HMAC-SHA256 over id, time and body, as base64."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh secret of 24 bytes, as the console shows it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def new_message_id() -> str:
    """A fresh value of `svix-id`; all tries of one message have the same."""
    return f"msg_{secrets.token_urlsafe(20)}"


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One entry of `svix-signature`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secrets_in_force: list[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers; every secret in force signs."""
    entries = [signature(one, message_id, timestamp, body) for one in secrets_in_force]
    return {
        "svix-id": message_id,
        "svix-timestamp": str(timestamp),
        "svix-signature": " ".join(entries),
    }
