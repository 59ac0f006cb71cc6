"""The form of a connection's routing: its JSON as fields, and back. What is right is said by the services."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectField

from rmm_extension.domain.types import Severity
from rmm_extension.host import Category

from .offering import offer

Options = Sequence[tuple[str, str]]
NOTHING = "Not chosen"
_PRIORITY = "priority_"
_IDS = {
    "boardId": "board_id",
    "categoryId": "category_id",
    "subcategoryId": "subcategory_id",
    "fallbackClientId": "fallback_client_id",
    "fallbackBoardId": "fallback_board_id",
}
_FIELDS = {**_IDS, **{f"priorityBySeverity.{one}": f"{_PRIORITY}{one}" for one in Severity}}
"""The field of each place in the JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingChoices:
    """What the form offers. ``None`` is a port the host does not have: its fields are not there.

    ``severities`` are those that the vendor's alerts have: others need no priority.
    """

    clients: Options = ()
    boards: Options | None = None
    priorities: Options | None = None
    severities: Collection[Severity] = ()
    categories: Sequence[Category] | None = None


class RoutingForm(FlaskForm):  # type: ignore[misc]
    """Where tickets go. It is not validated: :meth:`refuse` takes what the services say."""

    board_id = SelectField("Board", description="Of every ticket whose client is known.")
    category_id = SelectField("Category", description="Of the same tickets.")
    subcategory_id = SelectField("Subcategory", description="Of the chosen category.")
    fallback_client_id = SelectField(
        "Fallback client", description="Whose ticket it is while the organization is mapped to nobody."
    )
    fallback_board_id = SelectField("Fallback board", description="Of the fallback client's tickets.")

    def changes(self) -> dict[str, Any]:
        """The routing as it is filled in; what the form has no field for is not named."""
        chosen = {key: self[name].data or None for key, name in _IDS.items() if name in self}
        priorities = {field.name.removeprefix(_PRIORITY): field.data or None for field in self.priorities}
        return {**chosen, "priorityBySeverity": priorities} if priorities else chosen

    @property
    def priorities(self) -> list[SelectField]:
        """The fields of the severities' priorities, the worst first."""
        return [self[name] for one in Severity if (name := f"{_PRIORITY}{one}") in self]

    def refuse(self, errors: Mapping[str, Sequence[str]]) -> list[str]:
        """Put each sentence at its field; the rest is returned for the top of the form."""
        general: list[str] = []
        for path, sentences in errors.items():
            name = _FIELDS.get(path)
            if name is None or name not in self:
                general += sentences
            else:
                self[name].errors = [*self[name].errors, *sentences]
        return general


_LABELS = {one: f"Priority of {one} alerts" for one in Severity} | {
    Severity.NONE: "Priority of alerts without a severity"
}
_FORM = type(
    "RoutingFormWithPriorities",
    (RoutingForm,),
    {f"{_PRIORITY}{one}": SelectField(label) for one, label in _LABELS.items()},
)


def routing_form(choices: RoutingChoices, stored: Mapping[str, Any]) -> RoutingForm:
    """The form with what it offers: as it was sent, else as it is stored."""
    by_severity = stored.get("priorityBySeverity") or {}
    data = {name: stored.get(key) or "" for key, name in _IDS.items()}
    data |= {f"{_PRIORITY}{one}": by_severity.get(one) or "" for one in Severity}
    form: RoutingForm = _FORM(data=data)
    for name, options in _offered(choices).items():
        offer(form, name, options, NOTHING)
    for field in form:  # nothing is required to save a part of it, and the page says what is missing
        field.flags.unmarked = True
    return form


def _offered(choices: RoutingChoices) -> dict[str, Sequence[Sequence[str]] | None]:
    tops, below = _levels(choices.categories)
    return {
        "board_id": choices.boards,
        "fallback_board_id": choices.boards,
        "fallback_client_id": choices.clients,
        "category_id": tops,
        "subcategory_id": below,
        **{
            f"{_PRIORITY}{one}": choices.priorities if one in choices.severities else None for one in Severity
        },
    }


def _levels(
    categories: Sequence[Category] | None,
) -> tuple[Options | None, list[tuple[str, str, str]] | None]:
    """Categories, and subcategories under the names of theirs."""
    if categories is None:
        return None, None
    tops = {one.id: one.name for one in categories if one.parent_id is None}
    below = [(one.id, one.name, tops[one.parent_id]) for one in categories if one.parent_id in tops]
    return list(tops.items()), below
