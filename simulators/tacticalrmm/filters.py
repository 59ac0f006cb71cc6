"""Filters of /beta/v1/agent/, with the bugs of the real ones."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

import msgspec
from werkzeug.datastructures import MultiDict

from simulators.tacticalrmm.hardware import services_of
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.models import Agent
from simulators.tacticalrmm.replies import ApiError, Crash

EXACT = ("hostname", "operating_system", "logged_in_username", "last_logged_in_user")
CHOICES = {"plat": ("windows", "linux", "darwin"), "monitoring_type": ("server", "workstation")}
TIMES = ("last_seen_range_after", "last_seen_range_before")
PATCH_TIMES = ("patches_last_installed_range_after", "patches_last_installed_range_before")

Keep = Callable[[Agent], bool]


def filter_agents(lab: Lab, args: MultiDict[str, str]) -> list[Agent]:
    """Agents that pass every known filter; unknown parameters are ignored, empty values too."""
    values = {key: value for key, value in args.items() if value != ""}
    _crash_like_the_real_one(values)
    errors: dict[str, list[str]] = {}
    keeps = _keeps(lab, values, errors)
    if errors:
        raise ApiError(400, errors)
    return [agent for agent in lab.agents() if all(keep(agent) for keep in keeps)]


def _crash_like_the_real_one(values: dict[str, str]) -> None:
    """?agent_id= is a KeyError, and both ends of total_ram_range together are an error as well."""
    if "agent_id" in values:
        raise Crash("pk")
    if "total_ram_range_min" in values and "total_ram_range_max" in values:
        raise Crash("total_ram_range")


def _keeps(lab: Lab, values: dict[str, str], errors: dict[str, list[str]]) -> list[Keep]:
    keeps = [_equals(name, values[name]) for name in EXACT if name in values]
    keeps += [_choice(name, values[name], known, errors) for name, known in CHOICES.items() if name in values]
    keeps += [_number(lab, name, values[name], errors) for name in ("id", "client_id") if name in values]
    related = ("site", "policy", "alert_template")
    keeps += [_related(lab, name, values[name], errors) for name in related if name in values]
    if values.get("needs_reboot", "").lower() in ("true", "false"):
        keeps.append(_equals("needs_reboot", values["needs_reboot"].lower() == "true"))
    if "total_ram_range_min" in values:
        keeps.append(_ram_text(values["total_ram_range_min"]))
    keeps += _time_keeps(lab, values, errors)
    if "search" in values:
        keeps.append(_search(lab, values["search"]))
    return keeps


def _equals(name: str, wanted: Any) -> Keep:
    return lambda agent: bool(getattr(agent, name) == wanted)


def _choice(name: str, value: str, allowed: tuple[str, ...], errors: dict[str, list[str]]) -> Keep:
    if value not in allowed:
        errors[name] = [f"Select a valid choice. {value} is not one of the available choices."]
    return _equals(name, value)


def _number(lab: Lab, name: str, value: str, errors: dict[str, list[str]]) -> Keep:
    """An unknown number gives no rows; text that is no number gives a 400."""
    if not value.lstrip("-").isdigit():
        errors[name] = ["Enter a number."]
        return lambda agent: False
    wanted = int(value)
    if name == "id":
        return _equals("pk", wanted)
    return lambda agent: lab.site_of(agent).client_id == wanted


def _related(lab: Lab, name: str, value: str, errors: dict[str, list[str]]) -> Keep:
    """Foreign keys must exist: an unknown one is a 400, not an empty list."""
    tables: dict[str, Collection[int]] = {"site": lab.fleet.sites, "alert_template": [lab.template.id]}
    known = tables.get(name, ())
    number = int(value) if value.isdigit() else -1
    if number not in known:
        errors[name] = ["Select a valid choice. That choice is not one of the available choices."]
    return (lambda agent: agent.site_id == number) if name == "site" else (lambda agent: True)


def _ram_text(value: str) -> Keep:
    """The real filter compares text: min=1 finds 1, 16 and 128."""
    return lambda agent: str(agent.total_ram or "").startswith(value)


def _time_keeps(lab: Lab, values: dict[str, str], errors: dict[str, list[str]]) -> list[Keep]:
    now = lab.clock.now()
    keeps: list[Keep] = []
    for name in (*TIMES, *PATCH_TIMES):
        if name not in values:
            continue
        moment = _moment(values[name])
        if moment is None:
            errors[name.rpartition("_")[0]] = ["Enter a valid date/time."]
            continue
        keeps.append(_time_keep(name, moment, now))
    return keeps


def _time_keep(name: str, moment: datetime, now: datetime) -> Keep:
    return lambda agent: _in_time(agent, name in TIMES, name.endswith("_after"), moment, now)


def _in_time(agent: Agent, seen: bool, after: bool, moment: datetime, now: datetime) -> bool:
    value = agent.last_seen(now) if seen else agent.patches_last_installed
    if value is None:
        return False
    return value >= moment if after else value <= moment


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _search(lab: Lab, text: str) -> Keep:
    """In the hostname or anywhere in the JSON text of the services."""
    needle = text.lower()

    def keep(agent: Agent) -> bool:
        services = msgspec.json.encode(services_of(agent, lab.options.row_kb)).decode().lower()
        return needle in agent.hostname.lower() or needle in services

    return keep
