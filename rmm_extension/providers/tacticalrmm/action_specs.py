"""The actions of Tactical RMM and their contracts."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields

from rmm_extension.domain.contracts.actions import (
    ActionModule,
    ActionSpec,
    Choice,
    Texts,
    Whole,
    says,
)
from rmm_extension.domain.contracts.strict import Flag, Strict, Text
from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.tacticalrmm.client import KEY

MODULE_KEY = f"app:{KEY}"
LONGEST_RUN = 3600
"""Seconds a script or command may take."""
SHELLS = (("powershell", "PowerShell"), ("cmd", "Command prompt (cmd)"), ("/bin/bash", "Bash"))
_SYSTEMS = {"powershell": ("windows",), "cmd": ("windows",), "/bin/bash": ("linux", "darwin")}
_SECRETS = "Tactical RMM fills in names such as {{client.name}}, and {{global.name}} of its key store."


def _named(value: str) -> None:
    name, equals, _ = value.partition("=")
    if not equals or not name.strip():
        raise ValidationError("Write it as NAME=value.")


def _timeout(seconds: int) -> Whole:
    told = says("Time limit", "Seconds after which it is ended on the device.")
    return Whole(1, LONGEST_RUN, load_default=seconds, metadata=told)


def _as_user() -> Flag:
    told = says("As the signed-in user", "Instead of the system's own account; needs somebody signed in.")
    return Flag(load_default=False, metadata=told)


class NoInput(Strict):
    """Nothing beside the device."""


class RunScript(Strict):
    """A script of the library, and how it is run. Without arguments or variables those of the script are."""

    script_id = Whole(1, 2**31 - 1, required=True, metadata=says("Script", kind="script"))
    args = Texts(
        100, 4000, metadata=says("Arguments", f"One a line; none given: the script's own. {_SECRETS}")
    )
    env_vars = Texts(
        100,
        8000,
        each=_named,
        metadata=says(
            "Environment variables", "NAME=value, one a line; none given: the script's own.", secret=True
        ),
    )
    timeout = _timeout(90)
    run_as_user = _as_user()
    wait_for_output = Flag(
        load_default=True,
        metadata=says("Wait for its end", "Otherwise it is handed over, and nobody says how it ended."),
    )


class RunCommand(Strict):
    """A command line for the device's shell."""

    command = Text(20_000, trimmed=False, required=True, metadata=says("Command", _SECRETS))
    shell = Choice(
        SHELLS,
        metadata=says("Shell", "None chosen: PowerShell on Windows, Bash elsewhere.", platforms=_SYSTEMS),
    )
    timeout = _timeout(30)
    run_as_user = _as_user()


class ListScripts(Strict):
    """Which scripts to list."""

    query = Text(255, metadata=says("Name", "A part of the script's name."))
    limit = Whole(1, 500, load_default=100, metadata=says("At most"))


class FindAgents(Strict):
    """Which agents to list; one of the three narrows it down."""

    agent_id = Text(255, metadata=says("Agent ID"))
    asset_id = Text(255, metadata=says("Asset"))
    query = Text(255, metadata=says("Name", "A part of the agent's name."))
    live = Flag(
        load_default=False, metadata=says("Ask the server", "Otherwise what was last synced is searched.")
    )
    limit = Whole(1, 200, load_default=50, metadata=says("At most"))


def _text(*, may_be_null: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=may_be_null)


class Ran(Strict):
    """What came of a script or a command; ``exit_code`` is null where nobody tells it."""

    run_requested = Flag(required=True)
    agent_id = _text()
    output = _text(may_be_null=True)
    exit_code = fields.Integer(required=True, allow_none=True)
    seconds = fields.Float(required=True, allow_none=True)
    output_is_cut = Flag(required=True)
    vendor_response = _text(may_be_null=True)


class Rebooted(Strict):
    """Whether the agent took the reboot on."""

    reboot_requested = Flag(required=True)
    agent_id = _text()


