"""The actions of Huntress and what they take."""

from __future__ import annotations

from typing import Any

from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, Choice, Whole, says
from rmm_extension.domain.contracts.strict import Flag, Strict, Text
from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.huntress import action_outputs as gives
from rmm_extension.providers.huntress.errors import KEY

MODULE_KEY = f"app:{KEY}"
_ID = 2**53
_STATES = (
    ("sent", "Sent"),
    ("auto_remediating", "Auto-remediating"),
    ("closed", "Closed"),
    ("dismissed", "Dismissed"),
    ("partner_dismissed", "Dismissed by a partner"),
    ("deleting", "Deleting"),
)
_PLATFORMS = (
    ("windows", "Windows"),
    ("darwin", "macOS"),
    ("linux", "Linux"),
    ("microsoft_365", "Microsoft 365"),
    ("google", "Google Workspace"),
    ("email_security", "E-mail"),
    ("other", "Other"),
)


class NoInput(Strict):
    """Nothing beside the device or the account."""


class FindIncidents(Strict):
    """Which incidents to list; without a filter the newest changes."""

    status = Choice(_STATES, required=False, metadata=says("Status"))
    severity = Choice(
        (("critical", "Critical"), ("high", "High"), ("low", "Low")),
        required=False,
        metadata=says("Severity"),
    )
    platform = Choice(_PLATFORMS, required=False, metadata=says("Platform"))
    organization_id = Whole(1, _ID, metadata=says("Organization ID", "The id at Huntress."))
    agent_id = Whole(1, _ID, metadata=says("Agent ID", "The id at Huntress."))
    limit = Whole(1, 500, load_default=50, metadata=says("At most"))


class OneIncident(Strict):
    """An incident by its number at Huntress."""

    incident_id = Whole(1, _ID, required=True, metadata=says("Incident ID", vendor_alert=True))


class ListOrganizations(Strict):
    """Which organizations to list."""

    query = Text(255, metadata=says("Name", "A part of the organization's name."))
    limit = Whole(1, 500, load_default=100, metadata=says("At most"))


class OneAgent(Strict):
    """An agent by its number at Huntress."""

    agent_id = Whole(1, _ID, required=True, metadata=says("Agent ID", "The id at Huntress."))


class Isolate(Strict):
    """Why, and how strictly."""

    reason = Text(500, metadata=says("Reason", "Huntress keeps it with the isolation."))
    strict_isolation = Flag(
        load_default=False,
        metadata=says("Strict isolation", "On Windows and Linux; others isolate as usual."),
    )


def _spec(name: str, label: str, description: str, **more: Any) -> ActionSpec:
    return ActionSpec(id=f"{KEY}.{name}", module=MODULE_KEY, label=label, description=description, **more)


_READS: dict[str, Any] = {"side_effects": False, "permission": "rmm.view", "on_device": False}
_ON_HOST: dict[str, Any] = {"side_effects": True, "category": "Devices", "output": gives.Isolation}

FIND = _spec(
    "incidents.find",
    "Find incidents",
    "Lists incident reports, the newest change first.",
    input=FindIncidents,
    output=gives.Incidents,
    category="Incidents",
    icon="search",
    **_READS,
)
GET = _spec(
    "incidents.get",
    "Get incident",
    "Reads one incident report with its host and its remediations.",
    input=OneIncident,
    output=gives.GotIncident,
    category="Incidents",
    icon="search",
    **_READS,
)
RESOLVE = _spec(
    "incidents.resolve",
    "Resolve incident",
    "Closes the incident in Huntress, then ends its alert here. All its remediations must be approved first.",
    input=OneIncident,
    output=gives.Resolved,
    side_effects=True,
    category="Incidents",
    icon="check",
    permission="rmm.alerts.manage",
    on_device=False,
    confirmation="Close this incident in Huntress?",
)
ORGANIZATIONS = _spec(
    "organizations.list",
    "List organizations",
    "Lists organizations of the account by name.",
    input=ListOrganizations,
    output=gives.Organizations,
    category="Account",
    icon="list",
    **_READS,
)
AGENT = _spec(
    "agents.get",
    "Get agent",
    "Reads one agent as Huntress describes it now.",
    input=OneAgent,
    output=gives.GotAgent,
    category="Devices",
    icon="search",
    **_READS,
)
ISOLATE = _spec(
    "agents.isolate",
    "Isolate host",
    "Cuts the host off from the network; only Huntress still reaches it.",
    input=Isolate,
    confirmation="Cut this host off from the network now? Whoever works on it loses every connection.",
    icon="power",
    **_ON_HOST,
)
RELEASE = _spec(
    "agents.release",
    "Release host",
    "Ends the isolation of the host: it gets its network back.",
    input=NoInput,
    confirmation="Give this host its network back now?",
    icon="power",
    **_ON_HOST,
)
ACCOUNT = _spec(
    "account.get",
    "Get account",
    "Reads the account that the API key is of.",
    input=NoInput,
    output=gives.Account,
    category="Account",
    icon="search",
    **_READS,
)

MODULE = ActionModule(
    key=MODULE_KEY,
    label=provider_label(KEY),
    description="Incidents, agents and organizations of Huntress.",
    icon=KEY,
    default_action=FIND.id,
    availability=f"rmm:{KEY}",
    actions=(FIND, GET, RESOLVE, ORGANIZATIONS, AGENT, ISOLATE, RELEASE, ACCOUNT),
)
