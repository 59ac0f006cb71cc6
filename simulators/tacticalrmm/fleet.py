"""The fleet: clients, sites, agents and custom fields, the same for the same seed."""

from __future__ import annotations

import random
import string
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from simulators.tacticalrmm import names
from simulators.tacticalrmm.models import Agent, Client, CustomField, Hardware, Site

CUSTOM_FIELDS = [
    CustomField(1, "agent", "text", "PSA Asset Tag"),
    CustomField(2, "agent", "datetime", "Warranty Ends"),
    CustomField(3, "agent", "checkbox", "Backed Up"),
    CustomField(4, "agent", "multiple", "Duties", ["AD", "SQL", "Files"]),
    CustomField(5, "client", "text", "PSA Company ID"),
    CustomField(6, "site", "single", "Support Tier", ["Gold", "Silver"]),
]


@dataclass(frozen=True)
class FleetOptions:
    """Size and shape of the fleet."""

    agents: int = 120
    clients: int = 12
    seed: int = 7
    row_kb: int = 6


@dataclass
class Fleet:
    """The generated rows, by primary key."""

    options: FleetOptions
    clients: dict[int, Client] = field(default_factory=dict)
    sites: dict[int, Site] = field(default_factory=dict)
    agents: dict[int, Agent] = field(default_factory=dict)


def build_fleet(options: FleetOptions, now: datetime) -> Fleet:
    """Generate the fleet. Times are relative to `now`; everything else depends on the options only."""
    fleet = Fleet(options)
    picker = random.Random(options.seed)
    _add_clients(fleet, picker, now)
    reinstalls = options.agents // 50
    for pk in range(1, options.agents - reinstalls + 1):
        fleet.agents[pk] = new_agent(fleet, picker, pk, now)
    _add_reinstalls(fleet, picker, now, reinstalls)
    return fleet


def new_agent_id(picker: random.Random) -> str:
    """40 letters, as the installer makes them."""
    return "".join(picker.choices(string.ascii_letters, k=40))


def _add_clients(fleet: Fleet, picker: random.Random, now: datetime) -> None:
    created = now - timedelta(days=400)
    for client_id in range(1, fleet.options.clients + 1):
        base = names.CLIENTS[(client_id - 1) % len(names.CLIENTS)]
        name = base if client_id <= len(names.CLIENTS) else f"{base} {client_id}"
        client = Client(client_id, name, created, {"PSA Company ID": f"CO-{2000 + client_id}"})
        fleet.clients[client_id] = client
        _add_sites(fleet, picker, client)


def _add_sites(fleet: Fleet, picker: random.Random, client: Client) -> None:
    """Two to five sites; the first is mostly "Main Office", so that names repeat across clients."""
    rest = picker.sample(names.SITES[1:], k=picker.randint(1, 4))
    for name in [names.SITES[0], *rest]:
        site_id = len(fleet.sites) + 1
        custom = {"Support Tier": "Gold"} if site_id % 2 else {}
        fleet.sites[site_id] = Site(site_id, name, client.id, client.created, custom)


def new_agent(fleet: Fleet, picker: random.Random, pk: int, now: datetime, plat: str | None = None) -> Agent:
    """A random agent. Every fortieth one was installed but never checked in."""
    plat = plat or _platform(pk)
    kind = (
        "server" if picker.random() < {"windows": 0.3, "linux": 0.9, "darwin": 0.0}[plat] else "workstation"
    )
    agent = Agent(
        pk=pk,
        agent_id=new_agent_id(picker),
        hostname=_hostname(picker, plat, kind),
        site_id=picker.choice(list(fleet.sites)),
        plat=plat,
        monitoring_type=kind,
        created=now - timedelta(days=picker.randint(5, 300)),
        operating_system=_operating_system(picker, plat, kind),
        goarch="arm64" if plat == "darwin" else "amd64",
        public_ip=picker.choice(names.PUBLIC_IPS),
        total_ram=picker.choice([4, 8, 16, 32, 64]),
        disks=_disks(picker, plat),
        boot_time=round(now.timestamp() - picker.uniform(3600, 40 * 86400), 6),
        logged_in_username="None" if picker.random() < 0.25 else picker.choice(names.USERS),
        last_logged_in_user=picker.choice(names.USERS),
        description=picker.choice(names.DESCRIPTIONS),
        time_zone=picker.choice(names.TIME_ZONES),
        patches_last_installed=now - timedelta(days=picker.randint(1, 60)) if plat == "windows" else None,
        hardware=_hardware(picker, plat),
        choco_installed=plat == "windows" and picker.random() < 0.4,
        custom=_custom_values(picker, pk),
    )
    _vary(agent, picker, now)
    return agent


def _platform(pk: int) -> str:
    """80 % Windows, 12 % Linux, 8 % macOS, in small fleets too."""
    place = pk * 7 % 25
    return "linux" if place < 3 else "darwin" if place < 5 else "windows"


