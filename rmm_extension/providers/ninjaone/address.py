"""The one form of an instance URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from rmm_extension.domain.errors import ConfigError

REGIONS = (
    ("https://app.ninjarmm.com", "United States"),
    ("https://us2.ninjarmm.com", "United States 2"),
    ("https://eu.ninjarmm.com", "Europe"),
    ("https://ca.ninjarmm.com", "Canada"),
    ("https://oc.ninjarmm.com", "Oceania"),
    ("https://fed.ninjarmm.com", "United States, government"),
)
"""NinjaOne's own addresses; white-label ones are any others, such as https://msp.rmmservice.com."""
_PORTS = {"https": 443, "http": 80}
_NO_URL = "Enter the address that you open NinjaOne at, such as https://app.ninjarmm.com."


def normalize(value: str) -> str:
    """``https://host[:port]``: https by default, and no path, for people copy what their browser shows.

    Nor the scheme's own port: one server has one address, by which its API application is known again.
    """
    typed = value.strip()
    typed = typed if "://" in typed else f"https://{typed}"
    try:
        parts = urlsplit(typed)
        host, port = (parts.hostname or "").removesuffix("."), parts.port
    except ValueError:
        raise ConfigError(_NO_URL) from None
    if parts.scheme not in ("http", "https") or not host or any(found.isspace() for found in typed):
        raise ConfigError(_NO_URL)
    if "@" in parts.netloc:
        raise ConfigError("The address must not hold a user name or password.")
    host = f"[{host}]" if ":" in host else host
    is_usual = port in (None, _PORTS[parts.scheme])
    return f"{parts.scheme}://{host}{'' if is_usual else f':{port}'}"
