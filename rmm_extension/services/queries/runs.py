"""Runs for the pages: a page of the list, the newest cleaning."""

from __future__ import annotations

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from rmm_extension.models import JobRun
from rmm_extension.services.runs import RunFilter, list_runs

from .paging import PAGE, Page, cut, read_time_cursor, time_cursor


def run_page(
    session: Session, tenant_id: str, wanted: RunFilter, *, after: str | None = None
) -> Page[JobRun]:
    """Runs, newest first, behind the cursor ``after``."""
    rows = list_runs(session, tenant_id, wanted, before=read_time_cursor(after), limit=PAGE + 1)
    return cut(rows, PAGE, lambda row: time_cursor(row.queued_at, row.id), continued=False, backwards=False)


def last_cleaning(session: Session, tenant_id: str) -> JobRun | None:
    """The newest nightly cleaning, by the index that the tick asks too."""
    cleaning = JobRun.kind == literal_column("'retention'")
    statement = select(JobRun).where(JobRun.tenant_id == tenant_id, cleaning)
    return session.scalar(statement.order_by(JobRun.queued_at.desc()).limit(1))
