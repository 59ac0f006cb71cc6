"""What filters offer: connections, clients and fixed words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from flask import g

from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.types import AgentStatus, AlertStatus, DeviceKind, Severity
from rmm_extension.services.queries import connections
from rmm_extension.services.queries.device_filter import NEVER, UNTOLD
from rmm_extension.services.queries.device_patches import SEVERITIES as SEVERITY_WORDS
from rmm_extension.services.queries.paging import AnyRow

from .context import actor, current_rmm, session
from .narrowing import Options
from .presentation import connection_label, words

STATES: Options = [("open", "Open"), *((state.value, words(state.value)) for state in AlertStatus)]
SEVERITIES: Options = [(severity.value, words(severity.value)) for severity in Severity]
STATUSES: Options = [(status.value, words(status.value)) for status in AgentStatus]
NOT_ONLINE: Options = [("not_online", "Not online")]
MANAGED: Options = [
    ("asset", "Has an asset"),
    ("none", "Has no asset"),
    ("unmapped", "Client not mapped"),
]
PATCHES: Options = [("yes", "Pending"), ("no", "None pending"), ("unknown", "Not known")]
PATCHES_OF: Options = [
    ("yes", "Pending"),
    ("os", "OS patches pending"),
    ("software", "Software patches pending"),
    ("failed", "Failed"),
    *PATCHES[1:],
]
PATCH_KINDS: Options = [("os", "Operating system"), ("software", "Software")]
PATCH_SEVERITIES: Options = [(one, words(one)) for one in SEVERITY_WORDS]
ANTIVIRUS: Options = [
    ("at_risk", "At risk"),
    ("unknown", "Unknown"),
    ("protected", "Protected"),
    (UNTOLD, "Not available"),
]
OLD_SCAN: Options = [("old", "Over 14 days old")]
REBOOT: Options = [("yes", "Needed"), ("no", "Not needed"), ("unknown", "Not known")]
MISSING: Options = [("once", "Not in the last list"), ("missing", "Missing at the vendor")]
ACTIVE: Options = [("active", "Active ones")]
YES: Options = [("1", "Yes")]
UNSEEN: Options = [
    ("7d", "Over 7 days ago"),
    ("30d", "Over 30 days ago"),
    ("90d", "Over 90 days ago"),
    ("never", "Never"),
]
KINDS: Options = [(kind.value, words(kind.value)) for kind in DeviceKind]
TIMES: Options = [
    ("1h", "Last hour"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
]
_SPANS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}


def since(choice: str | None) -> datetime | None:
    """The instant a choice of :data:`TIMES` reaches back to."""
    return datetime.now(UTC) - _SPANS[choice] if choice in _SPANS else None


def unseen(choice: str | None) -> timedelta | None:
    """How long a device was not seen, by a choice of :data:`UNSEEN`."""
    if choice == "never":
        return NEVER
    return timedelta(days=int(choice.removesuffix("d"))) if choice else None


def connection_options() -> Options:
    """The tenant's connections by id."""
    return [(str(row.id), connection_label(row.provider, row.name)) for row in connection_rows()]


def provider_options() -> Options:
    """The vendors the tenant has connections to."""
    return [(key, provider_label(key)) for key in dict.fromkeys(row.provider for row in connection_rows())]


def connection_rows() -> Sequence[AnyRow]:
    """The tenant's connections, read once per request."""
    if "rmm_connections" not in g:
        g.rmm_connections = connections.names(session(), actor().tenant_id)
    return cast("Sequence[AnyRow]", g.rmm_connections)


def client_options(chosen: str | None = None) -> Options:
    """The clients that organizations are mapped to, and the chosen one, by name."""
    tenant_id = actor().tenant_id
    ids = {*connections.client_ids(session(), tenant_id), *([chosen] if chosen else [])}
    found = current_rmm().host.clients.get_many(session(), tenant_id, sorted(ids)) if ids else {}
    return sorted(((key, client.name) for key, client in found.items()), key=lambda pair: pair[1].casefold())
