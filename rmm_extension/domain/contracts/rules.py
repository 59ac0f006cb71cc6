"""The JSON of a rule: what it matches (conditions) and what it does (actions). Strict: no unknown keys."""

from __future__ import annotations

from typing import Any

import re2
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from rmm_extension.domain.types import Severity


def _words() -> fields.List[str]:
    return fields.List(fields.String(validate=validate.Length(min=1)))


def _linear_pattern(value: str) -> None:
    """Refuse what RE2 cannot run in linear time, in words."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(value, options)
    except re2.error as error:
        raise ValidationError(
            "Not a pattern this system can run. Look-ahead, look-behind and back-references are not "
            f"supported ({_reason(error)})."
        ) from error


def _reason(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class ConditionsSchema(_Strict):
    """All given conditions must hold; a missing or empty one holds always; ``{}`` matches every alert."""

    severities = fields.List(fields.String(validate=validate.OneOf([s.value for s in Severity])))
    activityTypes = _words()  # noqa: N815 - the JSON's own names
    alertClasses = _words()  # noqa: N815
    sourceTypes = _words()  # noqa: N815
    organizationIds = _words()  # noqa: N815
    keywords = _words()
    messagePattern = fields.String(validate=[validate.Length(min=1), _linear_pattern])  # noqa: N815


class TemplateSchema(_Strict):
    """The ticket's texts with ``{{ placeholders }}``."""

    titleTemplate = fields.String(validate=validate.Length(min=1))  # noqa: N815
    descriptionTemplate = fields.String(validate=validate.Length(min=1))  # noqa: N815


class ActionsSchema(_Strict):
    """What follows from a match; ids are the host's."""

    createTicket = fields.Boolean(load_default=True)  # noqa: N815
    boardId = fields.String(allow_none=True, load_default=None)  # noqa: N815
    priorityOverride = fields.String(allow_none=True, load_default=None)  # noqa: N815
    assignToUserId = fields.String(allow_none=True, load_default=None)  # noqa: N815
    ticketTemplate = fields.Nested(TemplateSchema, load_default=dict)  # noqa: N815
    autoResolveTicket = fields.Boolean(load_default=False)  # noqa: N815
    autoResolveStatusId = fields.String(allow_none=True, load_default=None)  # noqa: N815
    resetAlertOnTicketClose = fields.Boolean(load_default=True)  # noqa: N815
    holdMinutes = fields.Integer(  # noqa: N815
        strict=True, load_default=0, validate=validate.Range(min=0, max=1440)
    )
    reopenWithinMinutes = fields.Integer(  # noqa: N815
        strict=True, load_default=0, validate=validate.Range(min=0, max=10080)
    )
    notifyUserIds = fields.List(fields.String(), load_default=list)  # noqa: N815


_CONDITIONS, _ACTIONS = ConditionsSchema(), ActionsSchema()


def load_conditions(value: dict[str, Any]) -> dict[str, Any]:
    """The conditions, checked; raises ``marshmallow.ValidationError`` with all errors."""
    return dict(_CONDITIONS.load(value))


def load_actions(value: dict[str, Any]) -> dict[str, Any]:
    """The actions with their defaults filled in; raises ``marshmallow.ValidationError``."""
    return dict(_ACTIONS.load(value))
