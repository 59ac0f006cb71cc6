"""The gallery: workflows to begin with, and what each asks before it is made.

A recipe makes a draft like any other: everything in it can be changed, and nothing happens before it is
published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from marshmallow import ValidationError, validate

from rmm_extension.domain.contracts.actions import Texts, Whole, says
from rmm_extension.domain.contracts.inputs import Choices
from rmm_extension.domain.contracts.strict import Flag, Strict, Text, problems
from rmm_extension.domain.errors import Invalid

Document = dict[str, Any]
Given = Mapping[str, Any]

_SEVERITIES = (("critical", "Critical"), ("major", "Major"), ("moderate", "Moderate"), ("minor", "Minor"))
_HAS_TICKET = "ticket is not none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One recipe: its words, the modules it needs by key, the vendors whose connections and scripts it asks
    for, the contract of what it asks, and what makes the document of it."""

    key: str
    title: str
    sentence: str
    icon: str
    steps: tuple[str, ...]
    modules: Mapping[str, str]
    contract: type[Strict]
    build: Callable[[Given], Document]
    providers: tuple[str, ...] = ()


def find(key: str) -> Recipe | None:
    """The recipe of this name."""
    return next((one for one in RECIPES if one.key == key), None)


def document(recipe: Recipe, value: Given) -> Document:
    """The document for what was answered; raises ``Invalid`` by the name of the answer."""
    try:
        return recipe.build(cast(Given, recipe.contract().load(dict(value))))
    except ValidationError as error:
        raise Invalid(problems(error)) from error


_PLACE = validate.Regexp(r"\A[^:]+:.+\Z", error="Choose one of the list.")


class DiskFull(Strict):
    """What cleans up, and which alerts it is for."""

    script = Text(
        300,
        required=True,
        validate=_PLACE,
        metadata=says("Cleanup script", "Of the library of Tactical RMM.", picks="script"),
    )
    words = Text(
        100, load_default="disk", metadata=says("Words of the alert", "Anywhere in its text, in any case.")
    )
    timeout = Whole(1, 3600, load_default=300, metadata=says("Seconds the script may take"))


class HuntressClose(Strict):
    """Which incidents are closed without a person."""

    severities = Choices(
        (("low", "Low"), ("high", "High"), ("critical", "Critical")),
        load_default=lambda: ["low"],
        metadata=says(
            "Close incidents of these severities",
            "Others are only described on the ticket. Huntress closes none whose remediations wait.",
        ),
    )


class Escalation(Strict):
    """What is escalated, where it is told, and who is booked when."""

    severities = Choices(
        _SEVERITIES, fewest=1, load_default=lambda: ["critical"], metadata=says("Alerts of these severities")
    )
    channel_id = Text(300, required=True, metadata=says("Teams channel", picks="teams_channel"))
    technicians = Texts(10, 100, fewest=1, required=True, metadata=says("Technicians", picks="technician"))
    begins = Whole(0, 1440, load_default=15, metadata=says("Minutes until they are booked"))
    minutes = Whole(15, 480, load_default=60, metadata=says("Minutes they are booked for"))


class Reboot(Strict):
    """Which devices are restarted, and when not."""

    connection = Text(
        300, required=True, validate=_PLACE, metadata=says("Devices of the connection", picks="connection")
    )
    kinds = Choices(
        (("workstation", "Workstations"), ("server", "Servers")),
        fewest=1,
        load_default=lambda: ["workstation"],
        metadata=says("Kinds of devices"),
    )
    nobody = Flag(load_default=True, metadata=says("Only while nobody is signed in"))


