"""What a rule would do: the stored alerts of some days, asked anew. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from .context import Rmm
from .rules import RuleDraft

LONGEST_DAYS = 90
MOST_ALERTS = 20_000
"""So many of the newest alerts are asked; the result says when there were more."""


@dataclass(frozen=True, slots=True)
class DryRunAlert:
    """One alert with what would become of it, in the words of its history.

    ``outcome`` is what was decided on it last; :data:`rmm_extension.domain.dry_run.OUTCOMES` names them all.
    """

    alert_id: UUID
    device_name: str | None
    message: str | None
    severity: str
    triggered_at: datetime
    outcome: str
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class DryRun:
    """The sum of it. ``matched`` are the alerts the rule takes; the numbers after it speak of these only.

    ``taken_earlier`` are alerts the rule would take if rules before it did not, by the name of the rule that
    takes them. ``suppressed`` are alerts the rule would have taken, were it not for a maintenance window.
    """

    looked_at: int
    capped: bool
    matched: int
    taken_earlier: Mapping[str, int]
    tickets: int
    joined: int
    suppressed: int
    held_back: int
    without_client: int
    sample: Sequence[DryRunAlert]


def dry_run(
    rmm: Rmm,
    session: Session,
    tenant_id: str,
    integration_id: UUID,
    draft: RuleDraft,
    *,
    rule_id: UUID | None,
    days: int,
) -> DryRun:
    """Ask the connection's rules, with the draft in its place, about the alerts of the last 1 to 90 days.

    A new rule (``rule_id`` ``None``) stands behind all others, an edited one at its own place. Raises
    :class:`~.rules.RuleInvalid` for a draft that could not be kept.
    """
    raise NotImplementedError
