"""What can be switched at run time, with how the server behaves unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulators.common.switches import Switches

CHOICES: dict[str, tuple[str, ...]] = {
    "deliveries": ("thread", "manual"),
    "webhook_data": ("whole", "id"),
    "resolve_answer": ("alert", "empty"),
    "trigger_list": ("data", "array"),
    "trigger_token": ("url", "token"),
    "gone_cursor": ("goes_on", "refused"),
    "runs": ("instant", "manual"),
    "run_status": ("success", "failed"),
}


@dataclass
class Settings(Switches):
    """The switches; the control API takes them by these names."""

    choices: ClassVar[dict[str, tuple[str, ...]]] = CHOICES

    rate_limit: int | None = None
    """API calls a minute and key; None for no limit."""
    retry_after: str | None = "10"
    """The Retry-After of a 429; None for none."""
    deliveries: str = "thread"
    """Whether webhooks are sent as they come up, or when the control API says so."""
    webhook_attempts: int = 3
    webhook_retry_seconds: float = 120.0
    """About so long after a failed attempt the next one is made; up to half of it more."""
    webhook_timeout: float = 8.0
    webhook_data: str = "whole"
    """Whether a webhook tells the whole row it is about, or its id only."""
    resolve_answer: str = "alert"
    """Whether resolving an alert is answered with the alert, or with no body."""
    trigger_list: str = "data"
    """Whether the webhooks of automations are listed in an object, or as a bare array."""
    trigger_token: str = "url"
    """Whether such a webhook tells its token as the end of its URL, or on its own."""
    gone_cursor: str = "goes_on"
    """What a page after a row is that is gone by now: the rows after its place, or an error."""
    runs: str = "instant"
    """Whether an automation is over as soon as it is asked for, or when the control API says so."""
    run_status: str = "success"
