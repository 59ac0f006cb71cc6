"""The states of a line of the table of permissions, and how what is read proves itself."""

from __future__ import annotations

from collections.abc import Callable

from rmm_extension.domain.errors import AuthFailed, PermissionMissing, ProviderError

OK, WARNING, MISSING, NOT_CHECKED = "ok", "warning", "missing", "not_checked"


def of_reading(label: str, read: Callable[[], object]) -> tuple[str, str]:
    """State and sentence after a small read at the vendor of this label. Raises ``AuthFailed`` alone."""
    try:
        read()
    except PermissionMissing as error:
        return MISSING, str(error)
    except AuthFailed:
        raise
    except ProviderError as error:
        return not_found_out(error)
    return OK, f"{label} lets it be read."


def not_found_out(error: ProviderError) -> tuple[str, str]:
    """State and sentence where the vendor's answer says nothing of the permission."""
    return NOT_CHECKED, f"That could not be found out: {error}"
