"""The fleet: organizations and agents, the same for the same seed."""

from __future__ import annotations

import random
import re
import string
from dataclasses import dataclass, field, replace

from simulators.common.companies import COMPANIES
from simulators.huntress import names
from simulators.huntress.models import Agent, Organization
from simulators.ninjaone.fleet import Twin

FIRST_ORGANIZATION = 21
FIRST_AGENT = 5001
DAY = 86400.0
TWIN_PLATFORMS = {
    "WINDOWS_SERVER": ("windows", "server"),
    "WINDOWS_WORKSTATION": ("windows", "windows"),
    "LINUX_SERVER": ("linux", "linux"),
    "LINUX_WORKSTATION": ("linux", "linux"),
    "MAC": ("darwin", "darwin"),
}
"""By the class that NinjaOne gives a machine: its platform, and the list of its operating systems."""


@dataclass(frozen=True)
class FleetOptions:
    """Size and shape of the fleet. `twins`, machines other vendors see too, come on top of `agents`."""

    agents: int = 90
    organizations: int = 12
    seed: int = 7
    twins: tuple[Twin, ...] = ()


@dataclass
class Fleet:
    """The generated rows, by id, in the order of their ids."""

    options: FleetOptions
    organizations: dict[int, Organization] = field(default_factory=dict)
    agents: dict[int, Agent] = field(default_factory=dict)

    def agents_of(self, organization_id: int) -> list[Agent]:
        """Agents of an organization."""
        return [one for one in self.agents.values() if one.organization_id == organization_id]


def build_fleet(options: FleetOptions, now: float) -> Fleet:
    """Generate the fleet. Times are relative to `now`; everything else depends on the options only."""
    fleet = Fleet(options)
    picker = random.Random(options.seed)
    companies = [_company(number) for number in range(options.organizations)]
    for number, company in enumerate(companies):
        made = new_organization(FIRST_ORGANIZATION + number, names.NAMED.get(company, company), now)
        made.identities, made.tenant_id = picker.randint(0, 60), _tenant(picker)
        fleet.organizations[made.id] = made
    homes = list(fleet.organizations)
    for number in range(options.agents if homes else 0):
        made_agent = new_agent(picker, FIRST_AGENT + number, picker.choice(homes), _kind(number), now)
        fleet.agents[made_agent.id] = made_agent
    _share_hostnames(fleet)
    for twin in options.twins:
        if twin.organization in companies and twin.node_class in TWIN_PLATFORMS:
            _add_twin(fleet, picker, twin, FIRST_ORGANIZATION + companies.index(twin.organization), now)
    return fleet


def _company(number: int) -> str:
    base = COMPANIES[number % len(COMPANIES)]
    return base if number < len(COMPANIES) else f"{base} {number + 1}"


def new_organization(organization_id: int, name: str, now: float) -> Organization:
    """An organization of that name."""
    created = now - 400 * DAY
    key = re.sub(r"[^a-z0-9]+", "", name.lower())
    recipients = [f"security@{key}.example"] if organization_id % 3 else []
    return Organization(organization_id, name, key, created, created + 30 * DAY, recipients)


def _tenant(picker: random.Random) -> str | None:
    digits = "".join(picker.choices("0123456789abcdef", k=32))
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return "-".join(parts) if picker.random() < 0.6 else None


def _kind(number: int) -> str:
    """Two of three are Windows workstations, every sixth a server, and some Macs and Linux hosts."""
    return ("windows", "windows", "windows", "server", "windows", "darwin", "windows", "linux")[number % 8]


def new_agent(picker: random.Random, agent_id: int, organization_id: int, kind: str, now: float) -> Agent:
    """A random agent; `kind` is a platform or `server`."""
    created = now - picker.uniform(5, 300) * DAY
    os, build = picker.choice(names.OSES[kind])
    platform = "windows" if kind == "server" else kind
    agent = Agent(
        id=agent_id,
        organization_id=organization_id,
        hostname=_hostname(picker, kind),
        platform=platform,
        os=os,
        created=created,
        updated=now - picker.uniform(0, 3) * DAY,
        serial="".join(picker.choices(string.ascii_uppercase + string.digits, k=8)),
        arch="arm64" if kind == "darwin" else "x86_64",
        ipv4=f"10.{picker.randint(1, 40)}.{picker.randint(0, 254)}.{picker.randint(2, 254)}",
        external_ip=picker.choice(names.PUBLIC_IPS),
        macs=[_mac(picker) for _ in range(picker.randint(1, 2))],
        build=build,
    )
    _vary(agent, picker, now)
    return agent


def _hostname(picker: random.Random, kind: str) -> str:
    prefix = picker.choice(names.PREFIXES[kind])
    if kind in ("linux", "darwin"):
        return f"{prefix}-{picker.randint(1, 99):02d}"
    return f"{prefix}-{''.join(picker.choices(string.ascii_uppercase + string.digits, k=6))}"


def _mac(picker: random.Random) -> str:
    return ":".join(f"{byte:02x}" for byte in [0x02, *picker.choices(range(256), k=5)])


def _vary(agent: Agent, picker: random.Random, now: float) -> None:
    """Hosts that are silent, lack things, or report less than others."""
    number = agent.id
    if agent.platform == "windows":
        agent.defender = picker.choice([one[1] for one in names.DEFENDER])
        agent.domain = picker.choice(names.DOMAINS)
    else:
        agent.domain = None
    if number % 9 == 4:
        agent.silent_since = now - picker.uniform(1, 60) * DAY
    if number % 11 == 3:
        agent.serial = picker.choice(names.JUNK_SERIALS)
    if number % 13 == 5:
        agent.serial, agent.external_ip, agent.edr_version = None, None, None
    if number % 7 == 2:
        agent.tags = picker.sample(names.TAGS, k=2)
    agent.isolatable = number % 15 != 6


def _share_hostnames(fleet: Fleet) -> None:
    """Here and there two machines of an organization have one name; their serial numbers tell them apart."""
    for organization_id in list(fleet.organizations)[::3]:
        windows = [one for one in fleet.agents_of(organization_id) if one.platform == "windows"]
        if len(windows) > 1:
            windows[1].hostname = windows[0].hostname


def _add_twin(fleet: Fleet, picker: random.Random, twin: Twin, organization_id: int, now: float) -> None:
    platform, kind = TWIN_PLATFORMS[twin.node_class]
    agent_id = max(fleet.agents, default=FIRST_AGENT - 1) + 1
    made = new_agent(picker, agent_id, organization_id, kind, now)
    fleet.agents[agent_id] = replace(
        made,
        platform=platform,
        hostname=twin.name,
        serial=twin.serial,
        macs=[one.lower() for one in twin.macs] or made.macs,
        silent_since=None,
        isolatable=True,
    )
