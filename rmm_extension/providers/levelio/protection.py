"""What Level says of a device's antivirus program."""

from __future__ import annotations

from functools import lru_cache

from rmm_extension.providers.levelio.rows import Security
from rmm_extension.providers.values import Scalar, text

# Level does not publish its words. These say by themselves what they mean; any other one says nothing.
_PROTECTED = frozenset({"enabled", "on", "active", "running", "protected", "uptodate"})
_AT_RISK = frozenset(
    {"disabled", "off", "inactive", "stopped", "notrunning", "unprotected", "outofdate", "expired", "snoozed"}
)


def antivirus(told: Security | None) -> tuple[str | None, str | None]:
    """State (protected, at_risk, unknown) and product; nothing where no program and no state is named."""
    if told is None:
        return None, None
    return _state(told.antivirus_status, told.antivirus_provider)


@lru_cache(maxsize=1024, typed=True)
def _state(status: Scalar, provider: Scalar) -> tuple[str | None, str | None]:
    word, product = text(status), text(provider)
    if word is None and product is None:
        return None, None
    bare = "".join(sign for sign in (word or "").casefold() if sign.isalnum())
    if bare in _AT_RISK:
        return "at_risk", product or ""
    return ("protected" if bare in _PROTECTED else "unknown"), product or ""
