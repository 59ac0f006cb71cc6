"""Who may go on now: how many runs of a tenant are under way, and how many of its vendors' actions.

Whoever changes these numbers holds the tenant's lock, taken after the run's row and held to the end of the
transaction. Under it nobody waits for a run's row: those that somebody holds are passed over.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.services import runs

KIND = "workflow_step"
MOST_UNDER_WAY = 20
"""Runs of a tenant that are running or wait for a vendor; the others wait as rows, without a job."""
MOST_AT_A_VENDOR = 2
"""Actions of one connection that workflows have under way: people and syncs want the vendor, too."""

_UNDER_WAY = text("""
    SELECT count(*) FROM rmm_workflow_runs WHERE tenant_id = :tenant AND state IN ('running', 'waiting')
""")
_BUSY = """
    SELECT busy.integration_id, count(*) AS number FROM (
        SELECT integration_id FROM rmm_action_invocations
        WHERE tenant_id = :tenant AND workflow_run_id IS NOT NULL AND state IN ('queued', 'running')
        UNION ALL
        SELECT step.integration_id FROM rmm_workflow_runs run
        JOIN rmm_workflow_invocations step ON step.tenant_id = run.tenant_id AND step.run_id = run.id
            AND step.position = run.position AND step.state = 'queued'
        WHERE run.tenant_id = :tenant AND run.state = 'running' AND run.id <> :run
    ) busy GROUP BY busy.integration_id
"""
"""Actions under way by connection; a run that was let go on to its vendor counts until it has asked."""

_BUSY_AT = text(f"SELECT number FROM ({_BUSY}) busy WHERE integration_id = :integration")  # noqa: S608

_NEXT = text(f"""
WITH busy AS ({_BUSY}), waiting AS (
    SELECT run.id, step.integration_id,
        row_number() OVER (PARTITION BY step.integration_id ORDER BY run.queued_at, run.id) AS place
    FROM rmm_workflow_runs run
    LEFT JOIN rmm_workflow_invocations step ON step.tenant_id = run.tenant_id AND step.run_id = run.id
        AND step.position = run.position AND step.state = 'queued'
    WHERE run.tenant_id = :tenant AND run.state = 'queued'
)
SELECT run.id FROM rmm_workflow_runs run
JOIN waiting ON waiting.id = run.id
LEFT JOIN busy ON busy.integration_id = waiting.integration_id
WHERE run.tenant_id = :tenant AND run.state = 'queued'
    AND (waiting.integration_id IS NULL OR waiting.place + coalesce(busy.number, 0) <= :most)
ORDER BY run.queued_at, run.id LIMIT :free FOR UPDATE OF run SKIP LOCKED
""")  # noqa: S608
"""The oldest runs that may go on; one that waits for a vendor only where that has room."""

_BEGIN = text("""
    UPDATE rmm_workflow_runs SET state = 'running', started_at = coalesce(started_at, clock_timestamp())
    WHERE tenant_id = :tenant AND id = ANY(:ids) RETURNING id, position
""")
_NOBODY = UUID(int=0)


def lock(session: Session, tenant_id: str) -> None:
    """Be the only one who counts and lets go on in this tenant, until the transaction ends."""
    key = func.hashtextextended(f"rmm workflows {tenant_id}", 0)
    session.execute(select(func.pg_advisory_xact_lock(key)))


def let_go_on(session: Session, tenant_id: str) -> int:
    """Let as many waiting runs go on as there is room for, in the caller's transaction; how many.

    To be called last: it moves rows that the session may know otherwise.
    """
    lock(session, tenant_id)
    session.flush()
    free = MOST_UNDER_WAY - (session.scalar(_UNDER_WAY, {"tenant": tenant_id}) or 0)
    if free <= 0:
        return 0
    values = {"tenant": tenant_id, "run": _NOBODY, "most": MOST_AT_A_VENDOR, "free": free}
    begun = session.execute(_BEGIN, {"tenant": tenant_id, "ids": list(session.scalars(_NEXT, values))}).all()
    works = [_work(row.id, row.position) for row in begun]
    runs.try_start_all(session, SYSTEM_ACTOR(tenant_id), KIND, works)
    return len(works)


def has_room(session: Session, tenant_id: str, integration_id: UUID, run_id: UUID) -> bool:
    """Whether the run may ask the vendor now; counts the others, and holds the tenant's lock."""
    lock(session, tenant_id)
    session.flush()
    values = {"tenant": tenant_id, "run": run_id, "integration": integration_id}
    return (session.scalar(_BUSY_AT, values) or 0) < MOST_AT_A_VENDOR


def ask_for_step(session: Session, tenant_id: str, run_id: UUID, position: int) -> None:
    """Have a worker do the step. Being asked twice is harmless: the run's rows say where it is."""
    runs.try_start_all(session, SYSTEM_ACTOR(tenant_id), KIND, [_work(run_id, position)])


def _work(run_id: UUID, position: int) -> runs.Work:
    return runs.Work(None, {"run_id": str(run_id), "position": position})
