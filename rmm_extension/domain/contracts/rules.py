"""The JSON of a rule: what it matches (conditions) and what it does (actions). Strict: no unknown keys.

What is refused is refused in sentences for the administrator who wrote the rule, all of them at once;
:func:`~.strict.problems` says where each one belongs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from rmm_extension.domain.patterns import NoPattern, compiled
from rmm_extension.domain.types import Severity

from .strict import Flag, Section, Strict, Text

NAME_LENGTH, DESCRIPTION_LENGTH = 255, 2000
PATTERN_LENGTH, TITLE_LENGTH, TICKET_TEXT_LENGTH = 1000, 500, 10_000
LONGEST_HOLD, LONGEST_REOPEN = 1440, 10_080
_WORD_LENGTH, _WORDS, _ORGANIZATIONS, _USERS = 255, 200, 2000, 100
_SEVERITIES = tuple(severity.value for severity in Severity)


class _Minutes(fields.Integer):
    """Whole minutes from none up to the longest."""

    def __init__(self, longest: int) -> None:
        words = f"Give whole minutes, from 0 to {longest:,}."
        super().__init__(
            strict=True,
            load_default=0,
            validate=validate.Range(0, longest, error=words),
            error_messages={"invalid": words, "null": words, "too_large": words},
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class _Many(fields.List[Any]):
    """A list without repetitions."""

    def __init__(self, item: fields.Field[Any], most: int, **options: Any) -> None:
        too_many = f"These are too many: at most {most:,}."
        super().__init__(
            item,
            validate=validate.Length(max=most, error=too_many),
            error_messages={"invalid": "This must be a list.", "null": "This must be a list."},
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        return list(dict.fromkeys(super()._deserialize(value, attr, data, **kwargs)))


def _linear_pattern(value: str) -> None:
    try:
        compiled(value)
    except NoPattern as error:
        raise ValidationError(str(error)) from error


def _words(most: int = _WORDS) -> _Many:
    return _Many(Text(_WORD_LENGTH), most)


def _id() -> Text:
    """An id of the host, which has a shape of its own."""
    return Text(_WORD_LENGTH, allow_none=True, load_default=None)


def _severity() -> fields.String:
    words = f"This is no severity. Known are: {', '.join(_SEVERITIES)}."
    return fields.String(
        validate=validate.OneOf(_SEVERITIES, error=words), error_messages={"invalid": words, "null": words}
    )


class ConditionsSchema(Strict):
    """All given conditions must hold; a missing or empty one holds always; ``{}`` matches every alert."""

    severities = _Many(_severity(), len(_SEVERITIES))
    activityTypes = _words()  # noqa: N815 - the JSON's own names
    alertClasses = _words()  # noqa: N815
    sourceTypes = _words()  # noqa: N815
    organizationIds = _words(_ORGANIZATIONS)  # noqa: N815
    keywords = _words()
    messagePattern = Text(PATTERN_LENGTH, trimmed=False, validate=_linear_pattern)  # noqa: N815


class TemplateSchema(Strict):
    """The ticket's texts with ``{{ placeholders }}``."""

    titleTemplate = Text(TITLE_LENGTH)  # noqa: N815
    descriptionTemplate = Text(TICKET_TEXT_LENGTH, trimmed=False)  # noqa: N815


class ActionsSchema(Strict):
    """What follows from a match; ids are the host's."""

    createTicket = Flag(load_default=True)  # noqa: N815
    useRouting = Flag(load_default=False)  # noqa: N815
    boardId = _id()  # noqa: N815
    priorityOverride = _id()  # noqa: N815
    assignToUserId = _id()  # noqa: N815
    ticketTemplate = Section(TemplateSchema, load_default=dict)  # noqa: N815
    autoResolveTicket = Flag(load_default=False)  # noqa: N815
    autoResolveStatusId = _id()  # noqa: N815
    resetAlertOnTicketClose = Flag(load_default=True)  # noqa: N815
    holdMinutes = _Minutes(LONGEST_HOLD)  # noqa: N815
    reopenWithinMinutes = _Minutes(LONGEST_REOPEN)  # noqa: N815
    notifyUserIds = _Many(Text(_WORD_LENGTH), _USERS, load_default=list)  # noqa: N815


class RuleSchema(Strict):
    """A whole rule as an administrator gives it: typed into a form, or in a document."""

    name = Text(NAME_LENGTH, required=True)
    description = Text(DESCRIPTION_LENGTH, allow_none=True, load_default=None)
    isActive = Flag(load_default=True)  # noqa: N815
    conditions = Section(ConditionsSchema, load_default=dict)
    actions = Section(ActionsSchema, load_default=lambda: load_actions({}))


_CONDITIONS, _ACTIONS, _RULE = ConditionsSchema(), ActionsSchema(), RuleSchema()


def load_conditions(value: dict[str, Any]) -> dict[str, Any]:
    """The conditions, checked; raises ``marshmallow.ValidationError`` with all errors."""
    return dict(_CONDITIONS.load(value))


def load_actions(value: dict[str, Any]) -> dict[str, Any]:
    """The actions with their defaults filled in; raises ``marshmallow.ValidationError``."""
    return dict(_ACTIONS.load(value))


def load_rule(value: Mapping[str, Any]) -> dict[str, Any]:
    """A whole rule with its defaults filled in; raises ``marshmallow.ValidationError`` with all errors."""
    loaded = dict(_RULE.load(value))
    return {**loaded, "name": " ".join(loaded["name"].split())}
