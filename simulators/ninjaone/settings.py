"""What can be switched at run time, with how the server behaves unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from simulators.common.switches import Switches

CHOICES: dict[str, tuple[str, ...]] = {
    "refresh_answer": ("none", "same", "rotate"),
    "error_style": ("resultCode", "error", "message", "empty"),
    "cursor_names": ("same", "new"),
    "deliveries": ("thread", "manual"),
    "jobs": ("instant", "manual"),
    "job_result": ("SUCCESS", "FAILURE", "UNSUPPORTED", "UNCOMPLETED"),
}


@dataclass
class Settings(Switches):
    """The switches; the control API takes them by these names."""

    choices: ClassVar[dict[str, tuple[str, ...]]] = CHOICES

    expires_in: int = 3600
    """Seconds an access token lives."""
    code_seconds: float = 60.0
    """Seconds an authorization code lives."""
    refresh_answer: str = "none"
    """What a refresh answers beside the access token: no refresh token (the old one goes on), the same one,
    or a new one that ends the old."""
    pkce_required: bool = False
    declined_scopes: list[str] = field(default_factory=list)
    """Scopes whose box is not ticked on the consent page, and which client credentials do not get either."""
    machine_registers_webhooks: bool = False
    """Whether an application of client credentials passes for a System Administrator."""
    other_psa: bool = False
    """Whether another PSA is configured, which keeps webhooks from being set and removed."""
    error_style: str = "resultCode"
    cursor_on_single_page: bool = True
    """Whether a report that fits on one page names a cursor all the same."""
    cursor_names: str = "same"
    """Whether the pages of a report share one cursor, which moves on, or each names the next one."""
    cursor_seconds: float = 600.0
    max_page_size: int = 1000
    default_page_size: int = 1000
    rate_limit: int | None = None
    """API calls a minute and application; None for no limit."""
    retry_after: str | None = "10"
    """The Retry-After of a 429; None for none."""
    deliveries: str = "thread"
    """Whether webhooks are sent as they come up, or when the control API says so."""
    deleted_with_device: bool = True
    """Whether the webhook of a deleted device still holds the device."""
    webhook_retries: int = 0
    webhook_failures_allowed: int = 5
    """Deliveries in a row that may fail before the webhook is switched off."""
    webhook_timeout: float = 8.0
    jobs: str = "instant"
    """Whether a job is over as soon as it is asked for, or when the control API says so."""
    job_result: str = "SUCCESS"
    job_output: str = "script stdout line\n"
