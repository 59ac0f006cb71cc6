"""/v1/agents with the isolation of hosts."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from simulators.huntress import isolation, names
from simulators.huntress.endpoints import Action, Address, body, lab, number, reads, the, word
from simulators.huntress.enums import HOST_PLATFORMS
from simulators.huntress.lab import ACCOUNT_ID
from simulators.huntress.models import Agent
from simulators.huntress.paging import listing
from simulators.huntress.replies import iso, refusal

Row = dict[str, Any]


def agent_row(one: Agent) -> Row:
    """The agent as the API tells it; a host that calls back did so within the last minute."""
    now = lab().now()
    seen = now - one.id % 50 if one.silent_since is None else one.silent_since
    return {
        "id": one.id,
        "account_id": ACCOUNT_ID,
        "arch": one.arch,
        "created_at": iso(one.created),
        "domain_name": one.domain,
        "edr_version": one.edr_version,
        "external_ip": one.external_ip,
        "hostname": one.hostname,
        **_defender(one),
        "firewall_status": isolation.status_of(lab(), one),
        "tamper_protection_configured": one.platform == "windows" or None,
        "tamper_protection_actual": one.platform == "windows" or None,
        "ipv4_address": one.ipv4,
        "last_callback_at": iso(seen),
        "last_survey_at": iso(seen) if one.defender else None,
        "mac_addresses": one.macs,
        "service_pack_major": 0,
        "service_pack_minor": 0,
        "organization_id": one.organization_id,
        "os": one.os,
        **_version_of_os(one),
        "platform": one.platform,
        "serial_number": one.serial,
        "tags": one.tags,
        "updated_at": iso(one.updated),
        "version": one.version,
        "version_number": 917606,
    }


def _defender(one: Agent) -> Row:
    found = next((row for row in names.DEFENDER if row[1] == one.defender), (None, None, None))
    keys = ("defender_policy_status", "defender_status", "defender_substatus")
    return dict(zip(keys, found, strict=True))


def _version_of_os(one: Agent) -> Row:
    windows = one.platform == "windows"
    return {
        "os_build_version": one.build,
        "os_major": 10 if windows else 14,
        "os_minor": 0,
        "os_patch": None if windows else 1,
        "win_build_number": int(one.build) if windows and one.build else None,
    }


def agents() -> Row:
    """Narrowed by organization, platform, hostname, operating system and version."""
    platform, organization_id = word("platform", HOST_PLATFORMS), number("organization_id")
    wanted = {name: request.args[name] for name in ("hostname", "os", "version") if request.args.get(name)}
    rows = [
        one
        for one in lab().fleet.agents.values()
        if organization_id in (None, one.organization_id)
        and platform in (None, one.platform)
        and all(getattr(one, name) == value for name, value in wanted.items())
    ]
    return listing("agents", rows, agent_row)


def agent(agent_id: int) -> Row:
    """One of them."""
    return {"agent": agent_row(the(lab().fleet.agents, agent_id, "Agent"))}


def isolate(agent_id: int) -> Row:
    """Cut the host off, which takes hold later."""
    body()
    found = the(lab().fleet.agents, agent_id, "Agent")
    if not isolation.isolate(lab(), found):
        raise refusal(409, "Agent does not support host isolation, or isolation could not be scheduled")
    return {"agent": agent_row(found)}


def release(agent_id: int) -> Response:
    """Let the host back, which takes hold later."""
    if not isolation.release(lab(), the(lab().fleet.agents, agent_id, "Agent")):
        raise refusal(409, "Agent does not support host isolation, or release could not be scheduled")
    return Response(status=204)


ADDRESSES = [
    reads("/agents", agents),
    reads("/agents/<int:agent_id>", agent),
    Address(
        "/agents/<int:agent_id>/isolation",
        {"POST": Action(isolate, writes=True, status=201), "DELETE": Action(release, writes=True)},
    ),
]
