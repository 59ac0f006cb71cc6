"""What a status means where a vendor has no reading of its own."""

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
from rmm_extension.providers.reply import Reply


def common_error(reply: Reply) -> ProviderError:
    """The error of an answer that is not a success, by its status alone."""
    status, label = reply.status, reply.label
    if status == 429:
        return rate_limited(reply)
    kind, sentence = _BY_STATUS.get(status, (InvalidRequest, "{label} answered {path} with status {status}."))
    if status >= 500 or status == 408:
        kind, sentence = Unavailable, "{label} is temporarily unavailable (status {status})."
    return kind(
        sentence.format(label=label, path=reply.path, status=status),
        provider=reply.provider,
        status=status,
        request_id=reply.request_id,
    )


def rate_limited(reply: Reply) -> RateLimited:
    """The error for an answer that asks for patience; a minute where it does not say how long."""
    seconds = reply.retry_after
    seconds = 60.0 if seconds is None else seconds
    return RateLimited(
        f"{reply.label} limits the number of requests; it asks to wait {seconds:.0f} seconds.",
        retry_after=seconds,
        provider=reply.provider,
        status=reply.status,
        request_id=reply.request_id,
    )


_BY_STATUS: dict[int, tuple[type[ProviderError], str]] = {
    400: (InvalidRequest, "{label} rejected the request to {path}."),
    401: (AuthFailed, "{label} does not accept the credentials: they are invalid or have expired."),
    403: (PermissionMissing, "The credentials have no permission for {path} at {label}."),
    404: (NotFound, "{label} does not know {path}."),
}
