"""Handlers of the test kinds: small pieces of work whose effects can be counted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select

from rmm_extension.services.context import Rmm
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

metadata = MetaData()
pages_done = Table(
    "test_pages_done",
    metadata,
    Column("run", Text, nullable=False),
    Column("page", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("pid", Integer, nullable=False),
)
notes = Table("test_notes", metadata, Column("id", Integer, primary_key=True), Column("text", Text))

ACTIONS: dict[str, Callable[[Rmm, Run], Any]] = {}
"""What ``test_do`` does, by the run's subject; set by a test in its own process."""


def do(rmm: Rmm, run: Run) -> Any:
    """Do the named action."""
    return ACTIONS[run.subject["action"]](rmm, run)


def pages(rmm: Rmm, run: Run) -> dict[str, int]:
    """Write pages one by one, each in its own unit, going on from the cursor; wait at a gate where asked.

    ``gate`` is a path: before page ``gate_at`` the work writes its pid to ``<gate>.reached``, then waits
    until the gate is there.
    """
    first, last = run.cursor.get("page", 0), run.subject["pages"]
    for number in range(first, last):
        if run.subject.get("gate") and number == run.subject["gate_at"]:
            _wait(Path(run.subject["gate"]))
        with unit(rmm) as session:
            values = {"run": str(run.id), "page": number, "attempt": run.attempt, "pid": os.getpid()}
            session.execute(insert(pages_done).values(**values))
            run.report(session, done=number + 1, total=last, cursor={"page": number + 1})
    return {"pages": last}


def note_failure(rmm: Rmm, session: Any, run: Run, message: str) -> None:
    """What the kind wants called when a run is given up."""
    session.execute(insert(notes).values(text=f"{run.kind}: {message}"))


def note_cancel(rmm: Rmm, session: Any, tenant_id: str, run_id: UUID) -> None:
    """What the kind wants called when a run ends as cancelled."""
    session.execute(insert(notes).values(text=f"cancelled: {run_id}"))


def written(rmm: Rmm) -> list[int]:
    """The pages that were written, in order."""
    with unit(rmm) as session:
        return list(session.scalars(select(pages_done.c.page).order_by(pages_done.c.page)))


def _wait(gate: Path) -> None:
    gate.with_suffix(".reached").write_text(str(os.getpid()))
    while not gate.exists():
        time.sleep(0.01)
