"""The routing of a connection, as an administrator chooses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy import ColumnElement, and_, false, or_, type_coerce
from sqlalchemy.dialects.postgresql import JSONB, array
from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.routing import load_routing
from rmm_extension.domain.contracts.strict import problems
from rmm_extension.domain.errors import Invalid
from rmm_extension.domain.routing import NEEDED, SETTING, Routing, read_routing
from rmm_extension.host import Actor
from rmm_extension.models import Integration

from . import connections, outbox
from .context import Rmm

TOPIC = "routing_saved"
_BY_SEVERITY = "priorityBySeverity"


class RoutingInvalid(Invalid):
    """A routing that cannot be kept."""


def save_routing(
    rmm: Rmm, session: Session, actor: Actor, integration_id: UUID, changes: Mapping[str, Any]
) -> tuple[str, ...]:
    """Merge what is given into the connection's routing, under its row's lock; ``None`` takes a choice away.
    Returns what it still lacks, in words.

    The very next event obeys it, and alerts that waited for a whole routing are decided. Raises
    :class:`RoutingInvalid` with a sentence for each id that the host does not have.
    """
    row = connections.get(session, actor.tenant_id, integration_id, lock=True)
    kept = _merged(row.settings.get(SETTING) or {}, changes)
    if errors := _wrong_ids(rmm, session, actor.tenant_id, kept):
        raise RoutingInvalid(errors)
    connections.save_settings(session, actor, integration_id, {SETTING: kept})
    missing = lacks(rmm, row.provider, read_routing({SETTING: kept}))
    if not missing:
        outbox.put(session, actor.tenant_id, TOPIC, {"integration_id": str(integration_id)})
    return missing


def lacks(rmm: Rmm, provider: str, routing: Routing) -> tuple[str, ...]:
    """What the routing of a connection to this vendor still lacks, in words."""
    severities = rmm.providers.get(provider).manifest.routed_severities
    return routing.lacks(severities, has_catalog=rmm.host.catalog is not None)


def is_whole(rmm: Rmm) -> ColumnElement[bool]:
    """The same as a routing that lacks nothing, asked of the connection's row."""
    routing = type_coerce(Integration.settings[SETTING], JSONB)
    if rmm.host.catalog is None:
        return and_(routing.has_key("fallbackClientId"))
    priorities = type_coerce(routing[_BY_SEVERITY], JSONB)
    rated = [
        and_(Integration.provider == manifest.key, priorities.has_all(array(manifest.routed_severities)))
        for manifest in (provider.manifest for provider in rmm.providers.all())
        if manifest.routes_alerts
    ]
    return and_(routing.has_all(array(NEEDED)), or_(false(), *rated))


def _merged(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**stored, **changes}
    if _BY_SEVERITY in changes:
        merged[_BY_SEVERITY] = {**(stored.get(_BY_SEVERITY) or {}), **changes[_BY_SEVERITY]}
    try:
        return load_routing(merged)
    except ValidationError as error:
        raise RoutingInvalid(problems(error)) from error


def _wrong_ids(rmm: Rmm, session: Session, tenant_id: str, kept: Mapping[str, Any]) -> dict[str, list[str]]:
    """The sentences for each id that is not the host's, by dotted path."""
    wrong = {
        **_wrong_catalog(rmm, session, tenant_id, kept),
        **_wrong_categories(rmm, session, tenant_id, kept),
    }
    client = kept.get("fallbackClientId")
    found = rmm.host.clients.get_many(session, tenant_id, [client]) if client else {}
    if client and not (client in found and found[client].is_active):
        wrong["fallbackClientId"] = _GONE.format("client")
    return {path: [sentence] for path, sentence in wrong.items()}


_GONE = "This {} does not exist (any more). Choose another one."


def _wrong_catalog(rmm: Rmm, session: Session, tenant_id: str, kept: Mapping[str, Any]) -> dict[str, str]:
    if rmm.host.catalog is None:
        return {}
    boards = {found.id for found in rmm.host.catalog.boards(session, tenant_id)}
    priorities = {found.id for found in rmm.host.catalog.priorities(session, tenant_id)}
    wrong = {
        name: _GONE.format("board")
        for name in ("boardId", "fallbackBoardId")
        if name in kept and kept[name] not in boards
    }
    by_severity = kept.get(_BY_SEVERITY, {})
    gone = [severity for severity, priority in by_severity.items() if priority not in priorities]
    return {**wrong, **{f"{_BY_SEVERITY}.{severity}": _GONE.format("priority") for severity in gone}}


def _wrong_categories(rmm: Rmm, session: Session, tenant_id: str, kept: Mapping[str, Any]) -> dict[str, str]:
    category, subcategory = kept.get("categoryId"), kept.get("subcategoryId")
    if rmm.host.categories is None or not (category or subcategory):
        return {}
    parents = {one.id: one.parent_id for one in rmm.host.categories.active(session, tenant_id)}
    wrong = {}
    if category and parents.get(category, category) is not None:
        wrong["categoryId"] = _GONE.format("category")
    if subcategory and (subcategory not in parents or parents[subcategory] != category):
        wrong["subcategoryId"] = "This is no subcategory of the chosen category. Choose another one."
    return wrong
