"""What comes of an action: its states, its errors in words, and what a provider's actions are given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from . import values
from .errors import Conflict
from .masking import HIDDEN, hide_secrets, masked
from .messaging import MessagingContext

OUTPUT_LENGTH = 200_000
"""Characters of output that are kept: the first and the last of a longer one."""


class ActionState(StrEnum):
    """Where an action is. ``requested`` and ``unknown`` are ends, too: nobody will say how it went on."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REQUESTED = "requested"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more is done for it."""
        return self not in (ActionState.QUEUED, ActionState.RUNNING)


class ErrorCode(StrEnum):
    """Why an action did not succeed: stable words for workflows, each with its sentence in ``in_words``."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    INTEGRATION_INACTIVE = "INTEGRATION_INACTIVE"
    INTEGRATION_MISCONFIGURED = "INTEGRATION_MISCONFIGURED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    NOT_FOUND = "NOT_FOUND"
    AGENT_UNREACHABLE = "AGENT_UNREACHABLE"
    SCRIPT_FAILED = "SCRIPT_FAILED"
    TIMEOUT = "TIMEOUT"
    RATE_LIMITED = "RATE_LIMITED"
    VENDOR_ERROR = "VENDOR_ERROR"
    EXPIRED = "EXPIRED"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    FORBIDDEN = "FORBIDDEN"
    CONFLICT = "CONFLICT"
    CREATE_TICKET_FAILED = "CREATE_TICKET_FAILED"
    CAPABILITY_DISABLED = "CAPABILITY_DISABLED"
    USER_NOT_LINKED = "USER_NOT_LINKED"
    NO_CONVERSATION = "NO_CONVERSATION"
    NO_SERVICE_URL = "NO_SERVICE_URL"
    APP_NOT_IN_TEAM = "APP_NOT_IN_TEAM"
    EXPRESSION_ERROR = "EXPRESSION_ERROR"
    LOOP_GUARD = "LOOP_GUARD"
    TOO_MANY_RUNS = "TOO_MANY_RUNS"

    @property
    def in_words(self) -> str:
        """What it means, in a sentence."""
        return _WORDS[self]


_WORDS = {
    ErrorCode.VALIDATION_ERROR: "What was given does not fit the action or the device.",
    ErrorCode.INTEGRATION_INACTIVE: "The connection is not active.",
    ErrorCode.INTEGRATION_MISCONFIGURED: "The connection's credentials or settings do not work.",
    ErrorCode.PERMISSION_DENIED: "A right is missing, here or at the vendor.",
    ErrorCode.NOT_FOUND: "The device, the script or the connection does not exist any more.",
    ErrorCode.AGENT_UNREACHABLE: "The vendor could not reach the device.",
    ErrorCode.SCRIPT_FAILED: "It ran, and ended with an error.",
    ErrorCode.TIMEOUT: "No answer came in time.",
    ErrorCode.RATE_LIMITED: "The vendor took no more requests.",
    ErrorCode.VENDOR_ERROR: "The vendor refused, or answered something that makes no sense.",
    ErrorCode.EXPIRED: "It could not be begun in time, and was not begun later.",
    ErrorCode.INTERNAL_ERROR: "Something failed here. The log says more.",
    ErrorCode.FORBIDDEN: "The vendor refused: the key may not do this.",
    ErrorCode.CONFLICT: "What is there already stands in the way.",
    ErrorCode.CREATE_TICKET_FAILED: "The ticket could not be made.",
    ErrorCode.CAPABILITY_DISABLED: "This is switched off for the connection.",
    ErrorCode.USER_NOT_LINKED: "The user is not linked with an account there.",
    ErrorCode.NO_CONVERSATION: "The bot has no conversation with this person yet.",
    ErrorCode.NO_SERVICE_URL: "The bot was not put anywhere yet, so its address is not known.",
    ErrorCode.APP_NOT_IN_TEAM: "The app is not in the team of this channel.",
    ErrorCode.EXPRESSION_ERROR: "An expression could not be worked out.",
    ErrorCode.LOOP_GUARD: "The workflow ran too often about the same thing: it may be a loop.",
    ErrorCode.TOO_MANY_RUNS: "Too many runs were waiting already.",
}


class ActionRefused(Conflict):
    """The action cannot be done now, and nothing was begun: ``code`` says why, the message in words."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an action; ``output`` fits the action's contract, ``message`` is a sentence for people."""

    state: ActionState
    message: str
    output: dict[str, Any] | None = None
    error_code: ErrorCode | None = None


def succeeded(message: str, output: dict[str, Any]) -> Outcome:
    """It is done."""
    return Outcome(state=ActionState.SUCCEEDED, message=message, output=output)


