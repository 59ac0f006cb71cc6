"""What can be switched at run time, with how the server behaves unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from simulators.common.switches import Switches

CHOICES: dict[str, tuple[str, ...]] = {
    "error_style": ("error", "errors", "text", "empty"),
    "overdue_status": ("open", "overdue"),
    "deliveries": ("thread", "manual"),
}

SVIX_GAPS = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0)
"""Seconds between the tries of a delivery, as Svix's documents tell."""


@dataclass
class Settings(Switches):
    """The switches; the control API takes them by these names."""

    choices: ClassVar[dict[str, tuple[str, ...]]] = CHOICES

    rate_limit: int | None = 60
    """Requests of the account in any window; None for no limit."""
    rate_window: float = 60.0
    """Seconds of the sliding window."""
    rate_enforced: bool = True
    """Whether a request above the limit is refused, or only counted."""
    retry_after: str | None = None
    """The Retry-After of a 429; no document says that there is one."""
    error_style: str = "error"
    """Errors as {"error": text}, {"errors": [...]}, plain text or no body: no document says which."""
    overdue_status: str = "open"
    """The status that the row of an overdue escalation shows. The filter by status knows overdue; the row's
    documented words do not."""
    comment_touches: bool = False
    """Whether a comment changes the incident's updated_at."""
    isolation_seconds: float = 20.0
    """How long an isolation or release stays pending."""
    remediation_seconds: float = 60.0
    """How long an approved assisted remediation runs."""
    deliveries: str = "thread"
    """Whether webhooks are sent as they come up, or when the control API says so."""
    retry_gaps: list[float] = field(default_factory=lambda: list(SVIX_GAPS))
    """Seconds before each further try of a delivery that was not answered with success."""
    retry_scale: float = 1.0
    """Factor on these gaps."""
    webhook_timeout: float = 15.0
