"""Credentials as they are typed: made into a connection, and tried out before they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from msgspec import structs

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.sessions import MemorySessions, SessionToken
from rmm_extension.domain.types import Check, Connection
from rmm_extension.providers.capabilities import TestsConnection
from rmm_extension.providers.contract import AuthMode, Field, Provider
from rmm_extension.providers.guard import check_address

_PORTS = {"https": 443, "http": 80}


class SecretsNeeded(ConfigError):
    """The address is another server's, to which nothing stored is sent: ``fields`` were left blank."""

    def __init__(self, fields: Sequence[str], stored_for: str) -> None:
        super().__init__(
            "Type this again: the address is another server's now, and what is stored is for"
            f" {stored_for} only."
        )
        self.fields = tuple(fields)


def auth_mode(provider: Provider, key: str) -> AuthMode:
    """One of the provider's ways to sign in."""
    for mode in provider.manifest.auth_modes:
        if mode.key == key:
            return mode
    raise ConfigError(f"{provider.manifest.label} has no sign-in named {key}.")


def typed(
    provider: Provider, mode: AuthMode, values: Mapping[str, str], stored: Connection | None = None
) -> Connection:
    """A connection from what was typed; a blank secret keeps the stored one, for the stored server only.

    A stored session goes on where nothing was typed that would make another. Raises ``ConfigError`` for a
    missing field, ``AddressRefused`` for an address that is not called, ``SecretsNeeded`` for another server.
    """
    secrets = {f.name: _secret(f, values, stored) for f in mode.fields if f.secret}
    once = {f.name: _plain(f, values) for f in mode.fields if f.once}
    plain = {f.name: _plain(f, values) for f in mode.fields if not f.secret and not f.once}
    missing = [f.label for f in mode.fields if f.required and not (secrets | plain).get(f.name)]
    if missing:
        raise ConfigError(f"Fill in: {', '.join(missing)}.")
    url = provider.normalize_url(plain.pop("instance_url", ""))
    if url:
        check_address(url, provider.runtime)
    if stored is not None and _server(url) != _server(stored.instance_url):
        secrets = _typed_again(mode, values, stored)
    plain = provider.check_settings(plain)
    base = stored or Connection(
        tenant_id="", integration_id="", provider=provider.manifest.key, instance_url=url
    )
    given = Connection(
        tenant_id=base.tenant_id,
        integration_id=base.integration_id,
        provider=provider.manifest.key,
        instance_url=url,
        auth_mode=mode.key,
        secrets={name: value for name, value in secrets.items() if value},
        settings={**base.settings, **plain},
        once={name: value for name, value in once.items() if value},
    )
    return structs.replace(given, sessions=MemorySessions(_session(mode, given, stored)))


def run_checks(provider: Provider, connection: Connection) -> list[Check]:
    """Ask the vendor, check by check. Speaks to the vendor: no transaction may be open."""
    if not isinstance(provider, TestsConnection):
        return []
    return list(provider.check(connection))


def usable(checks: Sequence[Check]) -> bool:
    """Whether a connection with these results can be kept: nothing failed."""
    return all(check.state != "failed" for check in checks)


def learned(provider: Provider, checks: Sequence[Check]) -> dict[str, str]:
    """What the vendor told of the account during the test, as settings of the connection.

    Never a field of a sign-in: what stands there, people typed.
    """
    fields = {field.name for mode in provider.manifest.auth_modes for field in mode.fields}
    told = {name: value for check in checks for name, value in check.learned.items()}
    return {name: value.replace("\x00", "") for name, value in told.items() if name not in fields}


def _plain(field: Field, values: Mapping[str, str]) -> str:
    return str(values.get(field.name) or field.default).replace("\x00", "").strip()


def _secret(field: Field, values: Mapping[str, str], stored: Connection | None) -> str:
    given = str(values.get(field.name) or "")
    given = given if field.kind == "password" else given.strip()
    return given or (stored.secrets.get(field.name, "") if stored else "")


def _typed_again(mode: AuthMode, values: Mapping[str, str], stored: Connection) -> dict[str, str]:
    """The secrets without the stored ones: whoever may change the address could have them sent anywhere."""
    given = {f.name: _secret(f, values, None) for f in mode.fields if f.secret}
    blank = [f.name for f in mode.fields if f.secret and f.required and not given[f.name]]
    if blank:
        raise SecretsNeeded(blank, urlsplit(stored.instance_url).netloc)
    return given


def _server(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what is sent to one is sent to no other."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _session(mode: AuthMode, given: Connection, stored: Connection | None) -> SessionToken | None:
    """The stored session, unless a code was typed or something changed that it was made from."""
    if stored is None or stored.sessions is None or given.once or given.auth_mode != stored.auth_mode:
        return None
    secret = [f.name for f in mode.fields if f.secret]
    needed = [f.name for f in mode.fields if f.required and not f.secret]
    is_same = (
        given.instance_url == stored.instance_url
        and all(given.secrets.get(name) == stored.secrets.get(name) for name in secret)
        and all(given.settings.get(name) == stored.settings.get(name) for name in needed)
    )
    return stored.sessions.current() if is_same else None
