"""The five forms in which the API shows an agent."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from simulators.tacticalrmm.clock import iso
from simulators.tacticalrmm.hardware import services_of, wmi_of
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.models import Agent
from simulators.tacticalrmm.show_templates import template_row

NO_CHECKS = {"total": 0, "passing": 0, "failing": 0, "warning": 0, "info": 0, "has_failing_checks": False}
MESH_NODE = "SimNode" + "0" * 57


def custom_values(lab: Lab, model: str, owner: int, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Custom field values as the API lists them: by field key, with the owner's integer key."""
    rows = []
    for definition in lab.custom_fields:
        if definition.model == model and definition.name in values:
            row_id = owner * 10 + definition.id
            rows.append(
                {"id": row_id, "field": definition.id, model: owner, "value": values[definition.name]}
            )
    return rows


def short_row(lab: Lab, agent: Agent) -> dict[str, Any]:
    """A row of /agents/?detail=false: the map between both kinds of id."""
    return {
        "id": agent.pk,
        "hostname": agent.hostname,
        "agent_id": agent.agent_id,
        "client": lab.client_of(agent).name,
        "site": lab.site_of(agent).name,
    }


def hardware_texts(agent: Agent) -> dict[str, Any]:
    """What the server computes from wmi_detail, with its texts for an agent without any."""
    hw = agent.hardware
    if hw is None:
        return {
            "cpu_model": ["unknown cpu model"],
            "graphics": "Graphics info requires agent v1.4.14",
            "local_ips": "error getting local ips",
            "make_model": "unknown make/model",
            "physical_disks": ["unknown disk"],
        }
    return {
        "cpu_model": [hw.cpu],
        "graphics": ", ".join(hw.graphics) or "No graphics cards",
        "local_ips": ", ".join(hw.ips),
        "make_model": f"{hw.make} {hw.model}",
        "physical_disks": hw.drives,
    }


def serial_of(agent: Agent) -> str:
    """The serial_number property: empty when the agent reported none."""
    return (agent.hardware.serial or "") if agent.hardware else ""


def table_row(lab: Lab, agent: Agent) -> dict[str, Any]:
    """A row of /agents/: status, serial and custom fields, but no integer id and no client key."""
    status = lab.status(agent)
    idle = agent.logged_in_username == "None"
    template = {"name": lab.template.name, "always_email": None, "always_text": None, "always_alert": True}
    return {
        "agent_id": agent.agent_id,
        "alert_template": template,
        "hostname": agent.hostname,
        "site_name": lab.site_of(agent).name,
        "client_name": lab.client_of(agent).name,
        "monitoring_type": agent.monitoring_type,
        "description": agent.description,
        "needs_reboot": agent.needs_reboot,
        "pending_actions_count": 0,
        "status": status,
        "overdue_text_alert": False,
        "overdue_email_alert": False,
        "overdue_dashboard_alert": True,
        "last_seen": iso(agent.last_seen(lab.clock.now())),
        "boot_time": agent.boot_time,
        "checks": dict(NO_CHECKS),
        "maintenance_mode": agent.maintenance_mode,
        "logged_username": _logged_username(agent, status),
        "italic": idle and status == "online",
        "block_policy_inheritance": False,
        "plat": agent.plat,
        "goarch": agent.goarch,
        "has_patches_pending": agent.has_patches_pending,
        "version": agent.version,
        "operating_system": agent.operating_system,
        "public_ip": agent.public_ip,
        **hardware_texts(agent),
        "custom_fields": custom_values(lab, "agent", agent.pk, agent.custom),
        "serial_number": serial_of(agent),
    }


def _logged_username(agent: Agent, status: str) -> str | None:
    """The last user while nobody is logged in and the agent is online, else "-"."""
    if agent.logged_in_username != "None":
        return agent.logged_in_username
    return agent.last_logged_in_user if status == "online" else "-"


