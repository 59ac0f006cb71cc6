"""What there is to choose from for an input that names something: the host's people and boards, a chat
service's channels.

Alerts, tickets, assets and devices are too many for a list, and mean the thing a workflow is about: they are
named by expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.actions import FormField
from rmm_extension.domain.messaging import ConversationKind
from rmm_extension.host import Actor, Status
from rmm_extension.models import TeamsConversation, TeamsUserLink
from rmm_extension.services.context import Rmm

Options = Sequence[tuple[str, str]]
"""Pairs of a value and what a page says for it."""


def options(
    rmm: Rmm, session: Session, actor: Actor, field: FormField, connection_id: UUID | None = None
) -> Options | None:
    """What may be chosen for the field in the actor's tenant; ``None`` where it is typed freely.

    ``connection_id`` narrows down what a vendor's connection brings.
    """
    pick = _PICKS.get(field.picks or "")
    return None if pick is None else pick(rmm, session, actor.tenant_id, connection_id)


def _users(rmm: Rmm, session: Session, tenant_id: str, _: UUID | None) -> Options | None:
    port = rmm.host.users
    return None if port is None else [(one.id, one.name) for one in port.active(session, tenant_id)]


def _assignees(rmm: Rmm, session: Session, tenant_id: str, _: UUID | None) -> Options | None:
    port = rmm.host.users
    if port is None:
        return None
    return [(one.id, one.name) for one in port.active(session, tenant_id) if one.takes_tickets]


def _technicians(rmm: Rmm, session: Session, tenant_id: str, _: UUID | None) -> Options | None:
    port = rmm.host.schedule
    return None if port is None else [(one.id, one.name) for one in port.technicians(session, tenant_id)]


def _boards(rmm: Rmm, session: Session, tenant_id: str, _: UUID | None) -> Options | None:
    port = rmm.host.catalog
    return None if port is None else [(one.id, one.name) for one in port.boards(session, tenant_id)]


def _priorities(rmm: Rmm, session: Session, tenant_id: str, _: UUID | None) -> Options | None:
    port = rmm.host.catalog
    return None if port is None else [(one.id, one.name) for one in port.priorities(session, tenant_id)]


def _open_statuses(rmm: Rmm, session: Session, tenant_id: str, _: UUID | None) -> Options | None:
    return _statuses(rmm, session, tenant_id, closed=False)


def _closed_statuses(rmm: Rmm, session: Session, tenant_id: str, _: UUID | None) -> Options | None:
    return _statuses(rmm, session, tenant_id, closed=True)


def _statuses(rmm: Rmm, session: Session, tenant_id: str, *, closed: bool) -> Options | None:
    port = rmm.host.catalog
    if port is None:
        return None
    boards = {one.id: one.name for one in port.boards(session, tenant_id)}
    found = [one for one in port.statuses(session, tenant_id) if one.is_closed is closed]
    return [(one.id, _status(one, boards.get(one.board_id or ""))) for one in found]


def _status(status: Status, board: str | None) -> str:
    return f"{board}: {status.name}" if board else status.name


def _clients(rmm: Rmm, session: Session, tenant_id: str, _: UUID | None) -> Options:
    return [(one.id, one.name) for one in rmm.host.clients.search(session, tenant_id)]


def _linked_users(rmm: Rmm, session: Session, tenant_id: str, connection_id: UUID | None) -> Options:
    """The users whose account is linked with the chat service, by name."""
    linked = select(TeamsUserLink.user_id).where(
        TeamsUserLink.tenant_id == tenant_id, TeamsUserLink.person_id.is_not(None)
    )
    if connection_id is not None:
        linked = linked.where(TeamsUserLink.integration_id == connection_id)
    ids = set(session.scalars(linked))
    users = rmm.host.users.get_many(session, tenant_id, ids) if rmm.host.users and ids else {}
    return _by_name((one.id, one.name) for one in users.values() if one.is_active)


def _channels(_: Rmm, session: Session, tenant_id: str, connection_id: UUID | None) -> Options:
    """The channels the bot is known to be in, by team and name; a team's first one has the team's id."""
    row = TeamsConversation
    found = select(row.channel_id, row.channel_name, row.team_id, row.team_name).where(
        row.tenant_id == tenant_id, row.kind == ConversationKind.CHANNEL, row.dead_at.is_(None)
    )
    if connection_id is not None:
        found = found.where(row.integration_id == connection_id)
    named: dict[str, str] = {}
    for channel_id, channel, team_id, team in session.execute(found.order_by(row.seen_at)):
        if value := channel_id or team_id:
            named[value] = f"{team or 'Team'} › {channel or 'General'}"
    return _by_name(named.items())


def _by_name(found: Iterable[tuple[str, str]]) -> Options:
    return sorted(found, key=lambda one: (one[1].casefold(), one[0]))


_PICKS: dict[str, Callable[[Rmm, Session, str, UUID | None], Options | None]] = {
    "user": _users,
    "assignee": _assignees,
    "technician": _technicians,
    "board": _boards,
    "priority": _priorities,
    "open_status": _open_statuses,
    "closed_status": _closed_statuses,
    "client": _clients,
    "teams_user": _linked_users,
    "teams_channel": _channels,
}
