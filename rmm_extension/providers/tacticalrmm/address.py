"""The one form of an instance URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from rmm_extension.domain.errors import ConfigError

_NO_URL = "Enter the address of the Tactical RMM API, such as https://api.example.com."


def normalize(value: str) -> str:
    """``https://host[:port][/path]``: https by default, no trailing slash, a bare ``/api`` cut off."""
    typed = value.strip()
    typed = typed if "://" in typed else f"https://{typed}"
    try:
        parts = urlsplit(typed)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError(_NO_URL) from None
    if parts.scheme not in ("http", "https") or not host or any(found.isspace() for found in typed):
        raise ConfigError(_NO_URL)
    if "@" in parts.netloc:
        raise ConfigError("The address must not hold a user name or password.")
    if parts.query or parts.fragment:
        raise ConfigError("Enter the address without anything behind a ? or #.")
    path = parts.path.rstrip("/")
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{'' if path == '/api' else path}"
