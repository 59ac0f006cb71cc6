"""Every error the extension raises on purpose, in one tree.

The message of an error is a sentence for the person who has to act on it; it never holds a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class RMMError(Exception):
    """Root of all errors raised on purpose."""


class ConfigError(RMMError):
    """A setting an administrator has to mend; retrying does not help."""


class Conflict(RMMError):
    """The request clashes with what is there: a duplicate name, a run already under way."""


class Forbidden(RMMError):
    """The actor, or the tenant's edition, may not do this."""


class WebhookRejected(RMMError):
    """A delivery that is not taken: ``reason`` is a short word for the counter, never the body."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class HostError(RMMError):
    """The host PSA could not do what was asked of it."""


class HostCapabilityMissing(HostError):
    """The host mounted the extension without the port this needs."""


class HostRejected(HostError):
    """The host refuses for good until somebody changes something: no board, no default status."""


class HostUnavailable(HostError):
    """The host cannot answer now; trying again later may work."""


class ProviderError(RMMError):
    """A vendor's answer, or its absence, that stops the work.

    ``kind`` is a stable word for code and statistics, ``status`` the HTTP status if there was one, and
    ``request_id`` ours, so that a log line and a page can be matched. ``may_have_arrived``: whether what was
    asked may have been done all the same; only what surely was not is asked again when it changes something.
    """

    kind = "provider_error"
    may_have_arrived = True

    def __init__(
        self, message: str, *, provider: str = "", status: int | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.status = status
        self.request_id = request_id


class AuthFailed(ProviderError):
    """The credentials are wrong, expired or withdrawn: the connection needs a person."""

    kind = "auth_failed"
    may_have_arrived = False


class PermissionMissing(ProviderError):
    """The credentials work but lack a right; the message names the role switch or scope."""

    kind = "permission_missing"
    may_have_arrived = False


class RateLimited(ProviderError):
    """The vendor asks for patience: ``retry_after`` seconds."""

    kind = "rate_limited"
    may_have_arrived = False

    def __init__(
        self,
        message: str,
        *,
        retry_after: float,
        provider: str = "",
        status: int | None = 429,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, provider=provider, status=status, request_id=request_id)
        self.retry_after = retry_after


class Unavailable(ProviderError):
    """No answer, a time-out or a 5xx: back off and try again."""

    kind = "unavailable"


class NotFound(ProviderError):
    """The vendor does not know the object."""

    kind = "not_found"
    may_have_arrived = False


class InvalidRequest(ProviderError):
    """The vendor refuses what was sent; sending it again would be refused again."""

    kind = "invalid_request"
    may_have_arrived = False


class BadResponse(ProviderError):
    """The vendor answered something that has not the documented shape (``path`` says where)."""

    kind = "bad_response"


class AddressRefused(ConfigError):
    """The instance URL leads to an address that the extension does not call."""


class Invalid(RMMError):
    """What somebody gave cannot be kept: ``errors`` are sentences by dotted path, all of them at once."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        told = [f"{path}: {text}" if path else text for path, texts in errors.items() for text in texts]
        super().__init__("; ".join(told))
        self.errors = errors


@contextmanager
def nothing_done() -> Iterator[None]:
    """For what is asked before anything is done: an error then leaves nothing behind."""
    try:
        yield
    except ProviderError as error:
        error.may_have_arrived = False
        raise
