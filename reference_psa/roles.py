"""What each role may do, in the PSA itself and in the RMM pages."""

from __future__ import annotations

ROLES = {
    "admin": "Administrator",
    "dispatcher": "Dispatcher",
    "technician": "Technician",
    "read_only": "Read only",
}

_EVERY_RMM_RIGHT = frozenset(
    {
        "rmm.view",
        "rmm.configure",
        "rmm.alerts.manage",
        "rmm.sync",
        "rmm.execute",
        "rmm.remote_access",
        "rmm.workflows.manage",
        "rmm.jobs.view",
    }
)
_WORK = frozenset({"psa.tickets", "psa.assets"})

RIGHTS: dict[str, frozenset[str]] = {
    "admin": _EVERY_RMM_RIGHT | _WORK | {"psa.dispatch", "psa.clients", "psa.settings"},
    "dispatcher": _WORK
    | {"psa.dispatch", "psa.clients"}
    | {"rmm.view", "rmm.alerts.manage", "rmm.sync", "rmm.jobs.view", "rmm.remote_access"},
    "technician": _WORK | {"rmm.view", "rmm.alerts.manage", "rmm.execute", "rmm.remote_access"},
    "read_only": frozenset({"rmm.view"}),
}


def role_allows(role: str, right: str) -> bool:
    """Whether people of the role have the right; an unknown role has none."""
    return right in RIGHTS.get(role, frozenset())
