"""What NinjaOne's error answers mean, in words.

The body is ``{"resultCode", "errorMessage"}``, ``{"error"}`` or ``{"message"}``, and none of them is sure.
"""

from __future__ import annotations

from rmm_extension.domain.errors import (
    AuthFailed,
    InvalidRequest,
    NotFound,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Unavailable,
)
from rmm_extension.providers.ninjaone import scopes
from rmm_extension.providers.reply import Reply

KEY = "ninjaone"
PATIENCE = 10.0
"""Seconds to wait after a 429 that does not say how long; no limit is published."""
_KEYS = ("errorMessage", "error_description", "message", "error", "resultCode")


class WrongHost(NotFound):
    """The address answers, but not as NinjaOne's API."""


class AdministratorNeeded(PermissionMissing):
    """Only a System Administrator may do this."""


class Refused(InvalidRequest):
    """NinjaOne refuses in words of its own: ``said``."""

    def __init__(self, said: str) -> None:
        super().__init__(f"NinjaOne refused: {said.rstrip('.')}.")
        self.said = said


def said(reply: Reply) -> str:
    """The sentence of an error body as it came, empty where it has none."""
    found = reply.texts
    return next((found[key] for key in _KEYS if found.get(key)), "")


def explained(reply: Reply, shown: str) -> ProviderError | None:
    """The error of the answer; ``shown`` is what it said, redacted. ``None`` leaves it to its status."""
    found = _reading(reply, shown)
    if found is not None:
        found.provider, found.status, found.request_id = KEY, reply.status, reply.request_id
    return found


def _reading(reply: Reply, shown: str) -> ProviderError | None:
    if reply.status == 429:
        return throttled(reply)
    if reply.is_html and reply.status in (400, 404, 405):
        return WrongHost("There is no NinjaOne API at this address.")
    maker = _BY_STATUS.get(reply.status)
    if maker is not None:
        return maker(reply, shown)
    if reply.status >= 500:
        return Unavailable(f"NinjaOne failed inside (status {reply.status}){_behind(shown)}.")
    return Refused(shown) if shown else None


def throttled(reply: Reply) -> RateLimited:
    """The error for an answer that asks for patience."""
    seconds = PATIENCE if reply.retry_after is None else reply.retry_after
    return RateLimited(
        f"NinjaOne limits the number of requests; wait {seconds:.0f} seconds.", retry_after=seconds
    )


def _unauthorized(_: Reply, __: str) -> ProviderError:
    return AuthFailed("NinjaOne does not accept the session: it was ended or withdrawn. Sign in again.")


def _forbidden(reply: Reply, shown: str) -> ProviderError:
    if scopes.is_webhook(reply.path):
        return AdministratorNeeded(
            "NinjaOne lets only a System Administrator configure webhooks: sign in again as one."
        )
    label = scopes.LABELS[scopes.needed_for(reply.path)]
    return PermissionMissing(
        f"NinjaOne refuses this: the API application or the sign-in lacks the scope {label}, or the user's"
        f" role does not allow it{_behind(shown)}."
    )


def _not_found(_: Reply, shown: str) -> ProviderError:
    return NotFound(
        f"NinjaOne does not know this object: it was deleted, or the user may not see it{_behind(shown)}."
    )


def _behind(shown: str) -> str:
    return f" (it says: {shown.rstrip('.')})" if shown else ""


_BY_STATUS = {401: _unauthorized, 403: _forbidden, 404: _not_found}
