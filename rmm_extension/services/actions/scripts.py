"""The scripts of a connection's library: fetched by a run, never while somebody waits for a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import Script
from rmm_extension.domain.errors import ConfigError
from rmm_extension.host import Actor
from rmm_extension.models import JobRun, ScriptRow, new_id
from rmm_extension.providers.capabilities import ListsScripts
from rmm_extension.services import kinds, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory.load import open_connection
from rmm_extension.services.lease import PLAIN
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

KIND = "script_list"
FRESH_FOR = timedelta(minutes=15)
_BATCH = 500


def scripts_due(session: Session, tenant_id: str, integration_id: UUID) -> bool:
    """Whether the library was never listed, or longer ago than :data:`FRESH_FOR`."""
    fresh = select(JobRun.id).where(
        JobRun.tenant_id == tenant_id,
        JobRun.exclusive_key == kinds.get(KIND).exclusive_key(integration_id),
        JobRun.status == "succeeded",
        JobRun.queued_at > func.now() - FRESH_FOR,
    )
    return session.scalar(fresh.limit(1)) is None


def refresh_scripts(session: Session, actor: Actor, integration_id: UUID) -> UUID | None:
    """Have the library listed anew in the background; ``None`` where that is under way already."""
    return runs.try_start(session, actor, KIND, integration_id=integration_id)


def list_scripts(rmm: Rmm, run: Run) -> dict[str, Any]:
    """The run: fetch the whole library, then make the stored one like it. What is not listed is gone."""
    with unit(rmm) as session:
        _, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
    if not isinstance(provider, ListsScripts):
        raise ConfigError(f"{provider.manifest.label} has no library of scripts.")
    found = provider.scripts(connection)
    assert run.integration_id is not None
    with unit(rmm) as session:
        for start in range(0, len(found), _BATCH):
            _store(session, run.tenant_id, run.integration_id, found[start : start + _BATCH])
        removed = _forget_others(session, run.tenant_id, run.integration_id, found)
        run.report(session, done=len(found), total=len(found))
    return {"scripts": len(found), "removed": removed}


def _store(session: Session, tenant_id: str, integration_id: UUID, scripts: Sequence[Script]) -> None:
    place = {"tenant_id": tenant_id, "integration_id": integration_id}
    statement = insert(ScriptRow).values([{**place, "id": new_id(), **_columns(one)} for one in scripts])
    new = {name: statement.excluded[name] for name in _columns(scripts[0]) if name != "external_id"}
    changed = func.row(*(getattr(ScriptRow, name) for name in new)).is_distinct_from(func.row(*new.values()))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "integration_id", "external_id"], set_=new, where=changed
        )
    )


def _columns(script: Script) -> dict[str, Any]:
    return {
        "external_id": script.external_id,
        "name": script.name,
        "description": script.description,
        "category": script.category,
        "shell": script.shell,
        "platforms": list(script.platforms),
        "default_timeout": script.default_timeout,
        "run_as_user": script.run_as_user,
        "favorite": script.favorite,
    }


def _forget_others(session: Session, tenant_id: str, integration_id: UUID, scripts: Sequence[Script]) -> int:
    statement = delete(ScriptRow).where(
        ScriptRow.tenant_id == tenant_id,
        ScriptRow.integration_id == integration_id,
        ScriptRow.external_id.not_in([one.external_id for one in scripts]),
    )
    return session.execute(statement, execution_options=PLAIN).rowcount  # type: ignore[attr-defined, no-any-return]
