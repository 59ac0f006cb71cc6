"""The PSA's configuration, read from the environment once."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

log = logging.getLogger(__name__)

DEFAULT_DATABASE = "postgresql:///psa"
_COPIED = ("PSA_SIMULATOR_TACTICAL_URL", "PSA_SMTP_URL", "PSA_MAIL_FROM")


def load_config(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The configuration the environment asks for.

    ``DATABASE_URL``, ``SECRET_KEY``, every ``RMM_*`` variable as it stands, and
    ``PSA_SIMULATOR_TACTICAL_URL``, ``PSA_SMTP_URL``, ``PSA_MAIL_FROM``, ``PSA_COOKIE_SECURE``.
    """
    env = os.environ if environ is None else environ
    copied = {key: value for key, value in env.items() if key.startswith("RMM_") or key in _COPIED}
    return {
        **_defaults(),
        **copied,
        "SQLALCHEMY_DATABASE_URI": driver_url(env.get("DATABASE_URL") or DEFAULT_DATABASE),
        "SECRET_KEY": env.get("SECRET_KEY") or _passing_key(),
        "SESSION_COOKIE_SECURE": _cookie_secure(env),
    }


def driver_url(url: str) -> str:
    """The URL with psycopg named as its driver; ``postgres://`` is taken as well."""
    scheme, separator, rest = url.partition("://")
    plain = scheme in ("postgres", "postgresql")
    return f"postgresql+psycopg{separator}{rest}" if plain else url


def _defaults() -> dict[str, Any]:
    return {
        "RMM_BASE_TEMPLATE": "psa/base.html",
        "BOOTSTRAP_SERVE_LOCAL": True,
        "SESSION_COOKIE_NAME": "psa_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": 12 * 3600,
        "WTF_CSRF_TIME_LIMIT": None,
        "MAX_CONTENT_LENGTH": 4 * 1024 * 1024,
        # A database that does not answer is told apart within two seconds.
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "json_deserializer": msgspec.json.decode,
            "pool_size": 8,
            "max_overflow": 8,
            "pool_timeout": 2,
            "connect_args": {"connect_timeout": 2, "application_name": "reference_psa"},
        },
    }


def _passing_key() -> str:
    log.warning("SECRET_KEY is not set: sessions end with this process and are not shared with others")
    return secrets.token_hex(32)


def _cookie_secure(env: Mapping[str, str]) -> bool:
    public = env.get("RMM_PUBLIC_URL", "")
    return env.get("PSA_COOKIE_SECURE", "1" if public.startswith("https://") else "0") == "1"
