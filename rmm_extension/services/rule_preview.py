"""What a rule's ticket would look like, and what a pattern finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain import ticket_text
from rmm_extension.domain.contracts.rules import PATTERN_LENGTH
from rmm_extension.domain.patterns import NoPattern, compiled, found
from rmm_extension.domain.rules import evaluate, uses_routing
from rmm_extension.domain.story import sentence

from .context import Rmm
from .ingest.stored import load
from .ingest.ticket import ticket_facts
from .queries.rules import recent_alerts
from .rules import RuleDraft, draft_rule


@dataclass(frozen=True, slots=True)
class PreviewAlert:
    """The stored alert a preview was made of."""

    alert_id: UUID
    device_name: str | None
    message: str | None
    severity: str
    triggered_at: datetime


@dataclass(frozen=True, slots=True)
class Preview:
    """The ticket's words for one alert. ``reason`` says in a sentence why the rule does or does not match it.

    ``placeholders`` are what each placeholder of a template says for this alert.
    """

    title: str
    description: str
    alert: PreviewAlert
    matches: bool
    reason: str
    placeholders: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PatternTry:
    """``ok``: the pattern can be run; else ``error`` says in a sentence why not."""

    ok: bool
    matches: bool
    error: str | None


def preview(
    rmm: Rmm,
    session: Session,
    tenant_id: str,
    integration_id: UUID,
    draft: RuleDraft,
    alert_id: UUID | None,
) -> Preview | None:
    """Title and description as the rule would write them for this alert, or for the newest one.

    ``None`` when the connection has no (such) alert. Raises :class:`~.rules.RuleInvalid` for a draft that
    could not be kept.
    """
    mine = draft_rule(draft, UUID(int=0))
    chosen = alert_id or _newest(session, tenant_id, integration_id)
    stored = load(session, tenant_id, chosen) if chosen else None
    if stored is None or stored[0].integration_id != integration_id:
        return None
    facts, event = stored
    is_unmapped = facts.client_id is None and uses_routing(mine)
    texts = ticket_facts(rmm, session, facts, event, mine.name, is_unmapped=is_unmapped)
    template = (mine.actions or {}).get("ticketTemplate") or {}
    title, description = ticket_text.words(texts, template)
    verdict = evaluate([mine], event)
    return Preview(
        title=title,
        description=description,
        alert=PreviewAlert(
            facts.alert_id, event.device_name, event.message, event.severity.value, event.occurred_at
        ),
        matches=verdict.rule is not None,
        reason=sentence(verdict.steps[0]),
        placeholders=ticket_text.placeholder_values(texts),
    )


def _newest(session: Session, tenant_id: str, integration_id: UUID) -> UUID | None:
    newest = recent_alerts(session, tenant_id, integration_id, 1)
    return newest[0].id if newest else None


def try_pattern(pattern: str, sample: str) -> PatternTry:
    """Whether the pattern can be run and is anywhere in the sample."""
    if not pattern.strip():
        return PatternTry(False, False, "Give a pattern.")
    if len(pattern) > PATTERN_LENGTH:
        return PatternTry(False, False, f"This is too long: at most {PATTERN_LENGTH:,} characters.")
    try:
        return PatternTry(True, found(compiled(pattern), sample), None)
    except NoPattern as error:
        return PatternTry(False, False, str(error))
