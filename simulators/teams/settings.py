"""What can be switched at run time, with how the services behave unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulators.common.switches import Switches

REFUSALS: dict[str, int] = {
    "none": 0,
    "BadSyntax": 400,
    "BotNotRegistered": 401,
    "BotDisabledByAdmin": 403,
    "BotNotInConversationRoster": 403,
    "ConversationBlockedByUser": 403,
    "ForbiddenOperationException": 403,
    "InvalidBotApiHost": 403,
    "MessageWritesBlocked": 403,
    "NotEnoughPermissions": 403,
    "ConversationNotFound": 404,
    "PreconditionFailed": 412,
    "MessageSizeTooBig": 413,
    "Throttled": 429,
    "InternalServerError": 500,
    "BadGateway": 502,
    "ServiceUnavailable": 503,
    "GatewayTimeout": 504,
}
"""Codes of Bot Connector with their statuses."""
CHOICES: dict[str, tuple[str, ...]] = {
    "deliveries": ("thread", "manual"),
    "region": ("amer", "emea", "apac"),
    "refuse_sends_with": tuple(REFUSALS),
}


@dataclass
class Settings(Switches):
    """The switches; the control API takes them by these names."""

    choices: ClassVar[dict[str, tuple[str, ...]]] = CHOICES

    deliveries: str = "thread"
    """Whether activities are sent as they come up, or when the control API says so."""
    webhook_timeout: float = 15.0
    """Seconds the bot has to answer."""
    attempts: int = 3
    """How often an activity is sent that a bot answers with 5xx, or not; what Bot Connector does is not
    documented."""
    retry_seconds: float = 10.0
    """How long after a failed attempt the next one is made."""
    region: str = "amer"
    """The end of the service URL that activities tell."""
    refuse_sends_with: str = "none"
    """What Bot Connector answers to everything that is sent."""
    limits: bool = True
    """Whether sends are limited for each bot and conversation, as Microsoft's table says."""
    retry_after: str | None = "5"
    """The Retry-After of a 429; None for none."""
    token_lifetime: int = 3600
    """Seconds that a token lives."""
    largest: int = 40 * 1024
    """Bytes of an activity."""
    empty_answers: bool = False
    """Whether a message that was taken is answered without a body."""
