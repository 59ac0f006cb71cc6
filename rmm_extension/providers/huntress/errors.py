"""What Huntress's error answers mean, in words. The shape of their bodies is not published: JSON or text."""

from __future__ import annotations

from typing import Any

import msgspec

from rmm_extension.domain.errors import (
    AuthFailed,
    InvalidRequest,
    NotFound,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Unavailable,
)
from rmm_extension.providers.reply import HtmlInsteadOfJson, Reply

KEY = "huntress"
PATIENCE = 10.0
"""Seconds to wait after a 429 that does not say how long."""
MAKE_A_USER_KEY = (
    "Make a user-based API key of somebody who may resolve incidents, at <your subdomain>.huntress.io/"
    "account/api_credentials, and enter it here: the account's own key only reads."
)
_KEYS = ("message", "error", "errors", "detail", "title")
_WRITES = ("/resolution", "/isolation")


class ReadOnlyKey(PermissionMissing):
    """The key may not change this: the account's own key never may."""


class Refused(InvalidRequest):
    """Huntress refuses; ``said`` are its own words, empty where it has none."""

    def __init__(self, said: str, status: int) -> None:
        words = f"Huntress refused: {said.rstrip('.')}." if said else f"Huntress refused (status {status})."
        super().__init__(words)
        self.said = said


class InTheWay(InvalidRequest):
    """Huntress does it only after something else was done there; the message says what."""


def said(reply: Reply) -> str:
    """The sentence of an error body, whatever its shape; empty where there is none."""
    if reply.is_html:
        return ""
    try:
        return _sentence(msgspec.json.decode(reply.body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return bytes(reply.body[:500]).decode("utf-8", "replace").strip()


def explained(reply: Reply, shown: str) -> ProviderError:
    """The error of the answer; ``shown`` is what it said, redacted."""
    found = _reading(reply, shown)
    found.provider, found.status, found.request_id = KEY, reply.status, reply.request_id
    return found


def _reading(reply: Reply, shown: str) -> ProviderError:
    status = reply.status
    if status == 429:
        return _throttled(reply)
    if status >= 500 or status == 408:
        return Unavailable(f"Huntress is temporarily unavailable (status {status}){_behind(shown)}.")
    if reply.is_html:
        # Something on the way answered, not Huntress's API: it must be taken for no word about key or object.
        return HtmlInsteadOfJson(
            f"The answer to {reply.path} is a web page with status {status} instead of Huntress's API."
        )
    if status == 401:
        return AuthFailed("Huntress does not accept the API key: it is wrong, or it was deleted or renewed.")
    if status == 403:
        return _forbidden(reply, shown)
    if status == 404:
        return NotFound(
            f"Huntress does not know this: it was deleted, or the key may not see it{_behind(shown)}."
        )
    return Refused(shown, status)


def _throttled(reply: Reply) -> RateLimited:
    seconds = PATIENCE if reply.retry_after is None else reply.retry_after
    return RateLimited(
        f"Huntress takes 60 requests a minute of an account, and had more; wait {seconds:.0f} seconds.",
        retry_after=seconds,
    )


def _forbidden(reply: Reply, shown: str) -> PermissionMissing:
    if reply.path.endswith(_WRITES):
        return ReadOnlyKey(f"The API key may not change this at Huntress{_behind(shown)}. {MAKE_A_USER_KEY}")
    return PermissionMissing(
        f"The API key may not read {reply.path} at Huntress{_behind(shown)}. Use the account's own"
        " key, or one of a user who may."
    )


def _sentence(found: Any) -> str:
    if isinstance(found, str):
        return found.strip()
    if isinstance(found, list):
        return ", ".join(filter(None, map(_sentence, found[:5])))
    if isinstance(found, dict):
        return next((words for key in _KEYS if (words := _sentence(found.get(key)))), "")
    return ""


def _behind(shown: str) -> str:
    return f" (it says: {shown.rstrip('.')})" if shown else ""