def _vary(agent: Agent, picker: random.Random, now: datetime) -> None:
    """Set the flags, the intervals and how long the agent has been silent."""
    agent.needs_reboot = picker.random() < 0.15
    agent.has_patches_pending = agent.plat == "windows" and picker.random() < 0.3
    agent.maintenance_mode = picker.random() < 0.05
    agent.offline_time = picker.choice([4, 4, 4, 4, 10, 2])
    agent.overdue_time = picker.choice([30, 30, 30, 60, 1440])
    silent = agent.pk * 11 % 24
    if agent.pk % 50 == 21:
        agent.hostname = f"{agent.hostname}-{'X' * 48}"
    if agent.pk % 40 == 17:
        _never_checked_in(agent)
    elif silent < 3:
        agent.silent_since = now - timedelta(days=picker.randint(2, 90), seconds=picker.randint(0, 86400))
    elif silent == 3:
        agent.silent_since = now - timedelta(minutes=agent.offline_time + 5)


def _never_checked_in(agent: Agent) -> None:
    agent.never_seen = True
    agent.hardware = None
    agent.operating_system = agent.goarch = agent.public_ip = agent.logged_in_username = None
    agent.total_ram = agent.disks = agent.boot_time = agent.last_logged_in_user = None


def _hostname(picker: random.Random, plat: str, kind: str) -> str:
    if plat == "darwin":
        return f"{picker.choice(['Ana', 'Tom', 'Mei'])}s-MacBook-{picker.randint(2, 99)}.local"
    if plat == "linux":
        return f"{picker.choice(['web', 'db', 'proxy'])}-{picker.randint(1, 99):02d}"
    tail = "".join(picker.choices(string.ascii_uppercase + string.digits, k=6))
    return f"{picker.choice(names.PREFIXES[kind])}-{tail}"


def _operating_system(picker: random.Random, plat: str, kind: str) -> str:
    if plat == "windows":
        return picker.choice(names.WINDOWS[kind])
    if plat == "linux":
        return picker.choice(["Ubuntu 24.04 x86_64 6.8.0-40-generic", "Debian 12 x86_64 6.1.0-22-amd64"])
    return "Darwin 14.6 arm64 23.6.0"


def _disks(picker: random.Random, plat: str) -> list[dict[str, Any]]:
    """Disks with sizes as text: `465.3G` on Windows, `19.8 GB` elsewhere."""
    total = picker.choice([119.2, 237.9, 465.3, 931.5])
    percent = picker.randint(8, 97)
    used = round(total * percent / 100, 1)
    unit = "G" if plat == "windows" else " GB"
    device, fstype = {
        "windows": ("C:", "NTFS"),
        "linux": ("/dev/sda1", "ext4"),
        "darwin": ("/dev/disk1s1", "apfs"),
    }[plat]
    sizes = {"free": f"{round(total - used, 1)}{unit}", "used": f"{used}{unit}", "total": f"{total}{unit}"}
    return [{**sizes, "device": device, "fstype": fstype, "percent": percent}]


def _hardware(picker: random.Random, plat: str) -> Hardware:
    make, model = picker.choice(names.MACHINES)
    serial: str | None = "".join(picker.choices(string.ascii_uppercase + string.digits, k=8))
    if plat != "darwin" and picker.random() < 0.15:
        serial = picker.choice(names.JUNK_SERIALS)
    if plat == "linux" and picker.random() < 0.4:
        serial = None
    ip = f"10.{picker.randint(1, 40)}.{picker.randint(0, 254)}.{picker.randint(2, 254)}"
    link_local = f"fe80::{picker.randint(1, 9999)}:{picker.randint(1, 9999)}"
    return Hardware(
        serial=serial,
        uuid=str(uuid.UUID(int=picker.getrandbits(128), version=4)).upper(),
        make="Apple" if plat == "darwin" else make,
        model="MacBookPro18,3" if plat == "darwin" else model,
        cpu="Apple M2" if plat == "darwin" else picker.choice(names.CPUS),
        graphics=[] if plat == "darwin" else [picker.choice(names.GRAPHICS)],
        drives=["Example NVMe 512 953GB NVMe" if plat == "windows" else "Example SSD disk0 465.8 GB"],
        macs=[_mac(picker) for _ in range(picker.randint(1, 2))],
        ips=[ip] if plat == "windows" else [f"{ip}/24", f"{link_local}/64"],
    )


def _mac(picker: random.Random) -> str:
    return ":".join(f"{byte:02X}" for byte in [0x02, *picker.choices(range(256), k=5)])


def _custom_values(picker: random.Random, pk: int) -> dict[str, Any]:
    """Values of custom fields; text fields may be set but empty, and many agents have none."""
    values: dict[str, Any] = {}
    if picker.random() < 0.6:
        values["PSA Asset Tag"] = "" if picker.random() < 0.2 else f"TAG-{pk:05d}"
    if picker.random() < 0.5:
        values["Backed Up"] = picker.random() < 0.7
    return values


def _add_reinstalls(fleet: Fleet, picker: random.Random, now: datetime, count: int) -> None:
    """About one agent in fifty has an older row of the same machine that was never cleaned up."""
    sources = [a for a in fleet.agents.values() if a.hardware and not a.silent_since]
    for source in picker.sample(sources, k=min(count, len(sources))):
        pk = max(fleet.agents) + 1
        old = replace(source, pk=pk, agent_id=new_agent_id(picker), custom={})
        old.silent_since = now - timedelta(days=picker.randint(30, 200))
        fleet.agents[pk] = old
