"""/scripts/ and /checks/."""

from __future__ import annotations

from typing import Any

from flask import request

from simulators.tacticalrmm.clock import iso
from simulators.tacticalrmm.endpoints import Action, Endpoint, current_role, lab
from simulators.tacticalrmm.models import Check, Script
from simulators.tacticalrmm.replies import missing

NULL_CHECK_FIELDS = (
    "disk", "ip", "timeout", "svc_name", "svc_display_name", "pass_if_start_pending", "restart_if_stopped",
    "svc_policy_mode", "log_name", "event_id", "event_type", "event_source", "event_message", "fail_when",
    "search_last_days", "policy", "script", "created_by", "modified_by",
)  # fmt: skip
LIST_CHECK_FIELDS = (
    "script_args", "env_vars", "info_return_codes", "warning_return_codes", "success_return_codes",
    "assignedtasks",
)  # fmt: skip
FALSE_CHECK_FIELDS = (
    "overridden_by_policy", "email_alert", "text_alert", "pass_if_svc_not_exist", "event_id_is_wildcard",
    "managed_by_policy",
)  # fmt: skip


def _common(script: Script) -> dict[str, Any]:
    return {
        "id": script.id,
        "name": script.name,
        "description": f"{script.name} (simulated)",
        "shell": script.shell,
        "args": script.args,
        "category": script.category,
        "favorite": script.favorite,
        "default_timeout": script.default_timeout,
        "syntax": None,
        "filename": script.name.lower().replace(" ", "_"),
        "hidden": script.hidden,
        "supported_platforms": script.supported_platforms,
        "run_as_user": False,
        "env_vars": [],
    }


def scripts() -> list[dict[str, Any]]:
    """The library; hidden ones on request, community ones unless refused."""
    community = request.args.get("showCommunityScripts") != "false"
    hidden = request.args.get("showHiddenScripts") == "true"
    rows = lab().scripts.values()
    shown = [s for s in rows if (community or s.script_type != "builtin") and (hidden or not s.hidden)]
    return [_common(script) | {"script_type": script.script_type} for script in shown]


def script(pk: int) -> dict[str, Any]:
    """One script with its body."""
    if pk not in lab().scripts:
        raise missing("Script")
    found = lab().scripts[pk]
    return _common(found) | {"script_body": found.body, "script_hash": None}


def checks() -> list[dict[str, Any]]:
    """Checks of the agents inside the scope."""
    visible = {agent.pk for agent in lab().visible_agents(current_role())}
    return [_check_row(check) for check in lab().checks.values() if check.agent_pk in visible]


def _check_row(check: Check) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(NULL_CHECK_FIELDS)
    row |= {name: [] for name in LIST_CHECK_FIELDS}
    row |= dict.fromkeys(FALSE_CHECK_FIELDS, False)
    return row | {
        "id": check.id,
        "readable_desc": check.readable_desc,
        "alert_template": {
            "name": lab().template.name,
            "always_email": None,
            "always_text": None,
            "always_alert": True,
        },
        "check_result": check.result,
        "created_time": iso(check.created),
        "modified_time": iso(check.created),
        "name": check.readable_desc,
        "check_type": check.check_type,
        "dashboard_alert": True,
        "fails_b4_alert": 1,
        "run_interval": 0,
        "alert_severity": "error",
        "error_threshold": 0,
        "warning_threshold": 0,
        "number_of_events_b4_alert": 1,
        "agent": check.agent_pk,
    }


ENDPOINTS = [
    Endpoint("/scripts/", "GET, POST, HEAD, OPTIONS", {"GET": Action(scripts, "can_list_scripts")}),
    Endpoint(
        "/scripts/<int:pk>/", "GET, PUT, DELETE, HEAD, OPTIONS", {"GET": Action(script, "can_list_scripts")}
    ),
    Endpoint("/checks/", "GET, POST, HEAD, OPTIONS", {"GET": Action(checks, "can_list_checks")}),
]
