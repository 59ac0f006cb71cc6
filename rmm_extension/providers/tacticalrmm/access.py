"""From a connection to a client that signs its requests: by API key, or by user and password."""

from __future__ import annotations

import base64
import binascii
from typing import ClassVar

import pyotp

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.http import RETRIES
from rmm_extension.providers.session import VendorSession
from rmm_extension.providers.tacticalrmm.client import KEY, TacticalClient
from rmm_extension.providers.tacticalrmm.session import PasswordSignIn
from rmm_extension.providers.tacticalrmm.words import OF_SESSION, Words

_SHORTEST_SEED = 10
"""Bytes; Tactical RMM makes seeds of 20."""


class BadSeed(ConfigError):
    """What was given as TOTP seed is none."""


class BadCode(ConfigError):
    """What was given as code is none."""


class SessionClient(TacticalClient):
    """A client whose errors speak of a user's session."""

    words: ClassVar[Words] = OF_SESSION


def open_client(runtime: Runtime, connection: Connection, *, retries: int = RETRIES) -> TacticalClient:
    """A client for the connection; raises ``ConfigError`` when something is missing from it."""
    base = runtime.base_urls.get(KEY) or connection.instance_url
    if connection.auth_mode == "password":
        return _with_session(runtime, connection, base, retries)
    if connection.auth_mode == "api_key":
        return _with_key(runtime, connection, base, retries)
    raise ConfigError("Sign in to Tactical RMM with an API key, or with user and password.")


def leaving_client(runtime: Runtime, connection: Connection) -> TacticalClient:
    """A client with the token of the connection's session and nothing else: it never signs in anew."""
    token = connection.sessions.current() if connection.sessions else None
    if token is None:
        raise ConfigError("There is no session to end.")
    base = runtime.base_urls.get(KEY) or connection.instance_url
    signed = {"Authorization": f"Token {token.value}"}
    return SessionClient(runtime, _needed(base), headers=signed, secrets=(token.value,))


def _with_key(runtime: Runtime, connection: Connection, base: str, retries: int) -> TacticalClient:
    key = connection.secrets.get("api_key", "").strip()
    if not key:
        raise ConfigError("The API key is missing.")
    if not key.isascii() or not key.isprintable():
        raise ConfigError("The API key has characters that no API key has. Copy it again.")
    return TacticalClient(runtime, _needed(base), headers={"X-API-KEY": key}, secrets=(key,), retries=retries)


def _with_session(runtime: Runtime, connection: Connection, base: str, retries: int) -> TacticalClient:
    username = str(connection.settings.get("username") or "").strip()
    password = connection.secrets.get("password", "")
    if not username or not password:
        raise ConfigError("The user name or the password is missing.")
    seed = connection.secrets.get("totp_seed", "")
    sign_in = PasswordSignIn(
        runtime,
        _needed(base),
        username,
        password,
        totp=parse_seed(seed) if seed.strip() else None,
        code=parse_code(connection.once.get("code", "")),
    )
    session = VendorSession(connection.sessions, sign_in, scheme="Token")
    return SessionClient(runtime, base, secrets=(password, seed), session=session, retries=retries)


def _needed(base: str) -> str:
    if not base:
        raise ConfigError("The address of the Tactical RMM API is missing.")
    return base


def parse_seed(text: str) -> pyotp.TOTP:
    """The authenticator of a seed: base32, in groups or not, or the ``otpauth://`` address of a QR code."""
    typed = text.strip()
    try:
        if typed.lower().startswith("otpauth:"):
            found = pyotp.parse_uri(typed)
        else:
            found = pyotp.TOTP("".join(typed.split()).replace("-", "").upper().rstrip("="))
        is_seed = isinstance(found, pyotp.TOTP) and len(_bytes_of(found.secret)) >= _SHORTEST_SEED
    except (ValueError, binascii.Error):
        is_seed = False
    if not is_seed:
        raise BadSeed(
            "This is no TOTP seed. It is the text or the otpauth:// address that Tactical RMM shows with the"
            " QR code when two-step log-in is set up; not a code of six digits."
        )
    assert isinstance(found, pyotp.TOTP)
    return found


def parse_code(text: str) -> str:
    """The six digits of a code, without blanks; empty when nothing was typed."""
    code = "".join(text.split())
    if code and not (len(code) == 6 and code.isascii() and code.isdigit()):
        raise BadCode("The code has six digits.")
    return code


def _bytes_of(seed: str) -> bytes:
    padded = seed + "=" * (-len(seed) % 8)
    return base64.b32decode(padded, casefold=True)
