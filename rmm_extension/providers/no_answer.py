"""Why no answer came: the errors of a request that reached no server, or that none answered."""

from __future__ import annotations

import requests

from rmm_extension.domain.errors import InvalidRequest, ProviderError, Unavailable


class TlsFailed(Unavailable):
    """The server's certificate could not be verified, or it speaks no TLS."""

    may_have_arrived = False


class NameNotFound(Unavailable):
    """The host name does not resolve."""

    may_have_arrived = False


class ConnectionFailed(Unavailable):
    """Nothing accepts connections at the address, or the connection was dropped."""


class ConnectionRefused(ConnectionFailed):
    """Nothing accepts connections at the address."""

    may_have_arrived = False


class TimedOut(Unavailable):
    """The server did not answer in time."""


class ConnectTimedOut(TimedOut):
    """The server did not take the connection in time."""

    may_have_arrived = False


def reading_of(error: requests.RequestException, host: str) -> tuple[type[ProviderError], str]:
    """The class of the error and its sentence, without what the library says: that may hold the address."""
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return TlsFailed, f"The TLS certificate of {host} could not be verified: {_tls_reason(text)}."
    if isinstance(error, requests.ConnectTimeout):
        return ConnectTimedOut, f"{host} did not answer in time."
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return TimedOut, f"{host} did not answer in time."
    if "NameResolutionError" in text or "Failed to resolve" in text:
        return NameNotFound, f"The name {host} was not found. Check the spelling of the address."
    if isinstance(error, requests.ConnectionError):
        kind = ConnectionRefused if "NewConnectionError" in text else ConnectionFailed
        return kind, f"{host} refused or dropped the connection. Check the address and the port."
    return InvalidRequest, f"The request to {host} could not be made. Check the address."


def _tls_reason(text: str) -> str:
    reasons = {
        "self-signed": "it is self-signed",
        "self signed": "it is self-signed",
        "expired": "it has expired",
        "ostname mismatch": "it is made out to another name",
        "not valid for": "it is made out to another name",
        "unable to get local issuer": "its issuer is not known",
        "WRONG_VERSION": "the server does not speak TLS on this port",
    }
    return next((reason for mark, reason in reasons.items() if mark in text), "the handshake failed")
