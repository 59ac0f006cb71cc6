"""Alert templates and URL actions as the API shows them."""

from __future__ import annotations

from typing import Any

from simulators.tacticalrmm.clock import iso
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.models import UrlAction


def url_action_row(action: UrlAction) -> dict[str, Any]:
    """A row of /core/urlaction/."""
    created = iso(action.created)
    return {
        "id": action.id,
        "created_by": action.created_by,
        "created_time": created,
        "modified_by": action.created_by,
        "modified_time": created,
        "name": action.name,
        "desc": action.desc,
        "pattern": action.pattern,
        "action_type": action.action_type,
        "rest_method": action.rest_method,
        "rest_body": action.rest_body,
        "rest_headers": action.rest_headers,
    }


def template_row(lab: Lab) -> dict[str, Any]:
    """The alert template, complete."""
    template = lab.template
    created = iso(template.created)
    row: dict[str, Any] = {
        "id": template.id,
        "agent_settings": True,
        "check_settings": True,
        "task_settings": True,
        "core_settings": [],
        "default_template": True,
        "action_name": _action_name(lab, template.action_rest),
        "resolved_action_name": _action_name(lab, template.resolved_action_rest),
        "applied_count": len(lab.fleet.agents),
        "created_by": None,
        "created_time": created,
        "modified_by": None,
        "modified_time": created,
        "name": template.name,
        "is_active": True,
        "action_type": template.action_type,
        "action_rest": template.action_rest,
        "resolved_action_type": template.resolved_action_type,
        "resolved_action_rest": template.resolved_action_rest,
        "action": None,
        "resolved_action": None,
        "email_recipients": [],
        "text_recipients": [],
        "email_from": None,
        "agent_email_on_resolved": False,
        "agent_text_on_resolved": False,
        "exclude_workstations": False,
        "exclude_servers": False,
        "excluded_sites": [],
        "excluded_clients": [],
        "excluded_agents": [],
    }
    for prefix in ("", "resolved_"):
        row |= {f"{prefix}action_args": [], f"{prefix}action_env_vars": [], f"{prefix}action_timeout": 15}
    for kind in ("agent", "check", "task"):
        row |= _kind_options(kind)
    return row | template.options


def _kind_options(kind: str) -> dict[str, Any]:
    """The switches of one kind of alert."""
    options: dict[str, Any] = {
        f"{kind}_always_email": None,
        f"{kind}_always_text": None,
        f"{kind}_always_alert": True,
        f"{kind}_periodic_alert_days": 0,
        f"{kind}_script_actions": True,
    }
    if kind != "agent":
        lists: dict[str, Any] = {
            f"{kind}_{channel}_alert_severity": [] for channel in ("email", "text", "dashboard")
        }
        options |= lists | {f"{kind}_email_on_resolved": False, f"{kind}_text_on_resolved": False}
    return options


def _action_name(lab: Lab, action_id: int | None) -> str:
    action = lab.url_actions.get(action_id or 0)
    return action.name if action else ""
