"""What the pipeline answers."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from rmm_extension.domain.errors import RMMError
from rmm_extension.domain.signals import SignalOutcome
from rmm_extension.domain.types import Outcome


class SimultaneousDelivery(RMMError):
    """Another transaction changed the alert after it was read: undo this one, read again and decide anew."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """The outcome for one event. ``reason`` is a short word where nothing was changed.

    A signal about a device has an outcome of its own, and neither alert nor ticket.
    """

    outcome: Outcome | SignalOutcome
    alert_id: UUID | None
    ticket_id: str | None
    reason: str | None = None
