"""The template language of URL actions and script arguments: `{{alert.id}}`, `{{client.PSA Company ID}}`.

Not Jinja: no filters, no conditions, no JSON escaping. Null, false, 0 and "" all become the text `None`;
an unknown attribute becomes the text of the object it was asked of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.models import Agent, Alert, Client, Site
from simulators.tacticalrmm.show_agents import hardware_texts, serial_of

PLACEHOLDER = re.compile(r"\{\{\s*(client|site|agent|global|alert)\.([\w\-\s.]+?)\s*\}\}")
LOOSE_BACKSLASH = re.compile(r'\\(?!["\\/bfnrtu])')


@dataclass(frozen=True)
class Node:
    """An object of the template language: its own text and its attributes."""

    text: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


Scope = Mapping[str, Node | None]


def resolve(scope: Scope, root: str, path: str) -> str:
    """Text of `{{root.path}}`."""
    node: Any = scope.get(root)
    for name in path.strip().split("."):
        if not isinstance(node, Node):
            return "None"
        if name not in node.attributes:
            return node.text
        node = node.attributes[name]
    value = node.text if isinstance(node, Node) else node
    return str(value) if value else "None"


def render(text: str, scope: Scope) -> str:
    """Replace every placeholder. A backslash that JSON would not accept is doubled; quotes are not."""

    def replace(match: re.Match[str]) -> str:
        return LOOSE_BACKSLASH.sub(r"\\\\", resolve(scope, match[1], match[2]))

    return PLACEHOLDER.sub(replace, text)


def alert_scope(lab: Lab, alert: Alert, agent: Agent) -> Scope:
    """Objects of a webhook that an alert sends."""
    return {**agent_scope(lab, agent), "alert": _alert_node(lab, alert)}


def agent_scope(lab: Lab, agent: Agent) -> Scope:
    """Objects of the test button on an agent: there is no alert, so `alert` is the agent itself."""
    node = _agent_node(lab, agent)
    client, site = lab.client_of(agent), lab.site_of(agent)
    return {
        "agent": node,
        "alert": node,
        "client": client_node(client),
        "site": site_node(site),
        "global": global_node(lab),
    }


def global_node(lab: Lab) -> Node:
    """The global key store."""
    return Node("", lab.global_store)


def client_node(client: Client) -> Node:
    """Custom fields shadow columns of the same name."""
    return Node(client.name, {"id": client.id, "pk": client.id, "name": client.name, **client.custom})


def site_node(site: Site) -> Node:
    """Custom fields shadow columns of the same name."""
    return Node(site.name, {"id": site.id, "pk": site.id, "name": site.name, **site.custom})


def _agent_node(lab: Lab, agent: Agent) -> Node:
    names = ("agent_id", "hostname", "plat", "monitoring_type", "operating_system", "public_ip", "version")
    values: dict[str, Any] = {name: getattr(agent, name) for name in names}
    values |= {"id": agent.pk, "pk": agent.pk, "description": agent.description}
    values |= {"maintenance_mode": agent.maintenance_mode, "needs_reboot": agent.needs_reboot}
    values |= {"status": lab.status(agent), "serial_number": serial_of(agent), **hardware_texts(agent)}
    values |= {field.name: None for field in lab.custom_fields if field.model == "agent"}
    return Node(agent.hostname, values | agent.custom)


def _alert_node(lab: Lab, alert: Alert) -> Node:
    names = ("id", "alert_type", "severity", "message", "alert_time", "resolved", "resolved_on", "hidden")
    values: dict[str, Any] = {name: getattr(alert, name) for name in names}
    values |= {"pk": alert.id, "snoozed": alert.snoozed, "snooze_until": alert.snooze_until}
    values |= {"assigned_check": _check_node(lab, alert), "assigned_task": _task_node(lab, alert)}
    values["get_result"] = _result_node(lab, alert)
    return Node(f"{alert.alert_type} - {alert.message}", values)


def _check_node(lab: Lab, alert: Alert) -> Node | None:
    check = lab.checks.get(alert.check_id or 0)
    if check is None:
        return None
    values = {"id": check.id, "check_type": check.check_type, "readable_desc": check.readable_desc}
    return Node(check.readable_desc, values)


def _task_node(lab: Lab, alert: Alert) -> Node | None:
    task = lab.tasks.get(alert.task_id or 0)
    return Node(task.name, {"id": task.id, "name": task.name}) if task else None


def _result_node(lab: Lab, alert: Alert) -> Node | None:
    owner = lab.checks.get(alert.check_id or 0) or lab.tasks.get(alert.task_id or 0)
    if owner is None:
        return None
    empty = dict.fromkeys(("stdout", "stderr", "retcode", "more_info"))
    return Node("result", empty | owner.result)