def _disk_full(given: Given) -> Document:
    connection, _, script = given["script"].partition(":")
    words = f'(alert.message | default("")) is containing({_literal(given["words"])})'
    ran = 'steps.clean_up.state == "succeeded"'
    return {
        "trigger": {
            "event": "RMM_ALERT_TRIGGERED",
            "filter": f'connection.provider == "tacticalrmm" and device is not none and {words}',
            "oncePerMinutes": 60,
        },
        "steps": [
            _step(
                "clean_up",
                "Run the cleanup script",
                "tacticalrmm.agents.run_script",
                connection=connection,
                onError="continue",
                script_id=_value(int(script) if script.isdecimal() else script),
                timeout=_value(given["timeout"]),
            ),
            _step(
                "note",
                "Note what it said",
                "tickets.add_note",
                when=_HAS_TICKET,
                onError="continue",
                ticket_id=_TICKET,
                note=_template(_CLEANUP_NOTE),
            ),
            _step(
                "resolve",
                "Resolve the alert, here and at the vendor",
                "rmm.alerts.resolve",
                when=ran,
                alert_id=_template("{{ alert.id }}"),
                at_vendor=_value(True),
            ),
            _step(
                "close",
                "Close the ticket",
                "tickets.close",
                when=f"{ran} and {_HAS_TICKET}",
                ticket_id=_TICKET,
                note=_template("Closed by the workflow “{{ run.workflow }}”: the cleanup ended well."),
            ),
        ],
    }


def _huntress(given: Given) -> Document:
    severity = "steps.incident.output.incident.severity"
    return {
        "trigger": {
            "event": "RMM_ALERT_TRIGGERED",
            "filter": 'connection.provider == "huntress" and alert.source_type != "escalation"',
        },
        "steps": [
            _step(
                "incident",
                "Read the incident",
                "huntress.incidents.get",
                incident_id=_template("{{ alert.external_id }}"),
            ),
            _step(
                "agent",
                "Read its agent",
                "huntress.agents.get",
                when="steps.incident.output.incident.agent_id is not none",
                onError="continue",
                agent_id=_template("{{ steps.incident.output.incident.agent_id }}"),
            ),
            _step(
                "note",
                "Describe it on the ticket",
                "tickets.add_note",
                when=_HAS_TICKET,
                onError="continue",
                ticket_id=_TICKET,
                note=_template(_INCIDENT_NOTE),
            ),
            _step(
                "resolve",
                "Close it in Huntress",
                "huntress.incidents.resolve",
                when=f"{severity} in {_literal(given['severities'])}",
                incident_id=_template("{{ alert.external_id }}"),
            ),
            _step(
                "close",
                "Close the ticket",
                "tickets.close",
                when=f'steps.resolve.state == "succeeded" and {_HAS_TICKET}',
                ticket_id=_TICKET,
            ),
        ],
    }


def _escalation(given: Given) -> Document:
    begins, ends = given["begins"], given["begins"] + given["minutes"]
    named = 'alert.device_name | default("a device")'
    return {
        "trigger": {
            "event": "RMM_ALERT_TRIGGERED",
            "filter": f"alert.severity in {_literal(given['severities'])}",
            "oncePerMinutes": 60,
        },
        "steps": [
            _step(
                "tell",
                "Post to the channel",
                "teams.post_to_channel",
                onError="continue",
                channel_id=_value(given["channel_id"]),
                message=_template(_CHANNEL_MESSAGE),
            ),
            _step(
                "book",
                "Book the technicians",
                "scheduling.create_entry",
                conflict_mode=_value("shift"),
                assigned_user_ids=_value(list(given["technicians"])),
                title=_template(f"{{{{ alert.severity | upper }}}}: {{{{ {named} | truncate(150) }}}}"),
                notes=_template("{{ (alert.message | truncate(2000)) if alert.message else none }}"),
                **{
                    "window.start": _template(f"{{{{ run.started_at | plus(minutes={begins}) }}}}"),
                    "window.end": _template(f"{{{{ run.started_at | plus(minutes={ends}) }}}}"),
                    "link.type": _template('{{ "ticket" if ticket is not none else none }}'),
                    "link.id": _template("{{ ticket.id if ticket is not none else none }}"),
                },
            ),
        ],
    }


_REBOOTS = {"ninjaone": "ninjaone.devices.reboot", "tacticalrmm": "tacticalrmm.agents.reboot"}