class Pinged(Strict):
    """Whether the agent answered."""

    agent_id = _text()
    online = Flag(required=True)


class ScriptItem(Strict):
    """One script."""

    id = fields.Integer(required=True)
    name = _text()
    shell = _text(may_be_null=True)
    category = _text(may_be_null=True)
    description = _text(may_be_null=True)
    platforms = fields.List(fields.String(), required=True)


class Scripts(Strict):
    """The scripts found."""

    scripts = fields.List(fields.Nested(ScriptItem), required=True)
    count = fields.Integer(required=True)


class AgentItem(Strict):
    """One agent; ``source`` is ``local`` for what was last synced, else the vendor's key."""

    agent_id = _text()
    asset_id = _text(may_be_null=True)
    hostname = _text()
    organization_id = _text(may_be_null=True)
    agent_online = fields.Boolean(required=True, allow_none=True)
    last_seen_at = _text(may_be_null=True)
    os_name = _text(may_be_null=True)
    source = _text()


class Agents(Strict):
    """The agents found."""

    agents = fields.List(fields.Nested(AgentItem), required=True)
    count = fields.Integer(required=True)


class OneAgent(Strict):
    """The agent as the server describes it now."""

    agent = fields.Nested(AgentItem, required=True)


def _spec(name: str, label: str, description: str, **more: Any) -> ActionSpec:
    return ActionSpec(id=f"{KEY}.{name}", module=MODULE_KEY, label=label, description=description, **more)


RUN_SCRIPT = _spec(
    "agents.run_script",
    "Run script",
    "Runs a script of Tactical RMM's library on the device.",
    input=RunScript,
    output=Ran,
    side_effects=True,
    category="Devices",
    icon="script",
    confirmation="Run this script on the device now?",
)
RUN_COMMAND = _spec(
    "agents.run_command",
    "Run command",
    "Runs a command line on the device.",
    input=RunCommand,
    output=Ran,
    side_effects=True,
    category="Devices",
    icon="terminal",
    confirmation="Run this command on the device now?",
)
REBOOT = _spec(
    "agents.reboot",
    "Reboot",
    "Restarts the device at once. Whoever works on it may lose what is not saved.",
    input=NoInput,
    output=Rebooted,
    side_effects=True,
    category="Devices",
    icon="power",
    confirmation="Restart this device now? Whoever works on it may lose what is not saved.",
)
PING = _spec(
    "agents.ping",
    "Ping",
    "Asks whether the agent answers now, whatever its last check-in says.",
    input=NoInput,
    output=Pinged,
    side_effects=False,
    category="Devices",
    icon="pulse",
)
FIND = _spec(
    "agents.find",
    "Find devices",
    "Lists agents by name, id or asset.",
    input=FindAgents,
    output=Agents,
    side_effects=False,
    category="Devices",
    icon="search",
    permission="rmm.view",
    on_device=False,
)
GET = _spec(
    "agents.get",
    "Get device",
    "Reads one agent from the server as it is now.",
    input=NoInput,
    output=OneAgent,
    side_effects=False,
    category="Devices",
    icon="device",
    permission="rmm.view",
)
LIST_SCRIPTS = _spec(
    "scripts.list",
    "List scripts",
    "Lists the scripts of Tactical RMM's library.",
    input=ListScripts,
    output=Scripts,
    side_effects=False,
    category="Scripts",
    icon="list",
    permission="rmm.view",
    on_device=False,
)

MODULE = ActionModule(
    key=MODULE_KEY,
    label=provider_label(KEY),
    description="Scripts, commands and reboots on devices of Tactical RMM.",
    icon=KEY,
    default_action=FIND.id,
    availability=f"rmm:{KEY}",
    actions=(FIND, GET, PING, RUN_SCRIPT, RUN_COMMAND, REBOOT, LIST_SCRIPTS),
)
