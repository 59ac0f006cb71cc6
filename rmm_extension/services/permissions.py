"""Asking a vendor which features a connection's credentials allow. The run keeps what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.types import PermissionLine
from rmm_extension.host import Actor
from rmm_extension.providers.capabilities import TellsPermissions
from rmm_extension.providers.contract import Provider

from . import runs
from .context import Rmm
from .inventory.load import open_connection
from .runs import Run
from .unit import unit

KIND = "permission_check"
LINES = "lines"
"""Where the run's cursor keeps the lines, in the vendor's order."""


def start_check(session: Session, actor: Actor, provider: Provider, integration_id: UUID) -> None:
    """Queue the check, if the vendor has one and none is under way."""
    if isinstance(provider, TellsPermissions):
        runs.try_start(session, actor, KIND, integration_id=integration_id)


def check_permissions(rmm: Rmm, run: Run) -> dict[str, int]:
    """Ask feature by feature; how many are allowed, missing and not to be found out.

    A later attempt asks everything again: the table is of one moment.
    """
    with unit(rmm) as session:
        _, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
    if not isinstance(provider, TellsPermissions):
        raise ConfigError(f"{provider.manifest.label} does not tell what credentials allow.")
    found: list[PermissionLine] = []
    for line in provider.permissions(connection):
        found.append(line)
        with unit(rmm) as session:
            run.report(session, done=len(found), doing=f"Asked: {line.feature}.", cursor=_stored(found))
    return counts(found)


def counts(lines: Sequence[PermissionLine]) -> dict[str, int]:
    """How many features are allowed, missing and not checked; a warning is about an allowed one."""
    number = Counter("ok" if line.state == "warning" else line.state for line in lines)
    return {"allowed": number["ok"], "missing": number["missing"], "not_checked": number["not_checked"]}


def _stored(lines: Sequence[PermissionLine]) -> dict[str, object]:
    return {LINES: msgspec.to_builtins(lines)}