def requested(message: str, output: dict[str, Any]) -> Outcome:
    """The vendor took it on; nobody will say how it ended."""
    return Outcome(state=ActionState.REQUESTED, message=message, output=output)


def failed(code: ErrorCode, message: str = "", output: dict[str, Any] | None = None) -> Outcome:
    """It did not happen, or not as it should."""
    return Outcome(state=ActionState.FAILED, message=message or code.in_words, output=output, error_code=code)


def unknown(message: str, code: ErrorCode | None = None) -> Outcome:
    """It may have happened; a person has to look."""
    return Outcome(state=ActionState.UNKNOWN, message=message, error_code=code)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A device as an action is given it: what we know, which may be a sync old.

    ``platform`` is ``windows``, ``linux``, ``darwin`` or ``None`` where nobody said.
    """

    device_id: str
    external_id: str
    external_organization_id: str
    name: str
    status: str
    asset_id: str | None = None
    platform: str | None = None
    os_name: str | None = None
    last_seen_at: datetime | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done: the action's id, its checked input, and the device where it is about one."""

    action: str
    input: dict[str, Any]
    target: Target | None = None

    @property
    def device(self) -> Target:
        """The device; an action on a device always has one."""
        if self.target is None:
            raise ValueError(f"{self.action} needs a device.")
        return self.target


class LocalAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert of the connection as it stands here; ``raw`` is what the vendor sent of it."""

    alert_id: str
    external_id: str
    status: str
    severity: str
    message: str | None = None
    title: str | None = None
    external_device_id: str | None = None
    device_id: str | None = None
    asset_id: str | None = None
    source_type: str | None = None
    triggered_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None = None
    raw: dict[str, Any] = {}


class ActionContext(Protocol):
    """What a provider's actions may ask of our side; each call is a short transaction or two."""

    def find_devices(
        self,
        *,
        external_id: str | None = None,
        external_ids: Collection[str] | None = None,
        asset_id: str | None = None,
        text: str | None = None,
        limit: int = 50,
    ) -> Sequence[Target]:
        """Devices of the connection, by name; ``text`` is a part of the name or the serial number."""

    def find_alerts(
        self, *, external_id: str | None = None, open_only: bool = True, limit: int = 50
    ) -> Sequence[LocalAlert]:
        """Alerts of the connection as they stand here, the newest first."""

    def sync_device(self, external_id: str) -> Target | None:
        """Fetch the device from the vendor and write it here, as a sync does; ``None`` where it is not here
        afterwards: the vendor does not know it, or its organization is not mapped."""

    @property
    def messaging(self) -> MessagingContext:
        """Whom a chat service can reach; its actions alone use it."""

    def alert_was_reset(self, external_id: str, message: str) -> LocalAlert | None:
        """Take in that the vendor has reset the alert for this action; ``None`` where it is not known here.

        What follows is as if the vendor had told it: its own word of it then changes nothing more.
        """


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """A script of a vendor's library; no ``platforms`` means all of them."""

    external_id: str
    name: str
    description: str = ""
    category: str = ""
    shell: str = ""
    platforms: tuple[str, ...] = ()
    default_timeout: int | None = None
    run_as_user: bool = False
    favorite: bool = False


def kept_output(text: str, longest: int = OUTPUT_LENGTH) -> tuple[str, bool]:
    """The output as it is kept, without what no database takes, and whether it was cut in its middle."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode()
    if len(clean) <= longest:
        return clean, False
    left_out = len(clean) - longest
    head = longest * 2 // 3
    tail = clean[len(clean) - (longest - head) :]
    return f"{clean[:head]}\n[… {left_out:,} characters left out …]\n{tail}", True


def storable(outcome: Outcome) -> Outcome:
    """The outcome without what no database takes: a vendor's words are in it."""
    return msgspec.structs.replace(
        outcome, message=values.storable(outcome.message), output=values.storable(outcome.output)
    )


def shown_input(value: dict[str, Any], secret: frozenset[str]) -> dict[str, Any]:
    """The input as pages and the audit show it: without secret fields and what else looks like a secret.

    ``secret`` names fields; those within parts by path, as in ``login.password``.
    """
    return {name: _shown(part, name, secret) for name, part in value.items()}


def _shown(value: Any, path: str, secret: frozenset[str]) -> Any:
    if path in secret:
        return [HIDDEN for _ in value] if isinstance(value, list) else HIDDEN if value else value
    if isinstance(value, dict):
        return masked({name: _shown(part, f"{path}.{name}", secret) for name, part in value.items()})
    if isinstance(value, list):
        is_line = all(isinstance(one, str) for one in value)
        return hide_secrets(value) if is_line else [_shown(one, path, secret) for one in value]
    return hide_secrets([value])[0] if isinstance(value, str) else value
