"""Which addresses the extension calls, decided at save and again at every connect.

An instance URL is typed by a tenant's administrator, so it may not lead into the installation's own network.
The rules: https, unless every address of the host lies in a network that the installation's administrator
allowed; no private, loopback, link-local, metadata or otherwise special address, unless allowed likewise. The
address that was checked is the one that is connected to (ssrfguard pins it), so a name that changes its
address between the two gains nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_network
from typing import Any, TypeAlias

import requests
from ssrfguard import (
    DEFAULT_DENIED,
    AddressTable,
    Block,
    BlockedAddressError,
    BlockedURLError,
    Policy,
    Reach,
    SSRFGuardError,
    resolve,
)
from ssrfguard.requests import SafeAdapter
from urllib3.util.retry import Retry

from rmm_extension.domain.errors import AddressRefused, ConfigError
from rmm_extension.providers.contract import Network, Runtime

Resolver: TypeAlias = Callable[..., Any]
"""A stand-in for :func:`socket.getaddrinfo`; what it answers is checked like any other answer."""

_PORTS = frozenset(range(1, 65536))
_EVERYTHING = AddressTable(
    tuple(
        Block(ip_network(network), "an address outside the allowed networks", "policy", Reach.DENIED)
        for network in ("0.0.0.0/0", "::/0")
    )
)


@lru_cache(maxsize=32)
def _policy(scheme: str, allowed: tuple[Network, ...]) -> Policy:
    """The rule for a scheme: plain http reaches allowed networks only."""
    try:
        return Policy(
            allowed_schemes=frozenset({scheme}),
            denied_networks=_EVERYTHING if scheme == "http" else DEFAULT_DENIED,
            allowed_networks=allowed,
            allowed_ports=_PORTS,
            max_redirects=0,
            max_connection_attempts=3,
        )
    except ValueError:
        raise ConfigError(
            "RMM_ALLOWED_NETWORKS names a translation prefix (such as 64:ff9b::/96), which would open every"
            " address. Name the IPv4 network itself."
        ) from None


def check_address(url: str, runtime: Runtime, *, resolver: Resolver | None = None) -> None:
    """Raise :class:`AddressRefused` with a sentence when the URL may not be called.

    A name that does not resolve now is not refused: the connection test says so in its own words.
    """
    scheme = url.partition(":")[0].lower()
    if scheme not in ("http", "https"):
        raise AddressRefused("The address must start with https://.")
    policy = _policy(scheme, runtime.allowed_networks)
    try:
        resolve(policy.check_url(url), policy=policy, resolver=resolver)
    except socket.gaierror:
        return
    except SSRFGuardError as error:
        raise refusal(error, scheme) from None


def refusal(error: SSRFGuardError, scheme: str) -> AddressRefused:
    """The guard's refusal as a sentence for the person who typed the address."""
    if isinstance(error.__cause__, BlockedAddressError):
        error = error.__cause__
    if isinstance(error, BlockedAddressError) and scheme == "http":
        return AddressRefused(
            "The address must use https://: plain http:// is only for hosts whose addresses all lie in"
            " RMM_ALLOWED_NETWORKS."
        )
    if isinstance(error, BlockedAddressError):
        return AddressRefused(
            f"The address leads to {error.address[:100]}, which is not a public address. An administrator"
            " can allow its network in RMM_ALLOWED_NETWORKS."
        )
    if isinstance(error, BlockedURLError):
        return AddressRefused(
            "The address is not the plain address of a server, like https://api.example.com."
        )
    return AddressRefused("The address leads somewhere the extension does not call.")


def guarded_session(
    runtime: Runtime, retries: Retry, *, resolver: Resolver | None = None
) -> requests.Session:
    """A session that connects to allowed addresses only.

    Proxies of the environment are not used: a proxy resolves names itself, behind the guard's back. A CA
    bundle of the environment (``REQUESTS_CA_BUNDLE``) is: a server of one's own often has a CA of one's own.
    """
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    for scheme in ("http", "https"):
        policy = _policy(scheme, runtime.allowed_networks)
        session.mount(f"{scheme}://", SafeAdapter(policy=policy, resolver=resolver, max_retries=retries))
    return session
