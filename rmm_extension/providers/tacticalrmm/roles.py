"""The switches of a role (Settings › Permissions Manager): what each path needs, and what a connection needs.

By the permission classes of Tactical RMM 1.5.1.
"""

from __future__ import annotations

import re

CLIENTS, SITES, AGENTS = "can_list_clients", "can_list_sites", "can_list_agents"
ALERTS, MANAGE_ALERTS = "can_list_alerts", "can_manage_alerts"
CUSTOM_FIELDS, SOFTWARE, HISTORY = "can_view_customfields", "can_list_software", "can_list_agent_history"
SCRIPTS, RUN_SCRIPTS, RUN_COMMANDS = "can_list_scripts", "can_run_scripts", "can_send_cmd"
REBOOT = "can_reboot_agents"

SMALLEST = (CLIENTS, SITES, AGENTS, ALERTS, MANAGE_ALERTS, CUSTOM_FIELDS)
"""What lists, alerts and their resolving need."""
OPTIONAL = (
    ("software", (SOFTWARE,)),
    ("scripts", (SCRIPTS, RUN_SCRIPTS, HISTORY)),
    ("commands", (RUN_COMMANDS, HISTORY)),
    ("reboots", (REBOOT,)),
)
"""Features that a role may leave out, each with its switches; output and exit codes are in the history."""

_BY_PATH = (
    (re.compile(r"/beta/v1/site/|/clients/sites/"), SITES),
    (re.compile(r"/beta/v1/client/|/clients/"), CLIENTS),
    (re.compile(r"/runscript/$"), RUN_SCRIPTS),
    (re.compile(r"/cmd/$"), RUN_COMMANDS),
    (re.compile(r"/reboot/$"), REBOOT),
    (re.compile(r"/history/$"), HISTORY),
    (re.compile(r"/beta/v1/agent/|/agents/"), AGENTS),
    (re.compile(r"/alerts/\d+/$"), f"{ALERTS} (to read an alert) or {MANAGE_ALERTS} (to resolve it)"),
    (re.compile(r"/alerts/"), ALERTS),
    (re.compile(r"/core/customfields/"), CUSTOM_FIELDS),
    (re.compile(r"/software/"), SOFTWARE),
    (re.compile(r"/scripts/"), SCRIPTS),
)


def switch_of(path: str) -> str | None:
    """The switch that a request to this path needs, in words where it depends on the method."""
    return next((switch for pattern, switch in _BY_PATH if pattern.search(path)), None)