def _reboot(given: Given) -> Document:
    provider, _, connection = given["connection"].partition(":")
    if provider not in _REBOOTS:
        raise Invalid({"connection": ["Choose one of the list."]})
    conditions = [
        f"connection.id == {_literal(connection)}",
        f"device.kind in {_literal(given['kinds'])}",
        'device.status == "online"',
        "device.needs_reboot",
        "not device.patches_pending",
        *(["device.current_user is none"] if given["nobody"] else []),
    ]
    return {
        "trigger": {
            "event": "RMM_DEVICE_UPDATED",
            "filter": " and ".join(conditions),
            "oncePerMinutes": 1440,
        },
        "steps": [_step("reboot", "Restart the device", _REBOOTS[provider], connection=connection)],
    }


def _step(step_id: str, name: str, action: str, **more: Any) -> dict[str, Any]:
    """A step; what is no setting of its own is an input."""
    own: dict[str, Any] = {key: more.pop(key) for key in _OWN if key in more}
    return {"id": step_id, "name": name, "action": action, "version": 1, **own, "inputs": more}


_OWN = ("connection", "when", "onError")


def _value(value: Any) -> dict[str, Any]:
    return {"value": value}


def _template(text: str) -> dict[str, str]:
    return {"template": text}


_TICKET = _template("{{ ticket.id }}")


def _literal(value: str | Sequence[str]) -> str:
    """A text or a list of texts as an expression writes it."""
    return json.dumps(value, ensure_ascii=False)


_CLEANUP_NOTE = """\
Cleanup on {{ device.name }}: {{ steps.clean_up.message }}

{{ steps.clean_up.output.output | default("It said nothing.") | truncate(4000) }}"""

_INCIDENT_NOTE = """\
{{ steps.incident.output.incident.subject | default("Incident") }}
Severity {{ steps.incident.output.incident.severity | default("unknown") }}, \
host {{ steps.agent.output.agent.hostname | default("unknown") }}, \
Defender {{ steps.agent.output.agent.defender_status | default("unknown") }}

{{ steps.incident.output.output | default("") | truncate(8000) }}"""

_CHANNEL_MESSAGE = """\
{{ alert.severity | upper }} on {{ alert.device_name | default("a device") }}\
{{ " of " ~ client.name if client is not none else "" }}
{{ alert.message | default("") | truncate(1000) }}
{{ "Ticket " ~ ticket.number if ticket is not none else "There is no ticket." }}"""


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        key="disk-full",
        title="Clean up a full disk",
        sentence="Runs a cleanup script on a device whose disk is full, and closes alert and ticket if it"
        " ends well.",
        icon="script",
        steps=(
            "Run the cleanup script on the device",
            "Note what it said on the ticket",
            "Resolve the alert, here and at the vendor",
            "Close the ticket",
        ),
        modules={"app:tacticalrmm": "Tactical RMM"},
        contract=DiskFull,
        build=_disk_full,
        providers=("tacticalrmm",),
    ),
    Recipe(
        key="huntress-close",
        title="Enrich and close Huntress incidents",
        sentence="Describes each incident on its ticket, and closes those of low severity on both sides.",
        icon="huntress",
        steps=(
            "Read the incident and its agent",
            "Describe them on the ticket",
            "Close the incident in Huntress",
            "Close the ticket",
        ),
        modules={"app:huntress": "Huntress"},
        contract=HuntressClose,
        build=_huntress,
    ),
    Recipe(
        key="escalate",
        title="Escalate to Teams and the dispatch board",
        sentence="Tells a Teams channel of critical alerts and books technicians for them.",
        icon="teams",
        steps=("Post to the channel", "Book the technicians, later where they have something"),
        modules={"app:teams": "Microsoft Teams", "core:scheduling": "Scheduling"},
        contract=Escalation,
        build=_escalation,
    ),
    Recipe(
        key="reboot-after-patch",
        title="Reboot after patching",
        sentence="Restarts a device that needs it once its patches are installed, while nobody works on it.",
        icon="power",
        steps=("Restart the device, at most once a day",),
        modules={},
        contract=Reboot,
        build=_reboot,
        providers=tuple(_REBOOTS),
    ),
)
