"""Telling users of the host something, by the host's own ways and their preferences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from marshmallow import fields
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ErrorCode, Order, Outcome, failed, succeeded
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, Choice, Texts, says
from rmm_extension.domain.contracts.strict import Strict, Text
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host import Notice
from rmm_extension.services import notices
from rmm_extension.services.context import Rmm
from rmm_extension.workflows.pack import Pack, StepContext

KEY = "core:notifications"
MOST_USERS = 50


class NotifyUsers(Strict):
    """Whom, and what they are told."""

    user_ids = Texts(MOST_USERS, 255, fewest=1, required=True, metadata=says("Users", picks="user"))
    title = Text(200, required=True, metadata=says("Title"))
    message = Text(2000, trimmed=False, required=True, metadata=says("Message"))
    level = Choice(
        (("info", "Information"), ("warning", "Warning"), ("error", "Error")),
        load_default="info",
        metadata=says("Kind"),
    )


class Notified(Strict):
    """Who was told; ``missing_user_ids`` are gone, inactive, or such that the host refused."""

    notified = fields.Integer(required=True, metadata={"label": "How many were told"})
    user_ids = fields.List(fields.String(), required=True, metadata={"label": "Users told"})
    missing_user_ids = fields.List(fields.String(), required=True, metadata={"label": "Users not told"})


def notify_users(context: StepContext, order: Order) -> Outcome:
    """Tell each of them once. One who cannot be told keeps nobody else from it."""
    wanted = list(dict.fromkeys(order.input["user_ids"]))
    notice = _notice(context, order.input)
    told = list(_told(context, _known(context, wanted), notice))
    missing = [user for user in wanted if user not in told]
    output: dict[str, Any] = {"notified": len(told), "user_ids": told, "missing_user_ids": missing}
    if not told:
        return failed(ErrorCode.NOT_FOUND, "None of these users is here (any more), or can be told.", output)
    words = f"{len(told)} {'user was' if len(told) == 1 else 'users were'} told."
    left = f" {len(missing)} could not be: gone, inactive, or refused by the host." if missing else ""
    return succeeded(words + left, output)


def _notice(context: StepContext, given: dict[str, Any]) -> Notice:
    """The notice; it leads to the ticket the workflow is about, where there is one."""
    ticket = context.values.get("ticket")
    urls = context.rmm.host.urls
    link = urls.ticket(ticket["id"]) if urls and ticket else None
    return notices.of_workflow(
        context.rmm, given["title"], given["message"], level=given["level"], key=context.key, link=link
    )


def _known(context: StepContext, wanted: Sequence[str]) -> list[str]:
    """Those who are here and active; all of them where the host has no list of users."""
    port = context.rmm.host.users
    if port is None:
        return list(wanted)
    found = port.get_many(context.session, context.tenant_id, wanted)
    return [user for user in wanted if user in found and found[user].is_active]


def _told(context: StepContext, users: Sequence[str], notice: Notice) -> Iterator[str]:
    port = context.rmm.host.notifications
    assert port is not None  # or the module is not available
    for user in users:
        try:
            with context.session.begin_nested():
                port.send(context.session, context.tenant_id, [user], notice)
        except HostRejected:
            continue
        yield user


def _available(rmm: Rmm, _session: Session, _tenant_id: str) -> bool:
    return rmm.host.notifications is not None


NOTIFY_USERS = ActionSpec(
    id="notifications.notify_users",
    module=KEY,
    label="Notify users",
    description="Tells users something here and, by their preferences, by e-mail.",
    input=NotifyUsers,
    output=Notified,
    side_effects=True,
    category="Notifications",
    icon="bell",
    permission="rmm.workflows.manage",
    on_device=False,
)

PACK = Pack(
    module=ActionModule(
        key=KEY,
        label="Notifications",
        description="Messages to the users of this PSA.",
        icon="bell",
        default_action=NOTIFY_USERS.id,
        availability=KEY,
        actions=(NOTIFY_USERS,),
    ),
    perform=notify_users,
    available=_available,
)
