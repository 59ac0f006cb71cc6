"""The installation's configuration: read once, checked at start, a wrong value names its key."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from .errors import ConfigError
from .labels import LABELS
from .retention import KEEP, LONGEST, SHORTEST, Keep

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_BASE_URL = re.compile(r"RMM_([A-Z0-9]+)_BASE_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All ``RMM_*`` values, typed. The order of ``secret_keys`` matters: the first one encrypts."""

    secret_keys: Mapping[str, bytes]
    redis_url: str | None
    public_url: str | None
    url_prefix: str
    base_template: str
    allowed_networks: tuple[Network, ...]
    base_urls: Mapping[str, str]
    webhook_max_bytes: int
    detail_wait: int
    keep: Keep

    def __repr__(self) -> str:
        return f"Settings(public_url={self.public_url!r}, url_prefix={self.url_prefix!r})"


_DEFAULTS: dict[str, Any] = {
    "RMM_SECRET_KEYS": None,
    "RMM_REDIS_URL": None,
    "RMM_PUBLIC_URL": None,
    "RMM_URL_PREFIX": "/rmm",
    "RMM_BASE_TEMPLATE": "rmm/base.html",
    "RMM_ALLOWED_NETWORKS": "",
    "RMM_WEBHOOK_MAX_BYTES": 262_144,
    "RMM_DETAIL_WAIT": 120,
    "RMM_KEEP_ALERTS": KEEP.alerts,
    "RMM_KEEP_HISTORY": KEEP.history,
    "RMM_KEEP_DELIVERIES": KEEP.deliveries,
    "RMM_KEEP_QUARANTINE": KEEP.quarantine,
    "RMM_KEEP_SIGNALS": KEEP.signals,
    "RMM_KEEP_RUNS": KEEP.runs,
    "RMM_KEEP_AUDIT": KEEP.audit,
}


def read_settings(config: Mapping[str, Any]) -> Settings:
    """The settings in ``config`` (an app's configuration); raises ``ConfigError`` naming the key."""
    _refuse_unknown(config)
    values = {key: config.get(key, default) for key, default in _DEFAULTS.items()}
    return Settings(
        secret_keys=_secret_keys(values["RMM_SECRET_KEYS"]),
        redis_url=_url("RMM_REDIS_URL", values["RMM_REDIS_URL"], ("redis", "rediss", "unix")),
        public_url=_public_url(values["RMM_PUBLIC_URL"]),
        url_prefix=_prefix(values["RMM_URL_PREFIX"]),
        base_template=str(values["RMM_BASE_TEMPLATE"]),
        allowed_networks=_networks(values["RMM_ALLOWED_NETWORKS"]),
        base_urls=_base_urls(config),
        webhook_max_bytes=_whole("RMM_WEBHOOK_MAX_BYTES", values["RMM_WEBHOOK_MAX_BYTES"], 1024, 2**24),
        detail_wait=_whole("RMM_DETAIL_WAIT", values["RMM_DETAIL_WAIT"], 0, 3600),
        keep=_keep(values),
    )


def _refuse_unknown(config: Mapping[str, Any]) -> None:
    for key in config:
        if key.startswith("RMM_") and key not in _DEFAULTS and not _BASE_URL.fullmatch(key):
            near = get_close_matches(key, _DEFAULTS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ConfigError(f"{key} is not a setting of the RMM extension.{hint}")


def _secret_keys(value: Any) -> dict[str, bytes]:
    entries = [part.strip() for part in str(value or "").split(",") if part.strip()]
    if not entries:
        raise ConfigError(
            "RMM_SECRET_KEYS is missing. Make a key with `python -m rmm_extension.keys` and keep it"
            " outside the database."
        )
    found = dict(_secret_key(entry) for entry in entries)
    if len(found) != len(entries):
        raise ConfigError("RMM_SECRET_KEYS has two keys of one id: what one encrypted the other cannot read.")
    return found


def _secret_key(entry: str) -> tuple[str, bytes]:
    key_id, _, encoded = entry.partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if not key_id or len(key) != 32:
        raise ConfigError(
            "RMM_SECRET_KEYS must be <id>:<base64 of 32 bytes>, several separated by commas, the first in"
            " use."
        )
    return key_id, key


def _url(key: str, value: Any, schemes: tuple[str, ...]) -> str | None:
    if value in (None, ""):
        return None
    try:
        parts = urlsplit(str(value))
        complete = parts.scheme in schemes and (parts.path if parts.scheme == "unix" else parts.hostname)
    except ValueError:
        complete = None
    if not complete:
        raise ConfigError(f"{key} must be a URL beginning with {' or '.join(s + '://' for s in schemes)}.")
    return str(value)


def _public_url(value: Any) -> str | None:
    found = _url("RMM_PUBLIC_URL", value, ("https", "http"))
    return found.rstrip("/") if found else None


def _prefix(value: Any) -> str:
    prefix = str(value)
    if not re.fullmatch(r"(/[A-Za-z0-9_-]+)+", prefix):
        raise ConfigError("RMM_URL_PREFIX must be a path such as /rmm, without a slash at its end.")
    return prefix


def _networks(value: Any) -> tuple[Network, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    try:
        return tuple(ipaddress.ip_network(str(part).strip()) for part in parts if str(part).strip())
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"RMM_ALLOWED_NETWORKS must be networks such as 10.0.0.0/8, separated by commas ({error})."
        ) from error


def _base_urls(config: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for key in config:
        match = _BASE_URL.fullmatch(key)
        if not match or not config[key]:
            continue
        provider = match[1].lower()
        if provider not in LABELS:
            raise ConfigError(f"{key} names no vendor; known are {', '.join(sorted(LABELS))}.")
        found[provider] = _url(key, config[key], ("https", "http")) or ""
    return found


def _keep(values: Mapping[str, Any]) -> Keep:
    days = {}
    for name, shortest in SHORTEST.items():
        key = f"RMM_KEEP_{name.upper()}"
        days[name] = _whole(key, values[key], shortest, LONGEST)
    keep = Keep(**days)
    if keep.outliving:
        raise ConfigError(
            f"RMM_KEEP_{keep.outliving.upper()} must not be longer than RMM_KEEP_ALERTS, which is"
            f" {keep.alerts} days: what belongs to an alert goes with it."
        )
    return keep


def _whole(key: str, value: Any, low: int, high: int) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = low - 1
    if not low <= number <= high:
        raise ConfigError(f"{key} must be a whole number from {low} to {high}.")
    return number
