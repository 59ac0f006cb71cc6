"""How values look in pages: times, numbers, and what the base template needs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Flask, request, url_for
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import func, select

from reference_psa.db import db, utcnow
from reference_psa.models import Notification
from reference_psa.roles import ROLES, role_allows
from reference_psa.security import current_tenant

_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (30 * 86400, 86400, "d"))


def init_presentation(app: Flask) -> None:
    """Register filters and what every template may use."""
    app.jinja_env.filters["ago"] = ago
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["duration"] = duration
    app.jinja_env.filters["words"] = words
    app.jinja_env.globals["may"] = may
    app.jinja_env.globals["ROLES"] = ROLES
    app.jinja_env.globals["unread_count"] = unread_count
    app.jinja_env.globals["current_tenant"] = current_tenant
    app.jinja_env.globals["psa_navigation"] = navigation


_NAVIGATION = (
    ("Dashboard", "dashboard", "dashboard.index", "speedometer2", None),
    ("Tickets", "tickets", "tickets.index", "ticket-detailed", None),
    ("Clients", "clients", "clients.index", "building", None),
    ("Assets", "assets", "assets.index", "pc-display", None),
    ("Dispatch", "dispatch", "dispatch.index", "calendar3", None),
    ("Settings", "settings", "settings.index", "gear", "psa.settings"),
    ("Integrations", "integrations", "settings.integrations", "plug", "psa.settings"),
)


def navigation() -> list[tuple[str, str, str, bool]]:
    """The PSA's own entries that the user may open: label, address, icon, whether it is where we are."""
    here = "integrations" if request.endpoint == "settings.integrations" else request.blueprint
    return [
        (label, url_for(endpoint), icon, here == section)
        for label, section, endpoint, icon, right in _NAVIGATION
        if right is None or may(right)
    ]


def may(right: str) -> bool:
    """Whether the signed-in user has the right."""
    return current_user.is_authenticated and role_allows(current_user.role, right)


def unread_count() -> int:
    """How many notifications the signed-in user has not read."""
    mine = (Notification.tenant_id == current_user.tenant_id, Notification.user_id == current_user.id)
    query = select(func.count()).select_from(Notification).where(*mine, Notification.read_at.is_(None))
    return db.session.scalar(query) or 0


def moment(value: datetime | None) -> str:
    """The instant to the minute, with its zone."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if value else "–"


def ago(value: datetime | None) -> Markup | str:
    """How long ago, with the exact time in the title."""
    if value is None:
        return "–"
    markup = Markup('<time datetime="{}" title="{}">{}</time>')
    return markup.format(value.isoformat(), moment(value), _distance((utcnow() - value).total_seconds()))


def _distance(seconds: float) -> str:
    size = abs(seconds)
    if size < 5:
        return "just now"
    for limit, unit, name in _STEPS:
        if size < limit:
            text = f"{int(size // unit)} {name}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    months = int(size // (30 * 86400))
    return f"{months} mo ago" if seconds > 0 else f"in {months} mo"


def duration(minutes: int) -> str:
    """Minutes as hours and minutes."""
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def words(value: Any) -> str:
    """A column's name or value as a person reads it."""
    if value is None or value == "":
        return "–"
    plain = str(value).replace("_", " ").capitalize()
    return _WORDS.get(str(value), plain.replace("Rmm ", "RMM "))


_WORDS = {
    "client_id": "Client",
    "rmm_provider": "RMM",
    "rmm_device_id": "RMM device",
    "rmm_organization_id": "RMM organization",
    "serial_number": "Serial number",
    "mac_addresses": "MAC addresses",
    "os_name": "Operating system",
    "os_version": "OS version",
    "cpu_model": "CPU",
    "cpu_percent": "CPU use",
    "cpu_cores": "CPU cores",
    "ram_gb": "Memory",
    "storage_gb": "Storage",
    "at_risk": "At risk",
    "pending_os_patches": "Pending patches of the system",
    "pending_software_patches": "Pending patches of software",
    "lan_ip": "LAN address",
    "wan_ip": "WAN address",
    "asset_type": "Type",
    "tacticalrmm": "Tactical RMM",
    "ninjaone": "NinjaOne",
    "levelio": "Level",
    "rmm": "RMM",
}
