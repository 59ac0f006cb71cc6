"""What a host puts into its own pages: one call in a template each.

Every slot asks for all it needs in a fixed number of statements, shows only what the signed-in person may
see of their own tenant, and is empty where there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import g, render_template, request, url_for
from markupsafe import Markup

from rmm_extension.domain.connection_states import troubles
from rmm_extension.domain.types import AlertStatus
from rmm_extension.services.queries import alert_detail, devices, panels

from .choices import ACTIVE, NOT_ONLINE, PATCHES, STATUSES, connection_rows, provider_options
from .compliance import in_short
from .context import actor, allows, session
from .happened import happened
from .listing import tickets_of
from .needs import attention_counts
from .opened import opened
from .overview import broken, cards, figures
from .vitals import vitals_of
from .workflow_start import offers

EMPTY = Markup("")
_MANAGED = [("yes", "By an RMM"), ("no", "By hand")]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the host's navigation."""

    label: str
    url: str
    active: bool
    count: int = 0


_NAVIGATION = (
    ("Overview", "overview", "rmm.view"),
    ("Alerts", "alert_list", "rmm.view"),
    ("Needs attention", "attention", "rmm.view"),
    ("Devices", "device_list", "rmm.view"),
    ("Software", "software_list", "rmm.view"),
    ("Compliance", "compliance", "rmm.view"),
    ("Workflows", "workflow_list", "rmm.view"),
    ("Maintenance", "window_list", "rmm.view"),
    ("Jobs", "job_list", "rmm.jobs.view"),
    ("Deliveries", "delivery_list", "rmm.view"),
    ("Connections", "settings", "rmm.view"),
)
_AREAS = {
    "alert_page": "alert_list",
    "alert_run": "alert_list",
    "device_page": "device_list",
    "action_list": "device_list",
    "action_page": "device_list",
    "run_choose": "device_list",
    "run_action": "device_list",
    "devices_open": "device_list",
    "remote_link": "device_list",
    "fleet": "device_list",
    "device_software": "device_list",
    "software_page": "software_list",
    "software_devices": "software_list",
    "asset_software": "software_list",
    "device_patches": "device_list",
    "asset_patches": "device_list",
    "patch_list": "compliance",
    "patch_devices": "compliance",
    "job_page": "job_list",
    "window_new": "window_list",
    "window_page": "window_list",
    "window_delete": "window_list",
    "delivery_page": "delivery_list",
    "delivery_taken": "delivery_list",
    "organizations": "settings",
}


