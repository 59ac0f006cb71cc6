"""What a rule may name: what the connection has and brought, and the host's boards, priorities and people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rmm_extension.domain.rule_words import RuleNames
from rmm_extension.domain.values import one_line
from rmm_extension.forms.rules import Options, RuleChoices
from rmm_extension.models import Integration
from rmm_extension.services.queries import rules as queries
from rmm_extension.services.queries.organizations import organizations
from rmm_extension.services.queries.paging import AnyRow

from .abilities import has_routing
from .connection import provider_of
from .context import current_rmm, host_names, session
from .presentation import moment

_SHOWN = 80
"""So many characters of an alert's text stand in a list of alerts."""


def choices(row: Integration, alerts: Sequence[AnyRow]) -> RuleChoices:
    """Everything the editor offers for a rule of this connection, and these alerts to try it on."""
    host, tenant_id = current_rmm().host, row.tenant_id
    seen = queries.seen_values(session(), tenant_id, row.id)
    boards = host.catalog.boards(session(), tenant_id) if host.catalog else []
    users = host.users.active(session(), tenant_id) if host.users else []
    return RuleChoices(
        activity_types=seen.activity_types,
        alert_classes=seen.alert_classes,
        source_types=seen.source_types,
        organizations=_organizations(row),
        boards=[(board.id, board.name) for board in boards] if host.catalog else None,
        priorities=_priorities(tenant_id),
        closed_statuses=_closed(tenant_id, {board.id: board.name for board in boards}),
        users=[(user.id, user.name) for user in users] if host.users else None,
        assignees=[(user.id, user.name) for user in users if user.takes_tickets] if host.users else None,
        alerts=[(str(alert.id), _alert(alert)) for alert in alerts],
        routes=has_routing(provider_of(row)),
    )


def recent(row: Integration) -> Sequence[AnyRow]:
    """The newest alerts, to try a rule on."""
    return queries.recent_alerts(session(), row.tenant_id, row.id)


def names(row: Integration, actions: Iterable[Mapping[str, Any]]) -> RuleNames:
    """What the ids in these rules are called: a fixed number of statements."""
    host, tenant_id = current_rmm().host, row.tenant_id
    catalog = host.catalog
    people = {user for found in actions for user in _people(found)}
    users = host.users.get_many(session(), tenant_id, people) if host.users and people else {}
    return RuleNames(
        organizations={
            found.external_id: found.name for found in organizations(session(), tenant_id, row.id)
        },
        boards=_by_id(catalog.boards(session(), tenant_id)) if catalog else {},
        priorities=_by_id(catalog.priorities(session(), tenant_id)) if catalog else {},
        statuses=_by_id(catalog.statuses(session(), tenant_id)) if catalog else {},
        users=host_names(dict(users)),
    )


def _organizations(row: Integration) -> Options:
    """The organizations, each with its client's name where it is another one."""
    found = organizations(session(), row.tenant_id, row.id)
    ids = {one.client_id for one in found if one.client_id}
    port = current_rmm().host.clients
    clients = host_names(dict(port.get_many(session(), row.tenant_id, ids))) if ids else {}
    return [(one.external_id, _with_client(one.name, clients.get(one.client_id or ""))) for one in found]


def _with_client(name: str, client: str | None) -> str:
    return f"{name} – {client}" if client and client != name else name


def _priorities(tenant_id: str) -> Options | None:
    catalog = current_rmm().host.catalog
    return [(found.id, found.name) for found in catalog.priorities(session(), tenant_id)] if catalog else None


def _closed(tenant_id: str, boards: Mapping[str, str]) -> list[tuple[str, str, str]] | None:
    """The closed statuses under their boards; those of the tenant have none."""
    catalog = current_rmm().host.catalog
    if catalog is None:
        return None
    closed = [status for status in catalog.statuses(session(), tenant_id) if status.is_closed]
    return [(status.id, status.name, boards.get(status.board_id or "", "Any board")) for status in closed]


def _by_id(found: Iterable[Any]) -> dict[str, str]:
    return {one.id: one.name for one in found}


def _people(actions: Mapping[str, Any]) -> list[str]:
    assignee = actions.get("assignToUserId")
    return [*(actions.get("notifyUserIds") or ()), *([assignee] if assignee else [])]


def _alert(alert: AnyRow) -> str:
    shown = one_line(alert.message or "no text", _SHOWN)
    return f"{alert.device_name or 'Unknown device'}: {shown} ({moment(alert.triggered_at)})"
