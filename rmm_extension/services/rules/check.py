"""A rule as it is proposed, and whether it may be kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.rules import load_rule
from rmm_extension.domain.contracts.strict import problems
from rmm_extension.domain.errors import ConfigError, Invalid
from rmm_extension.domain.rules import Rule, compile_rule
from rmm_extension.models import AlertRule, Integration
from rmm_extension.services.context import Rmm

Errors = dict[str, list[str]]


class UnknownRule(LookupError):
    """No such rule in this tenant."""


class RuleInvalid(Invalid):
    """A rule that cannot be kept."""


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A whole rule as it is proposed; conditions and actions are the JSON of the contract."""

    name: str
    description: str | None = None
    is_active: bool = True
    conditions: dict[str, Any] = field(default_factory=dict)
    actions: dict[str, Any] = field(default_factory=dict)


def draft_of(row: AlertRule) -> RuleDraft:
    """A stored rule as a draft."""
    return RuleDraft(row.name, row.description, row.is_active, dict(row.conditions), dict(row.actions))


def checked(rmm: Rmm, session: Session, row: Integration, draft: RuleDraft) -> dict[str, Any]:
    """The columns of a rule that this connection may keep, with defaults filled in.

    The ids of the actions must be the host's own. Raises :class:`RuleInvalid`.
    """
    values, errors = read(draft)
    errors = errors or refused(rmm, session, row, [values["actions"]])[0]
    if errors:
        raise RuleInvalid(errors)
    return values


def draft_rule(draft: RuleDraft, rule_id: UUID) -> Rule:
    """The draft ready to be asked, without a look at the host; raises :class:`RuleInvalid`."""
    values, errors = read(draft)
    if errors:
        raise RuleInvalid(errors)
    return compile_rule(rule_id, values["name"], values["conditions"], values["actions"])


def read(draft: RuleDraft) -> tuple[dict[str, Any], Errors]:
    """The draft's columns, or what is wrong with its form."""
    return read_json({_JSON_NAMES.get(name, name): value for name, value in asdict(draft).items()})


def read_json(value: Any) -> tuple[dict[str, Any], Errors]:
    """The columns of a rule given as JSON, or what is wrong with its form."""
    try:
        loaded = load_rule(value)
    except ValidationError as error:
        return {}, problems(error)
    return {_COLUMNS.get(name, name): value for name, value in loaded.items()}, {}


_JSON_NAMES = {"is_active": "isActive"}
_COLUMNS = {json: column for column, json in _JSON_NAMES.items()}


def refused(
    rmm: Rmm, session: Session, row: Integration, many: Collection[Mapping[str, Any]]
) -> list[Errors]:
    """What the actions of each rule name that the host or this connection does not have; the host is asked
    once for all."""
    known = _Known(rmm, session, row.tenant_id, many)
    routes = _may_route(rmm, row)
    return [known.errors(actions) | ({} if routes else _unrouted(actions)) for actions in many]


def _may_route(rmm: Rmm, row: Integration) -> bool:
    """Whether the connection has a routing; one whose vendor is not available may have."""
    try:
        return rmm.providers.get(row.provider).manifest.routes_alerts
    except ConfigError:
        return True


def _unrouted(actions: Mapping[str, Any]) -> Errors:
    return {"actions.useRouting": [_NO_ROUTING]} if actions["useRouting"] else {}


class _Known:
    """What of the ids that some rules name the host has; ``None`` where it has no port to ask.

    Only what is named is asked for.
    """

    def __init__(
        self, rmm: Rmm, session: Session, tenant_id: str, many: Collection[Mapping[str, Any]]
    ) -> None:
        catalog, users = rmm.host.catalog, rmm.host.users
        self.boards: Collection[str] | None = None
        self.priorities: Collection[str] | None = None
        self.closed: Collection[str] | None = None
        self.users: Collection[str] | None = None
        self.assignees: Collection[str] | None = None
        if catalog is not None and _name_any(many, "boardId"):
            self.boards = {found.id for found in catalog.boards(session, tenant_id)}
        if catalog is not None and _name_any(many, "priorityOverride"):
            self.priorities = {found.id for found in catalog.priorities(session, tenant_id)}
        if catalog is not None and _name_any(many, "autoResolveStatusId"):
            self.closed = {found.id for found in catalog.statuses(session, tenant_id) if found.is_closed}
        named = {user for actions in many for user in _users(actions)}
        if users is not None and named:
            people = users.get_many(session, tenant_id, named)
            active = [user for user in people.values() if user.is_active]
            self.users = {user.id for user in active}
            self.assignees = {user.id for user in active if user.takes_tickets}

    def errors(self, actions: Mapping[str, Any]) -> Errors:
        """The sentences for each id that is not the host's, by dotted path."""
        wanted = [
            ("boardId", actions["boardId"], self.boards, _NO_BOARD),
            ("priorityOverride", actions["priorityOverride"], self.priorities, _NO_PRIORITY),
            ("autoResolveStatusId", actions["autoResolveStatusId"], self.closed, _NO_STATUS),
            ("assignToUserId", actions["assignToUserId"], self.assignees, _NO_ASSIGNEE),
        ]
        for position, user in enumerate(actions["notifyUserIds"]):
            wanted.append((f"notifyUserIds.{position}", user, self.users, _NO_USER))
        return {
            f"actions.{name}": [sentence]
            for name, value, known, sentence in wanted
            if value is not None and known is not None and value not in known
        }


_NO_ROUTING = "Connections of this vendor have no routing. Leave it out, and choose a board and a priority."
_NO_BOARD = "This board does not exist (any more). Choose another one."
_NO_PRIORITY = "This priority does not exist (any more). Choose another one."
_NO_STATUS = "This is not a status of closed tickets (any more). Choose another one."
_NO_USER = "This user does not exist or is not active (any more). Choose another one."
_NO_ASSIGNEE = "This user does not exist, is not active or takes no tickets (any more). Choose another one."


def _name_any(many: Collection[Mapping[str, Any]], name: str) -> bool:
    return any(actions[name] is not None for actions in many)


def _users(actions: Mapping[str, Any]) -> list[str]:
    assignee = actions["assignToUserId"]
    return [*actions["notifyUserIds"], *([assignee] if assignee else [])]