class Slots:
    """The Jinja global ``rmm_slots``."""

    def head(self) -> Markup:
        """Style and script of the extension, once per page; every other slot brings them along."""
        if g.get("rmm_head_given"):
            return EMPTY
        g.rmm_head_given = True
        style = url_for("rmm.static", filename="rmm.css")
        script = url_for("rmm.static", filename="rmm.js")
        return Markup('<link rel="stylesheet" href="{}"><script src="{}" defer></script>').format(
            style, script
        )

    def navigation(self) -> Sequence[Entry]:
        """Entries of the main navigation, each with ``label``, ``url``, ``active`` and ``count``: how many
        things wait there, 0 where nothing does or nothing is counted."""
        here = _area()
        return [
            Entry(label, url_for(f"rmm.{endpoint}"), endpoint == here, _waiting(endpoint))
            for label, endpoint, permission in _NAVIGATION
            if allows(permission)
        ]

    def integration_cards(self, category: str = "rmm") -> Markup:
        """For Settings › Integrations: a card per vendor of the category, ``rmm`` or ``communication``; empty
        where the tenant has none of it."""
        if not allows("rmm.view"):
            return EMPTY
        found = [card for card in cards() if card.category == category]
        broken_ones = broken() if category == "rmm" else {}
        if not found and not broken_ones:
            return EMPTY
        return self._markup("rmm/slots/integration_cards.html", cards=found, broken=broken_ones)

    def asset_panel(self, asset_id: str) -> Markup:
        """On an asset's page, inside a frame of the host: the devices behind it, whatever their vendors, with
        vitals, disks and what may be done; open alerts, software, activity; the workflows people start."""
        if not allows("rmm.view"):
            return EMPTY
        tenant_id = actor().tenant_id
        rows = devices.devices_of_assets(session(), tenant_id, [asset_id])
        if not rows and not offers("asset"):
            return EMPTY
        found = devices.alerts_of_devices(session(), tenant_id, [row.id for row in rows])
        return self._markup(
            "rmm/slots/asset_panel.html",
            asset_id=asset_id,
            devices=rows,
            action=opened(lambda row: row.asset_id == asset_id),
            vitals={row.id: vitals_of(row, row.provider) for row in rows},
            alerts=found,
            tickets=tickets_of(found),
            shown=devices.SHOWN,
            **happened(rows),
        )

    def asset_badges(self, asset_ids: Collection[str]) -> Mapping[str, Markup]:
        """On a list of assets: status, vendors, last sync and active alerts by asset id, for those that have
        a device.

        The status is that of the device seen last; vendors and alerts are those of all. One statement.
        """
        if not allows("rmm.view") or not asset_ids:
            return {}
        found: dict[str, list[Any]] = {}
        for row in devices.devices_of_assets(session(), actor().tenant_id, asset_ids):
            found.setdefault(row.asset_id, []).append(row)
        return {
            asset_id: self._markup(
                "rmm/slots/asset_badge.html",
                device=rows[0],
                providers=list(dict.fromkeys(row.provider for row in rows)),
                loudest=max(rows, key=lambda row: row.active_alerts),
                active=sum(row.active_alerts for row in rows),
            )
            for asset_id, rows in found.items()
        }

    def asset_filters(self) -> Markup:
        """Inside the filter form of a list of assets: selects named ``rmm_managed``, ``agent_status``,
        ``rmm_provider``, ``rmm_alerts`` and ``rmm_patches``; ``asset_conditions`` obeys them."""
        if not allows("rmm.view") or not connection_rows():
            return EMPTY
        options = {
            "rmm_managed": _MANAGED,
            "agent_status": [*STATUSES, *NOT_ONLINE],
            "rmm_provider": provider_options(),
            "rmm_alerts": ACTIVE,
            "rmm_patches": PATCHES,
        }
        return self._markup("rmm/slots/asset_filters.html", options=options)

    def ticket_panel(self, ticket_id: str) -> Markup:
        """On a ticket's page: the devices behind it, its alerts with what may be done, why it is there; the
        workflows people start."""
        if not allows("rmm.view"):
            return EMPTY
        tenant_id = actor().tenant_id
        found = panels.alerts_of_ticket(session(), tenant_id, ticket_id)
        if not found and not offers("ticket"):
            return EMPTY
        linked = panels.devices(session(), tenant_id, {row.device_id for row in found if row.device_id})
        return self._markup(
            "rmm/slots/ticket_panel.html",
            ticket_id=ticket_id,
            shown=panels.SHOWN,
            open_ids=[row.id for row in found if AlertStatus(row.status).is_open],
            alerts=found,
            devices=linked,
            action=opened(lambda row: row.ticket_id == ticket_id),
            history=alert_detail.history_of(session(), tenant_id, [row.id for row in found], limit=30),
        )

    def dashboard(self) -> Markup:
        """On the host's dashboard: open alerts, noise, what needs attention, devices, compliance, broken
        connections."""
        if not allows("rmm.view"):
            return EMPTY
        rows = connection_rows()
        if not rows:
            return EMPTY
        return self._markup(
            "rmm/slots/dashboard.html",
            **figures(),
            compliance=in_short(),
            troubled=[row for row in rows if troubles(row.state)],
        )

    def _markup(self, template: str, **values: Any) -> Markup:
        return self.head() + Markup(render_template(template, **values))  # noqa: S704 - Jinja escaped it


def _waiting(endpoint: str) -> int:
    return attention_counts().total if endpoint == "attention" else 0


def _area() -> str:
    """The navigation entry that the present page belongs to."""
    endpoint = request.endpoint or ""
    name = endpoint.removeprefix("rmm.") if endpoint.startswith("rmm.") else ""
    if name.startswith(("connection", "connect", "setup", "oauth")):
        return "settings"
    if name.startswith("workflow"):
        return "workflow_list"
    return _AREAS.get(name, name)
