"""What happens in Teams, told to the bot by signed activities: apps installed and removed, messages."""

from __future__ import annotations

from typing import Any

import msgspec

from simulators.teams import keys
from simulators.teams.lab import Lab
from simulators.teams.models import Bot, Channel, Person, Team
from simulators.teams.signing import ALL_FORGERIES, SigningKey, token


def install_for(lab: Lab, bot: Bot, person: Person, *, removed: bool = False, forge: str = "") -> None:
    """Install the app for a person, or take it away."""
    (person.apps.discard if removed else person.apps.add)(bot.app_id)
    action = "remove" if removed else "add"
    parts = _personal(bot, person)
    tell(lab, bot, {"type": "installationUpdate", "action": action, **parts}, forge)
    if not removed:
        members = [{"id": bot.account}, {"id": person.account, "aadObjectId": person.object_id}]
        tell(lab, bot, {"type": "conversationUpdate", "membersAdded": members, **parts}, forge)


def install_in(lab: Lab, bot: Bot, team: Team, *, removed: bool = False, forge: str = "") -> None:
    """Put the app into a team, or take it out."""
    (team.apps.discard if removed else team.apps.add)(bot.app_id)
    action, members = ("remove", "membersRemoved") if removed else ("add", "membersAdded")
    parts = _in_channel(lab, bot, team, team.channels[0])
    tell(lab, bot, {"type": "installationUpdate", "action": action, **parts}, forge)
    change = "teamMemberRemoved" if removed else "teamMemberAdded"
    data = {**parts["channelData"], "eventType": change}
    update = {"type": "conversationUpdate", members: [{"id": bot.account}], **parts, "channelData": data}
    tell(lab, bot, update, forge)


def write_to_bot(lab: Lab, bot: Bot, person: Person, text: str, forge: str = "") -> None:
    """A person writes to the bot."""
    tell(lab, bot, {"type": "message", "text": text, "textFormat": "plain", **_personal(bot, person)}, forge)


def write_in_channel(lab: Lab, bot: Bot, person: Person, channel: Channel, team: Team, text: str) -> None:
    """A person mentions the bot in a channel."""
    parts = _in_channel(lab, bot, team, channel, person)
    place = {**parts["conversation"], "id": f"{channel.id};messageid={lab.next_number('thread')}"}
    words = f"<at>{bot.name}</at> {text}"
    tell(lab, bot, {"type": "message", "text": words, **parts, "conversation": place}, "")


def tell(lab: Lab, bot: Bot, parts: dict[str, Any], forge: str = "") -> None:
    """Hand an activity to the courier, signed; a `forge` makes something about it wrong."""
    if forge and forge not in ALL_FORGERIES:
        raise ValueError(f"forge is one of {', '.join(ALL_FORGERIES)}")
    if bot.endpoint is None:
        return
    activity = {
        "id": f"f:{lab.next_number('activity'):08x}",
        "timestamp": lab.now(),
        "channelId": "msteams" if forge != "wrong_channel" else "webchat",
        "serviceUrl": _service_url(lab, forge),
        **parts,
    }
    if forge == "wrong_directory":
        activity = _of(activity, keys.OTHER_DIRECTORY_ID)
    lab.courier.send(
        bot, activity["id"], bot.endpoint, msgspec.json.encode(activity), _headers(lab, bot, activity, forge)
    )


def _service_url(lab: Lab, forge: str) -> str:
    return (
        "https://smba.trafficmanager.net.attacker.example/"
        if forge == "untrusted_service"
        else lab.service_url
    )


def _headers(lab: Lab, bot: Bot, activity: dict[str, Any], forge: str) -> dict[str, str]:
    found = {"x-ms-tenant-id": activity["channelData"]["tenant"]["id"]}
    if forge == "no_token":
        return found
    key = _unendorsed(lab) if forge == "not_endorsed" else lab.keys[0]
    made = token(key, bot.app_id, activity["serviceUrl"], lab.clock.timestamp(), forge)
    return {**found, "Authorization": f"Bearer {made}"}


def _unendorsed(lab: Lab) -> SigningKey:
    """A key of the list that may not sign for Teams."""
    known = next((one for one in lab.keys if "msteams" not in one.endorsements), None)
    if known is None:
        known = SigningKey(90, ("webchat",))
        lab.keys.append(known)
    return known


def _of(activity: dict[str, Any], directory_id: str) -> dict[str, Any]:
    data = {**activity["channelData"], "tenant": {"id": directory_id}}
    place = {**activity["conversation"], "tenantId": directory_id}
    return {**activity, "channelData": data, "conversation": place}


def _personal(bot: Bot, person: Person) -> dict[str, Any]:
    return {
        "from": {"id": person.account, "name": person.name, "aadObjectId": person.object_id},
        "recipient": {"id": bot.account, "name": bot.name},
        "conversation": {
            "conversationType": "personal",
            "tenantId": keys.DIRECTORY_ID,
            "id": person.conversation_with(bot),
        },
        "channelData": {"tenant": {"id": keys.DIRECTORY_ID}},
    }


def _in_channel(
    lab: Lab, bot: Bot, team: Team, channel: Channel, person: Person | None = None
) -> dict[str, Any]:
    who = person or next(iter(lab.people.values()))
    return {
        "from": {"id": who.account, "name": who.name, "aadObjectId": who.object_id},
        "recipient": {"id": bot.account, "name": bot.name},
        "conversation": {
            "isGroup": True,
            "conversationType": "channel",
            "tenantId": keys.DIRECTORY_ID,
            "id": channel.id,
            "name": channel.name,
        },
        "channelData": {
            "settings": {"selectedChannel": {"id": channel.id}},
            "team": {"aadGroupId": team.group_id, "name": team.name, "id": team.id},
            "channel": {"id": channel.id, "name": channel.name},
            "tenant": {"id": keys.DIRECTORY_ID},
        },
    }
