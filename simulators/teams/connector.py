"""Bot Connector: starting conversations and writing in them, with the errors of Microsoft's table."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from simulators.teams import keys, limits
from simulators.teams.endpoints import body, caller, lab, served
from simulators.teams.login import BOT_SCOPE
from simulators.teams.models import Bot, Channel, Message, Person, Team
from simulators.teams.replies import json_reply, refused
from simulators.teams.settings import REFUSALS

THREAD = ";messageid="
_BAD = (400, "BadSyntax", "Incorrect conversation creation parameters")

connector_blueprint = Blueprint("connector", __name__)


@connector_blueprint.post("/<region>/v3/conversations")
@served
def create(region: str) -> Response:
    """A conversation with a person, or a thread in a channel."""
    bot, _ = caller(BOT_SCOPE)
    wish = body()
    _refuse_all()
    if wish.get("tenantId") not in (keys.DIRECTORY_ID, keys.OTHER_DIRECTORY_ID):
        raise refused(*_BAD)
    channel_id = ((wish.get("channelData") or {}).get("channel") or {}).get("id")
    if wish.get("isGroup") and channel_id:
        return _thread(bot, wish, str(channel_id))
    members = wish.get("members")
    if wish.get("isGroup") or not isinstance(members, list) or len(members) != 1:
        raise refused(*_BAD)
    return _personal(bot, wish, str(members[0].get("id")))


@connector_blueprint.post("/<region>/v3/conversations/<path:conversation_id>/activities")
@served
def send(region: str, conversation_id: str) -> Response:
    """A message in a conversation that there is."""
    bot, _ = caller(BOT_SCOPE)
    activity = _activity(body())
    _refuse_all()
    limits.count(lab(), bot, "send", conversation_id)
    for person in lab().people.values():
        if person.conversation_with(bot) == conversation_id:
            _may_write(bot, person)
            return _taken(_kept(bot, conversation_id, person.name, activity, person=person.number))
    team, channel = _channel(bot, conversation_id.partition(THREAD)[0])
    return _taken(_kept(bot, conversation_id, f"{team.name} › {channel.name}", activity, team=team.number))


def _thread(bot: Bot, wish: dict[str, Any], channel_id: str) -> Response:
    if not isinstance(wish.get("activity"), dict):
        raise refused(*_BAD)
    activity = _activity(wish["activity"])
    limits.count(lab(), bot, "create", channel_id)
    team, channel = _channel(bot, channel_id)
    if wish["tenantId"] != keys.DIRECTORY_ID:
        raise refused(403, "ForbiddenOperationException", "The bot is not in this tenant.")
    name = f"{team.name} › {channel.name}"
    message = _kept(bot, "", name, activity, team=team.number)
    message.conversation_id = f"{channel_id}{THREAD}{message.number}"
    if lab().settings.empty_answers:
        return Response(status=201)
    return json_reply({"id": message.conversation_id, "activityId": str(message.number)}, 201)


def _personal(bot: Bot, wish: dict[str, Any], member: str) -> Response:
    person = next((one for one in lab().people.values() if member in (one.account, one.object_id)), None)
    if person is None:
        raise refused(*_BAD)
    _may_write(bot, person)
    conversation_id = person.conversation_with(bot)
    limits.count(lab(), bot, "create", conversation_id)
    if isinstance(wish.get("activity"), dict):
        _kept(bot, conversation_id, person.name, _activity(wish["activity"]), person=person.number)
    return json_reply({"id": conversation_id}, 201)


def _refuse_all() -> None:
    code = lab().settings.refuse_sends_with
    if code == "none":
        return
    after = lab().settings.retry_after
    headers = {"Retry-After": after} if code == "Throttled" and after else {}
    raise refused(REFUSALS[code], code, f"Refused by a switch: {code}.", headers)


def _activity(given: dict[str, Any]) -> dict[str, Any]:
    """The activity, if it is one that Teams takes."""
    if len(request.get_data()) > lab().settings.largest:
        raise refused(413, "MessageSizeTooBig", "Message size too large.")
    cards = given.get("attachments") or []
    if given.get("type") != "message" or not (given.get("text") or cards):
        raise refused(400, "BadSyntax", "Activity must include a message.")
    for card in cards:
        version = str((card.get("content") or {}).get("version", "1.0"))
        if tuple(map(int, version.split("."))) > (1, 5):
            raise refused(400, "BadArgument", "Unsupported Adaptive Card version.")
    return given


def _may_write(bot: Bot, person: Person) -> None:
    if bot.is_blocked:
        raise refused(403, "BotDisabledByAdmin", "The tenant admin disabled this bot.")
    if bot.app_id not in person.apps:
        raise refused(403, "ForbiddenOperationException", "Bot is not installed in user's personal scope.")
    if bot.app_id in person.blocked:
        raise refused(403, "ConversationBlockedByUser", "User blocked the conversation with the bot.")


def _channel(bot: Bot, channel_id: str) -> tuple[Team, Channel]:
    found = lab().channel(channel_id)
    if found is None:
        raise refused(404, "ConversationNotFound", "Conversation not found.")
    if bot.is_blocked:
        raise refused(403, "BotDisabledByAdmin", "The tenant admin disabled this bot.")
    if bot.app_id not in found[0].apps:
        raise refused(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
    return found


def _kept(bot: Bot, conversation_id: str, where: str, activity: dict[str, Any], **more: Any) -> Message:
    number = 1_776_000_000_000 + lab().next_number("message")
    message = Message(number, lab().now(), bot.app_id, conversation_id, where, activity, **more)
    lab().messages.append(message)
    return message


def _taken(message: Message) -> Response:
    return (
        Response(status=201) if lab().settings.empty_answers else json_reply({"id": str(message.number)}, 201)
    )
