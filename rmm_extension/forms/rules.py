"""The form of a rule: the rule's JSON as fields, and back.

What is right is said by the rule's contract alone, so that a form, an import and a dry run refuse the same
things in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from rmm_extension.domain.contracts.rules import load_actions
from rmm_extension.domain.types import Severity
from rmm_extension.services.rules import RuleDraft

from .offering import offer
from .texts import unix

Options = Sequence[tuple[str, str]]
DAYS: Options = [("1", "last day"), ("7", "last 7 days"), ("30", "last 30 days"), ("90", "last 90 days")]
_DAYS = "7"
_DEFAULTS = load_actions({})
_MINUTES = ("hold_minutes", "reopen_within")
_ITEM = re.compile(r"^(?P<list>.+?)\.(?P<place>\d+)$")

CONDITIONS = {
    "severities": "severities",
    "keywords": "keywords",
    "messagePattern": "message_pattern",
    "organizationIds": "organization_ids",
    "activityTypes": "activity_types",
    "alertClasses": "alert_classes",
    "sourceTypes": "source_types",
}
ACTIONS = {
    "createTicket": "create_ticket",
    "useRouting": "use_routing",
    "boardId": "board_id",
    "priorityOverride": "priority_override",
    "assignToUserId": "assign_to",
    "holdMinutes": "hold_minutes",
    "reopenWithinMinutes": "reopen_within",
    "autoResolveTicket": "auto_resolve",
    "autoResolveStatusId": "auto_resolve_status",
    "resetAlertOnTicketClose": "reset_on_close",
    "notifyUserIds": "notify_users",
}
TEMPLATES = {"titleTemplate": "title_template", "descriptionTemplate": "description_template"}
_FIELDS = {
    "name": "name",
    "description": "description",
    "isActive": "is_active",
    **{f"conditions.{key}": name for key, name in CONDITIONS.items()},
    **{f"actions.{key}": name for key, name in ACTIONS.items()},
    **{f"actions.ticketTemplate.{key}": name for key, name in TEMPLATES.items()},
}
"""The field of each place in a rule's JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChoices:
    """What the form offers. ``None`` is a port the host does not have: its fields are not there."""

    activity_types: Sequence[str] = ()
    alert_classes: Sequence[str] = ()
    source_types: Sequence[str] = ()
    organizations: Options = ()
    boards: Options | None = None
    priorities: Options | None = None
    closed_statuses: Sequence[tuple[str, str, str]] | None = None
    """Id, name and board."""
    users: Options | None = None
    assignees: Options | None = None
    routes: bool = False
    """Whether the connection has a routing."""
    alerts: Options = ()


class PickField(Field):  # type: ignore[misc]
    """Any number of the values offered and, where ``free``, of others typed one per line.

    What was typed comes back as something picked, so that it survives an error exactly as it is.
    """

    def __init__(self, label: str, *, free: bool = False, in_order: bool = False, **options: Any) -> None:
        super().__init__(label, **options)
        self.free, self.in_order = free, in_order
        self.offered: Options = ()

    @property
    def typed_name(self) -> str:
        """Under which further values are typed."""
        return f"{self.name}-typed"

    def process(self, formdata: Any, *args: Any, **options: Any) -> None:
        """Take what was picked, then what was typed."""
        self._typed = formdata.getlist(self.typed_name) if formdata is not None and self.free else []
        super().process(formdata, *args, **options)

    def process_data(self, value: Any) -> None:
        """A stored value that is no list picks nothing."""
        self.data = [str(item) for item in value] if isinstance(value, (list, tuple)) else []

    def process_formdata(self, valuelist: list[str]) -> None:
        """Each value once, in the order of the page."""
        lines = [line.strip() for text in self._typed for line in text.splitlines()]
        self.data = list(
            dict.fromkeys([unix(value) for value in valuelist if value] + list(filter(None, lines)))
        )

    def rows(self) -> list[tuple[str, str, bool]]:
        """Value, label and whether it is picked: what is picked comes first, unless the order is fixed."""
        labels = dict(self.offered)
        if self.in_order:
            return [(value, label, value in self.data) for value, label in self.offered]
        rest = [(value, label, False) for value, label in self.offered if value not in set(self.data)]
        return [(value, labels.get(value, value), True) for value in self.data] + rest


