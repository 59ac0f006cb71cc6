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
from rmm_extension.domain.errors import RMMError
from rmm_extension.domain.rules import Rule, compile_rule
from rmm_extension.models import AlertRule
from rmm_extension.services.context import Rmm

Errors = dict[str, list[str]]


class UnknownRule(LookupError):
    """No such rule in this tenant."""


class RuleInvalid(RMMError):
    """A rule that cannot be kept: ``errors`` are sentences by dotted path, all of them at once."""

    def __init__(self, errors: Errors) -> None:
        told = [f"{path}: {text}" if path else text for path, texts in errors.items() for text in texts]
        super().__init__("; ".join(told))
        self.errors = errors


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


def checked(rmm: Rmm, session: Session, tenant_id: str, draft: RuleDraft) -> dict[str, Any]:
    """The columns of a rule that may be kept, with defaults filled in; raises :class:`RuleInvalid`.

    The ids of the actions must be the host's own.
    """
    values, errors = read(draft)
    errors = errors or wrong_ids(rmm, session, tenant_id, [values["actions"]])[0]
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


def wrong_ids(
    rmm: Rmm, session: Session, tenant_id: str, many: Collection[Mapping[str, Any]]
) -> list[Errors]:
    """What the actions of each rule name that the host does not have; the host is asked once for all."""
    known = _Known(rmm, session, tenant_id, many)
    return [known.errors(actions) for actions in many]


class _Known:
    """What of the ids that some rules name the host has. Only ports that are named are asked."""

    def __init__(
        self, rmm: Rmm, session: Session, tenant_id: str, many: Collection[Mapping[str, Any]]
    ) -> None:
        catalog, users = rmm.host.catalog, rmm.host.users
        self.boards = self.priorities = self.closed = self.users = frozenset[str]()
        if catalog is not None and _name_any(many, "boardId"):
            self.boards = frozenset(board.id for board in catalog.boards(session, tenant_id))
        if catalog is not None and _name_any(many, "priorityOverride"):
            self.priorities = frozenset(found.id for found in catalog.priorities(session, tenant_id))
        if catalog is not None and _name_any(many, "autoResolveStatusId"):
            statuses = catalog.statuses(session, tenant_id)
            self.closed = frozenset(found.id for found in statuses if found.is_closed)
        named = {user for actions in many for user in _users(actions)}
        if users is not None and named:
            found = users.get_many(session, tenant_id, named)
            self.users = frozenset(user.id for user in found.values() if user.is_active)

    def errors(self, actions: Mapping[str, Any]) -> Errors:
        wanted = (
            ("boardId", self.boards, "This board does not exist (any more). Choose another one."),
            (
                "priorityOverride",
                self.priorities,
                "This priority does not exist (any more). Choose another one.",
            ),
            (
                "autoResolveStatusId",
                self.closed,
                "This is not a status of closed tickets (any more). Choose another one.",
            ),
            (
                "assignToUserId",
                self.users,
                "This user does not exist or is not active (any more). Choose another one.",
            ),
        )
        errors = {
            f"actions.{name}": [sentence]
            for name, known, sentence in wanted
            if actions[name] is not None and actions[name] not in known
        }
        for position, user in enumerate(actions["notifyUserIds"]):
            if user not in self.users:
                errors[f"actions.notifyUserIds.{position}"] = [
                    "This user does not exist or is not active (any more). Leave them out."
                ]
        return errors


def _name_any(many: Collection[Mapping[str, Any]], name: str) -> bool:
    return any(actions[name] is not None for actions in many)


def _users(actions: Mapping[str, Any]) -> list[str]:
    assignee = actions["assignToUserId"]
    return [*actions["notifyUserIds"], *([assignee] if assignee else [])]