def columns(lab: Lab, agent: Agent) -> dict[str, Any]:
    """The model columns shared by the beta rows and the detail."""
    return {
        "version": agent.version,
        "operating_system": agent.operating_system,
        "plat": agent.plat,
        "goarch": agent.goarch,
        "hostname": agent.hostname,
        "agent_id": agent.agent_id,
        "last_seen": iso(agent.last_seen(lab.clock.now())),
        "services": services_of(agent, lab.options.row_kb),
        "public_ip": agent.public_ip,
        "total_ram": agent.total_ram,
        "disks": agent.disks,
        "boot_time": agent.boot_time,
        "logged_in_username": agent.logged_in_username,
        "last_logged_in_user": agent.last_logged_in_user,
        "monitoring_type": agent.monitoring_type,
        "description": agent.description,
        "mesh_node_id": MESH_NODE,
        "overdue_email_alert": False,
        "overdue_text_alert": False,
        "overdue_dashboard_alert": True,
        "offline_time": agent.offline_time,
        "overdue_time": agent.overdue_time,
        "check_interval": agent.check_interval,
        "needs_reboot": agent.needs_reboot,
        "choco_installed": agent.choco_installed,
        "wmi_detail": wmi_of(agent, lab.options.row_kb),
        "patches_last_installed": iso(agent.patches_last_installed),
        "time_zone": agent.time_zone,
        "maintenance_mode": agent.maintenance_mode,
        "block_policy_inheritance": False,
        "alert_template": lab.template.id,
        "site": agent.site_id,
        "policy": None,
    }


def _audit(agent: Agent) -> dict[str, Any]:
    """Who made and changed the row. Check-ins do not move modified_time."""
    created = iso(agent.created)
    return {"created_by": None, "created_time": created, "modified_by": None, "modified_time": created}


def beta_row(lab: Lab, agent: Agent) -> dict[str, Any]:
    """A row of /beta/v1/agent/: all 40 columns, no status, no serial, no client."""
    shell = {"default_shell": "use_global", "default_shell_custom": ""}
    return {"id": agent.pk, **_audit(agent), **columns(lab, agent), **shell}


def beta_detail(lab: Lab, agent: Agent) -> dict[str, Any]:
    """/beta/v1/agent/<pk>/: computed values added, id and audit columns dropped."""
    return {
        **columns(lab, agent),
        "hex_mesh_node_id": "error",
        "status": lab.status(agent),
        "checks": dict(NO_CHECKS),
        "pending_actions_count": 0,
        **hardware_texts(agent),
        "serial_number": serial_of(agent),
    }


def detail(lab: Lab, agent: Agent) -> dict[str, Any]:
    """/agents/<agent_id>/: neither the integer id nor the serial number."""
    policy = _update_policy(agent)
    nothing = {"agent_policy": None, "site_policy": None, "client_policy": None, "default_policy": None}
    return {
        "winupdatepolicy": [policy],
        "status": lab.status(agent),
        **hardware_texts(agent),
        "checks": dict(NO_CHECKS),
        "timezone": agent.time_zone or "America/Los_Angeles",
        "all_timezones": _timezones(),
        "client": lab.client_of(agent).name,
        "site_name": lab.site_of(agent).name,
        "custom_fields": custom_values(lab, "agent", agent.pk, agent.custom),
        "applied_policies": nothing,
        "effective_patch_policy": policy,
        "effective_default_shell": "cmd" if agent.plat == "windows" else "bash",
        **_audit(agent),
        **columns(lab, agent),
        "default_shell": "use_global",
        "default_shell_custom": "",
        "alert_template": template_row(lab),
    }


@lru_cache(maxsize=1)
def _timezones() -> list[str]:
    """Every zone name: the noise the real answer carries each time."""
    return sorted(available_timezones())


def _update_policy(agent: Agent) -> dict[str, Any]:
    levels = dict.fromkeys(("critical", "important", "moderate", "low", "other"), "inherit")
    return {
        "id": agent.pk,
        **_audit(agent),
        **levels,
        "run_time_hour": 3,
        "run_time_frequency": "inherit",
        "run_time_days": [],
        "run_time_day": 1,
        "reboot_after_install": "inherit",
        "reprocess_failed_inherit": True,
        "reprocess_failed": False,
        "reprocess_failed_times": 5,
        "email_if_fail": False,
        "agent": agent.pk,
        "policy": None,
    }
