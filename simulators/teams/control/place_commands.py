"""People and teams: installing the app for them and in them, and what they write to the bot."""

from __future__ import annotations

from typing import Any

from simulators.teams import events
from simulators.teams.control.blueprint import BadCommand, bot_of, command, fields, flag, lab, one_of, query
from simulators.teams.models import Channel, Person, Team


@query("/api/people")
def list_people() -> Any:
    """Everybody, with the apps that they have."""
    return [person_row(one) for one in lab().people.values()]


@query("/api/teams")
def list_teams() -> Any:
    """The teams with their channels, and the apps in them."""
    return [team_row(one) for one in lab().teams.values()]


@command("/api/people")
def add_person() -> Any:
    """{"name", "mail"?}."""
    data = fields()
    with lab().lock:
        number = max(lab().people) + 1
        mail = str(data.get("mail") or f"person{number}@northbeam.example")
        lab().people[number] = Person(number, str(data["name"]), mail)
        return person_row(lab().people[number])


@command("/api/people/<int:number>/install")
def install_for(number: int) -> Any:
    """{"remove"?, "app_id"?, "forge"?}: install the app for somebody, or take it away."""
    data = fields()
    with lab().lock:
        person, bot = one_of(lab().people, number, "person"), bot_of(data)
        removed, forge = flag(data.get("remove", False)), str(data.get("forge", ""))
        events.install_for(lab(), bot, person, removed=removed, forge=forge)
        return person_row(person)


@command("/api/people/<int:number>/block")
def block(number: int) -> Any:
    """{"blocked"?, "app_id"?}: they mute the bot, or with false no more. Nobody is told."""
    data = fields()
    with lab().lock:
        person, bot = one_of(lab().people, number, "person"), bot_of(data)
        (person.blocked.add if flag(data.get("blocked", True)) else person.blocked.discard)(bot.app_id)
        return person_row(person)


@command("/api/people/<int:number>/write")
def write_to_bot(number: int) -> Any:
    """{"text", "app_id"?, "forge"?}: they write to the bot."""
    data = fields()
    with lab().lock:
        person, bot = one_of(lab().people, number, "person"), bot_of(data)
        events.write_to_bot(lab(), bot, person, str(data["text"]), str(data.get("forge", "")))
        return {"conversation_id": person.conversation_with(bot)}


@command("/api/people/<int:number>/lose")
def lose_app(number: int) -> Any:
    """{"app_id"?}: the app goes without a word, as when the message about it gets lost."""
    data = fields()
    with lab().lock:
        person = one_of(lab().people, number, "person")
        person.apps.discard(bot_of(data).app_id)
        return person_row(person)


@command("/api/teams")
def add_team() -> Any:
    """{"name"}: a team with its general channel."""
    data = fields()
    with lab().lock:
        number = max(lab().teams) + 1
        team = Team(number, str(data["name"]))
        team.channels = [Channel(team.id, "General")]
        lab().teams[number] = team
        return team_row(team)


@command("/api/teams/<int:number>/install")
def install_in(number: int) -> Any:
    """{"remove"?, "app_id"?, "forge"?}: put the app into a team, or take it out."""
    data = fields()
    with lab().lock:
        team, bot = one_of(lab().teams, number, "team"), bot_of(data)
        removed, forge = flag(data.get("remove", False)), str(data.get("forge", ""))
        events.install_in(lab(), bot, team, removed=removed, forge=forge)
        return team_row(team)


@command("/api/teams/<int:number>/lose")
def lose_app_of_team(number: int) -> Any:
    """{"app_id"?}: the app goes without a word."""
    data = fields()
    with lab().lock:
        team = one_of(lab().teams, number, "team")
        team.apps.discard(bot_of(data).app_id)
        return team_row(team)


@command("/api/teams/<int:number>/write")
def write_in_channel(number: int) -> Any:
    """{"text", "channel"?, "person"?, "app_id"?}: somebody mentions the bot in a channel."""
    data = fields()
    with lab().lock:
        team, bot = one_of(lab().teams, number, "team"), bot_of(data)
        person = one_of(lab().people, int(data.get("person", 1)), "person")
        channel = next((one for one in team.channels if one.name == data.get("channel", "General")), None)
        if channel is None:
            raise BadCommand(f"the channels are {', '.join(one.name for one in team.channels)}")
        events.write_in_channel(lab(), bot, person, channel, team, str(data["text"]))
        return team_row(team)


def person_row(person: Person) -> dict[str, Any]:
    """The person as the control page shows them."""
    return {
        "number": person.number,
        "name": person.name,
        "mail": person.mail,
        "object_id": person.object_id,
        "apps": sorted(person.apps),
        "blocked": sorted(person.blocked),
    }


def team_row(team: Team) -> dict[str, Any]:
    """The team as the control page shows it."""
    return {
        "number": team.number,
        "name": team.name,
        "id": team.id,
        "apps": sorted(team.apps),
        "channels": [{"id": one.id, "name": one.name} for one in team.channels],
    }
