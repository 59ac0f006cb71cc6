"""Doing what Microsoft Teams can be asked to do. Nothing here is sent twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode

from rmm_extension.domain.actions import ActionContext, ErrorCode, Order, Outcome, failed, succeeded
from rmm_extension.domain.errors import NotFound
from rmm_extension.domain.messaging import Conversation, MessagingContext
from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.teams import action_specs as specs
from rmm_extension.providers.teams import messages
from rmm_extension.providers.teams.client import open_connector, open_graph
from rmm_extension.providers.teams.errors import TooBig, Unreachable

Do = Callable[[Runtime, Connection, Order, MessagingContext], Outcome]
_PREVIEW = 150
_NOT_LINKED = (
    "This user is not linked with an account in Microsoft Teams, or not active here. Link them on the"
    " connection's page, under Users."
)
_NO_CONVERSATION = (
    "The bot has no conversation with this person yet: install the app for them in Teams, or have them open"
    " it."
)
_NO_SERVICE_URL = (
    "The bot was not put anywhere in Teams yet, so it is not known where messages are sent. Install the app"
    " for somebody or in a team."
)
_FEED_OFF = "Notifications in the activity feed are switched off for this connection."


def perform(runtime: Runtime, connection: Connection, order: Order, context: ActionContext) -> Outcome:
    """Do what is ordered."""
    try:
        return DOING[order.action](runtime, connection, order, context.messaging)
    except TooBig as error:
        return failed(ErrorCode.VALIDATION_ERROR, str(error))


def notify_user(runtime: Runtime, connection: Connection, order: Order, ours: MessagingContext) -> Outcome:
    """A notification in the activity feed; Teams opens the conversation with the bot from it."""
    wish = order.input
    if connection.settings.get("activity_feed") == "off":
        return failed(ErrorCode.CAPABILITY_DISABLED, _FEED_OFF)
    person = ours.person(wish["user_id"])
    if person is None:
        return failed(ErrorCode.USER_NOT_LINKED, _NOT_LINKED)
    kind, _ = specs.CATEGORIES[wish["category"]]
    link = wish.get("link", "")
    target = ours.link(link) if link.startswith("/") else link
    notification = {
        "topic": {
            "source": "text",
            "value": wish["title"],
            "webUrl": deep_link(connection, target, wish["title"]),
        },
        "activityType": kind,
        "previewText": {"content": messages.shortened(wish.get("message") or wish["title"], _PREVIEW)},
        "templateParameters": [{"name": "title", "value": messages.shortened(wish["title"], _PREVIEW)}],
    }
    with open_graph(runtime, connection) as client:
        try:
            client.notify(person.person_id, notification)
        except NotFound as error:
            return failed(ErrorCode.NOT_FOUND, str(error))
    told = {"delivered": True, "user_id": wish["user_id"], "activity_type": kind}
    return succeeded("The notification stands in the activity feed.", told)


def send_direct(runtime: Runtime, connection: Connection, order: Order, ours: MessagingContext) -> Outcome:
    """A message in the newest conversation between the bot and the person."""
    wish = order.input
    activity = messages.activity(wish.get("message"), wish.get("card"))
    person = ours.person(wish["user_id"])
    if person is None:
        return failed(ErrorCode.USER_NOT_LINKED, _NOT_LINKED)
    place = ours.personal_conversation(person.person_id)
    if place is None:
        return failed(ErrorCode.NO_CONVERSATION, _NO_CONVERSATION)
    with open_connector(runtime, connection, place.service_url) as client:
        try:
            client.send(place.conversation_id, activity)
        except Unreachable as error:
            ours.is_dead(place, error.said)
            return failed(ErrorCode.NO_CONVERSATION, f"{error} {_NO_CONVERSATION}")
    told = {"sent": True, "user_id": wish["user_id"], "conversation_id": place.conversation_id}
    return succeeded("The message is sent.", told)


def post_to_channel(
    runtime: Runtime, connection: Connection, order: Order, ours: MessagingContext
) -> Outcome:
    """A new thread in the channel."""
    wish = order.input
    channel_id = wish["channel_id"]
    activity = messages.activity(wish.get("message"), wish.get("card"))
    known = ours.channel(channel_id)
    place = known or ours.newest()
    if place is None:
        return failed(ErrorCode.NO_SERVICE_URL, _NO_SERVICE_URL)
    with open_connector(runtime, connection, place.service_url) as client:
        try:
            sent = client.start_thread(channel_id, place.directory_id, activity)
        except Unreachable as error:
            if known is not None and _is_in(known, channel_id):
                ours.is_dead(known, error.said)
            return failed(ErrorCode.APP_NOT_IN_TEAM, f"{error} Install the app in the team of this channel.")
    told = {"posted": True, "channel_id": channel_id, "conversation_id": sent.id}
    return succeeded("The post is in the channel.", told)


def deep_link(connection: Connection, target: str, label: str) -> str:
    """Where a notification leads: Graph takes links into Teams alone.

    It opens the bot's own conversation in the app; what it is about is the fallback of a client that cannot.
    """
    app_id = quote(str(connection.settings.get("app_id") or ""), safe="")
    query = {"webUrl": target, "label": label} if target else {"label": label}
    place = f"https://teams.microsoft.com/l/entity/{app_id}/{specs.CONVERSATION}"
    return f"{place}?{urlencode(query, quote_via=quote)}"


def _is_in(place: Conversation, channel_id: str) -> bool:
    """Whether the conversation is this channel's own, and not another one of its team."""
    return channel_id in (place.conversation_id, place.channel_id)


DOING: Mapping[str, Do] = {
    specs.NOTIFY.id: notify_user,
    specs.DIRECT.id: send_direct,
    specs.POST.id: post_to_channel,
}
