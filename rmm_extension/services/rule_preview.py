"""What a rule's ticket would look like, and what a pattern finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.rules import PATTERN_LENGTH
from rmm_extension.domain.patterns import NoPattern, compiled, found

from .context import Rmm
from .rules import RuleDraft


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
    """The ticket's words for one alert. ``reason`` says why the rule does or does not match it.

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
    raise NotImplementedError


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
