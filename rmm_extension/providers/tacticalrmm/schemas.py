"""What Tactical RMM 1.5.1 sends, as far as we read it. Everything else in a body is skipped unread."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

R = TypeVar("R")


class Site(msgspec.Struct):
    """A site inside ``GET /clients/``."""

    id: int
    name: str = ""
    agent_count: int | None = None


class Client(msgspec.Struct):
    """A row of ``GET /clients/`` or, without sites, of ``GET /beta/v1/client/``."""

    id: int
    name: str = ""
    agent_count: int | None = None
    sites: list[Site] = []


class BetaSite(msgspec.Struct):
    """A row of ``GET /beta/v1/site/``."""

    id: int
    client: int
    name: str = ""


class ShortAgent(msgspec.Struct):
    """A row of ``GET /agents/?detail=false``: the only cheap place with both ids of an agent."""

    id: int
    agent_id: str
    hostname: str = ""
    client: str = ""
    site: str = ""


class CustomValue(msgspec.Struct, gc=False):
    """The value of one custom field; ``field`` is the number in ``GET /core/customfields/``."""

    field: int
    value: Any = None


class CustomField(msgspec.Struct):
    """The definition of a custom field."""

    id: int
    name: str
    model: str = "agent"


class Agent(msgspec.Struct, gc=False):
    """A row of ``GET /agents/``. It has names of client and site, but no numbers of them.

    ``italic`` says that nobody is logged in and ``logged_username`` is the last user instead.
    """

    agent_id: str
    hostname: str | None = None
    site_name: str | None = None
    client_name: str | None = None
    monitoring_type: str | None = None
    status: str | None = None
    last_seen: datetime | None = None
    boot_time: float | None = None
    needs_reboot: bool | None = None
    maintenance_mode: bool | None = None
    has_patches_pending: bool | None = None
    logged_username: str | None = None
    italic: bool | None = None
    version: str | None = None
    plat: str | None = None
    operating_system: str | None = None
    public_ip: str | None = None
    local_ips: str | None = None
    cpu_model: list[str] | str | None = None
    make_model: str | None = None
    serial_number: str | None = None
    custom_fields: list[CustomValue] | None = None


class Volume(msgspec.Struct):
    """A volume; sizes are texts such as ``465.3G`` or ``19.8 GB``."""

    device: str | None = None
    total: str | None = None
    free: str | None = None
    percent: float | None = None


class Bios(msgspec.Struct):
    """``wmi_detail.bios[0][0]`` of Windows."""

    SerialNumber: str | None = None


class Product(msgspec.Struct):
    """``wmi_detail.comp_sys_prod[0][0]`` of Windows."""

    Vendor: str | None = None
    Name: str | None = None


class Adapter(msgspec.Struct):
    """``wmi_detail.network_config[i][j]`` of Windows, the only place with MAC addresses."""

    MACAddress: str | None = None
    Description: str | None = None
    IPAddress: list[str] | None = None


class Processor(msgspec.Struct):
    """``wmi_detail.cpu[i][j]`` of Windows."""

    Name: str | None = None


class Details(msgspec.Struct):
    """``wmi_detail``: the first five are Windows, the others Linux and macOS."""

    bios: list[list[Bios]] = []
    comp_sys_prod: list[list[Product]] = []
    network_config: list[list[Adapter]] = []
    cpu: list[list[Processor]] = []
    cpus: list[str] = []
    serialnumber: str | None = None
    make_model: str | None = None
    local_ips: list[str] = []


class HardwareRow(msgspec.Struct):
    """What a row of ``GET /beta/v1/agent/`` and the answer of ``GET /agents/<agent_id>/`` share."""

    agent_id: str
    hostname: str | None = None
    site: int | None = None
    monitoring_type: str | None = None
    last_seen: datetime | None = None
    boot_time: float | None = None
    needs_reboot: bool | None = None
    maintenance_mode: bool | None = None
    logged_in_username: str | None = None
    last_logged_in_user: str | None = None
    version: str | None = None
    plat: str | None = None
    operating_system: str | None = None
    public_ip: str | None = None
    total_ram: float | None = None
    disks: list[Volume] | None = None
    offline_time: int | None = None
    overdue_time: int | None = None
    wmi_detail: Details | None = None


class AgentDetail(HardwareRow):
    """``GET /agents/<agent_id>/``: has the status, but neither the integer id nor a serial number."""

    status: str | None = None
    site_name: str | None = None
    local_ips: str | None = None
    cpu_model: list[str] | str | None = None
    make_model: str | None = None
    custom_fields: list[CustomValue] | None = None


class BetaPage(msgspec.Struct, Generic[R]):
    """A page of a beta list. ``next`` is only asked whether it is null: its host is not to be trusted."""

    results: R
    count: int = 0
    next: str | None = None


class Alert(msgspec.Struct):
    """An alert. One without an agent lacks the keys ``hostname`` to ``site`` altogether."""

    id: int
    alert_type: str | None = None
    severity: str | None = None
    message: str | None = None
    alert_time: str | None = None
    resolved: bool = False
    resolved_on: str | None = None
    agent_id: str | None = None
    agent: int | None = None
    hostname: str | None = None
    client: str | None = None
    site: str | None = None
    snoozed: bool = False
    snooze_until: str | None = None
    hidden: bool = False
    action_run: str | None = None
    action_retcode: int | None = None
    resolved_action_retcode: int | None = None
    assigned_check: int | None = None
    assigned_task: int | None = None


class AlertsProbe(msgspec.Struct):
    """``PATCH /alerts/ {"top": 1}``."""

    alerts_count: int


class SoftwareItem(msgspec.Struct, gc=False):
    """One product of an agent. Some agents tell only name and version."""

    name: str | int | float | None = None
    version: str | int | float | None = None
    publisher: str | None = None
    size: str | None = None
    location: str | None = None
    install_date: str | None = None


class SoftwareRow(msgspec.Struct):
    """A row of ``GET /software/``, and the answer of ``GET /software/<agent_id>/`` where it is not ``[]``."""

    agent: int
    software: list[SoftwareItem]


class ScriptDetail(msgspec.Struct):
    """A row of ``GET /scripts/``, or the answer of ``GET /scripts/<id>/``. No platforms means all of them."""

    id: int
    name: str = ""
    description: str | None = None
    category: str | None = None
    shell: str | None = None
    args: list[str] | None = None
    env_vars: list[str] | None = None
    supported_platforms: list[str] | None = None
    default_timeout: int | None = None
    run_as_user: bool | None = None
    favorite: bool | None = None
    hidden: bool = False


class ScriptResults(msgspec.Struct):
    """What the agent reported of a script: the only place with its exit code."""

    stdout: str | None = None
    stderr: str | None = None
    retcode: int | None = None
    execution_time: float | str | None = None


class HistoryRow(msgspec.Struct):
    """A row of ``GET /agents/<agent_id>/history/``, written before anything is sent to the agent."""

    id: int
    time: datetime
    type: str = ""
    command: str | None = None
    results: str | None = None
    script_results: ScriptResults | None = None
    script: int | None = None


class Ping(msgspec.Struct):
    """``GET /agents/<agent_id>/ping/``."""

    status: str
