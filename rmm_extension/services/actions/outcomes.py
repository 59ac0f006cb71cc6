"""What an error makes of an action: its code, and whether it failed or nobody knows."""

from __future__ import annotations

from rmm_extension.domain.actions import ActionRefused, ActionState, ErrorCode, Outcome, failed, unknown
from rmm_extension.domain.contracts.actions import ActionSpec
from rmm_extension.domain.errors import (
    AuthFailed,
    ConfigError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PermissionMissing,
    ProviderError,
    RateLimited,
    RMMError,
)

LOOK_FIRST = "It may have happened: look at the device before you ask again."
INTERRUPTED = unknown(f"The worker ended while the vendor was asked. {LOOK_FIRST}", ErrorCode.INTERNAL_ERROR)
CALLED_OFF = Outcome(state=ActionState.CANCELLED, message="It was called off before it began.")


def outcome_of(error: RMMError, spec: ActionSpec) -> Outcome:
    """What an error makes of an action: a failure in words, or nobody knows."""
    code = code_of(error)
    if isinstance(error, ProviderError) and error.may_have_arrived and spec.side_effects:
        return unknown(f"{error} {LOOK_FIRST}", code)
    return failed(code, str(error))


def code_of(error: RMMError) -> ErrorCode:
    """The stable word of an error."""
    if isinstance(error, ActionRefused):
        return error.code
    return next((code for kind, code in _CODES if isinstance(error, kind)), ErrorCode.INTERNAL_ERROR)


_CODES: tuple[tuple[type[RMMError], ErrorCode], ...] = (
    (AuthFailed, ErrorCode.INTEGRATION_MISCONFIGURED),
    (ConfigError, ErrorCode.INTEGRATION_MISCONFIGURED),
    (PermissionMissing, ErrorCode.PERMISSION_DENIED),
    (Forbidden, ErrorCode.PERMISSION_DENIED),
    (NotFound, ErrorCode.NOT_FOUND),
    (Conflict, ErrorCode.CONFLICT),
    (Invalid, ErrorCode.VALIDATION_ERROR),
    (RateLimited, ErrorCode.RATE_LIMITED),
    (ProviderError, ErrorCode.VENDOR_ERROR),
)