class RuleForm(FlaskForm):  # type: ignore[misc]
    """Every field of the editor. It is not validated: :meth:`refuse` takes what the services say."""

    name = StringField("Name", description="What people call the rule; it stands in the history of alerts.")
    is_active = BooleanField("Active", description="A rule that is off is not asked.")
    description = TextAreaField(
        "Description", description="For colleagues: why the rule is there.", render_kw={"rows": 2}
    )

    severities = PickField("Severity", in_order=True, description="None ticked: any severity.")
    keywords = PickField(
        "Keywords",
        free=True,
        description="One of them is enough, anywhere in the alert's text, in upper or lower case.",
    )
    message_pattern = TextAreaField(
        "Pattern",
        description="A regular expression (RE2), found anywhere in the alert's text; upper and lower case"
        " differ. Look-ahead, look-behind and back-references are not supported.",
        render_kw={"rows": 2, "spellcheck": "false", "autocapitalize": "off"},
    )
    sample = TextAreaField("Text to try the pattern on", description="It is not kept.")
    organization_ids = PickField("Organizations", description="None ticked: any organization.")
    activity_types = PickField("Activity types", free=True, description="As the vendor writes them.")
    alert_classes = PickField("Alert classes", free=True, description="As the vendor writes them.")
    source_types = PickField("Source types", free=True, description="As the vendor writes them.")

    create_ticket = BooleanField(
        "Make a ticket",
        description="Off: the alert is only recorded, and no rule after this one is asked.",
    )
    use_routing = BooleanField(
        "Use the connection's routing",
        description="Board, categories, priority, and the client of what is not mapped, as chosen on the page"
        " Routing. A board or priority chosen here goes before it.",
    )
    board_id = SelectField("Board", description="Where the ticket is filed.")
    priority_override = SelectField("Priority", description="The same for every ticket of this rule.")
    assign_to = SelectField("Assignee", description="Whose ticket it is from the start.")
    hold_minutes = StringField(
        "Minutes to wait before the ticket",
        description="0 to 1440. The ticket is made only if the alert lasts so long; 0 makes it at once.",
        render_kw={"inputmode": "numeric"},
    )
    reopen_within = StringField(
        "Minutes in which a closed ticket is reopened",
        description="0 to 10080. The same trouble so soon again reopens its last ticket; 0 makes a new one.",
        render_kw={"inputmode": "numeric"},
    )
    auto_resolve = BooleanField(
        "Close the ticket when the alert clears",
        description="Only while nobody has worked on it and no other alert on it is open.",
    )
    auto_resolve_status = SelectField("Status when it closes itself", description="Of the ticket's board.")
    reset_on_close = BooleanField(
        "Resolve the alert at the vendor when a person closes the ticket",
        description="The vendor's answer becomes a note on the ticket.",
    )
    notify_users = PickField("Tell", description="They get a notification when the ticket is made.")
    title_template = StringField(
        "Title",
        description="Empty: vendor, kind of alert and device.",
        render_kw={"data-rmm-takes": "text"},
    )
    description_template = TextAreaField(
        "Text",
        description="Empty: everything known of alert and device.",
        render_kw={"rows": 8, "data-rmm-takes": "text", "data-rmm-takes-first": True},
    )

    preview_alert = SelectField("Shown with the alert")
    days = SelectField("Look at the alerts of the", default=_DAYS)

    def draft(self, stored: RuleDraft | None = None) -> RuleDraft:
        """The rule as it is filled in; what the host gives no field for stays as it is stored."""
        return RuleDraft(
            name=unix(self.name.data),
            description=unix(self.description.data).strip() or None,
            is_active=bool(self.is_active.data),
            conditions={key: value for key, name in CONDITIONS.items() if (value := self._condition(name))},
            actions=self._actions(stored.actions if stored else {}),
        )

    def refuse(self, errors: Mapping[str, Sequence[str]]) -> list[str]:
        """Put each sentence at its field; the rest is returned for the top of the form."""
        general: list[str] = []
        for path, sentences in errors.items():
            name, item = self._place(path)
            if name is None:
                general += sentences
                continue
            said = [f"“{item}”: {text}" if item else text for text in sentences]
            self[name].errors = list(dict.fromkeys([*self[name].errors, *said]))
        return general

    def changes(self, before: RuleDraft, after: RuleDraft) -> list[str]:
        """The labels of what is not the same in two states of the rule."""
        old, new = field_values(before), field_values(after)
        return [
            field.label.text for field in self if field.name in new and old[field.name] != new[field.name]
        ]

    @property
    def looked_days(self) -> int:
        """How far a dry run looks back."""
        return int(self.days.data if self.days.data in dict(DAYS) else _DAYS)

    def _actions(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        given = {key: self._action(name) for key, name in ACTIONS.items() if name in self}
        words = {key: text for key, name in TEMPLATES.items() if (text := unix(self[name].data))}
        return {**_DEFAULTS, **kept, **given, "ticketTemplate": words}

    def _condition(self, name: str) -> Any:
        """A condition as the JSON has it; empty is none."""
        data = self[name].data
        return data if isinstance(data, list) else unix(data)

    def _action(self, name: str) -> Any:
        """An action's setting as the JSON has it."""
        data = self[name].data
        if name in _MINUTES:
            return _minutes(data or "")
        return data if isinstance(data, (bool, list)) else data or None

    def _place(self, path: str) -> tuple[str | None, str | None]:
        """The field of a place in the JSON and, inside a list, the value it is about."""
        item = _ITEM.match(path)
        name = _FIELDS.get(item["list"] if item else path)
        if name is None or name not in self:
            return None, None
        values = self[name].data if item else []
        return name, values[int(item["place"])] if item and int(item["place"]) < len(values) else None


def rule_form(choices: RuleChoices, draft: RuleDraft | None = None, **more: Any) -> RuleForm:
    """The form with what it offers: as it was sent, else filled with the draft."""
    form = RuleForm(data={**field_values(draft or RuleDraft(name="")), **more})
    for field in form:  # almost everything is optional, and the page says so once
        field.flags.unmarked = True
    form.name.flags.required = True
    form.severities.offered = [(severity.value, severity.value.capitalize()) for severity in Severity]
    form.organization_ids.offered = choices.organizations
    for name in ("activity_types", "alert_classes", "source_types"):
        form[name].offered = [(value, value) for value in getattr(choices, name)]
    form.preview_alert.choices = [SelectChoice(*option) for option in choices.alerts]
    form.days.choices = [SelectChoice(*option) for option in DAYS]
    offer(form, "board_id", choices.boards, "The default board")
    offer(form, "priority_override", choices.priorities, "By the alert's severity")
    offer(form, "assign_to", choices.assignees, "Nobody")
    offer(form, "auto_resolve_status", choices.closed_statuses, "The first closed status of its board")
    if not choices.routes:
        del form.use_routing
    if choices.users is None:
        del form.notify_users
    else:
        form.notify_users.offered = choices.users
    return form


def field_values(draft: RuleDraft) -> dict[str, Any]:
    """A rule as the form's fields hold it."""
    actions = {**_DEFAULTS, **draft.actions}
    words = actions.get("ticketTemplate") or {}
    return {
        "name": draft.name,
        "description": draft.description or "",
        "is_active": draft.is_active,
        **{name: draft.conditions.get(key) or _nothing(name) for key, name in CONDITIONS.items()},
        **{name: _shown(actions[key]) for key, name in ACTIONS.items()},
        **{name: words.get(key) or "" for key, name in TEMPLATES.items()},
    }


def _nothing(name: str) -> Any:
    return "" if name == "message_pattern" else []


def _shown(value: Any) -> Any:
    """Flags and lists as they are; numbers and ids as text."""
    return value if isinstance(value, (bool, list)) else str(value if value is not None else "")


def _minutes(text: str) -> int | str:
    """A number; what is none stays as it was typed, to be refused in words."""
    typed = text.strip() or "0"
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else typed
