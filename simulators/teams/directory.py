"""The invented directory: two bots, some people, some teams with their channels."""

from __future__ import annotations

from simulators.teams import keys
from simulators.teams.models import Bot, Channel, Person, Team

PEOPLE = (
    ("Mara Lindholm", "admin@northbeam.example"),
    ("Jonas Petri", "dispatch@northbeam.example"),
    ("Priya Raman", "tech@northbeam.example"),
    ("Elif Aydin", "tech2@northbeam.example"),
    ("Sam Okafor", "viewer@northbeam.example"),
)
TEAMS = (("Service desk", ("Alerts", "Escalations")), ("Security", ("Incidents",)), ("Office", ()))


def bots() -> list[Bot]:
    """A bot of each kind."""
    return [
        Bot(keys.APP_ID, "PSA", [keys.CLIENT_SECRET]),
        Bot(keys.MULTI_APP_ID, "PSA (multi-tenant)", [keys.MULTI_CLIENT_SECRET], is_multi_tenant=True),
    ]


def people() -> list[Person]:
    """Nobody has installed an app."""
    return [Person(number, name, mail) for number, (name, mail) in enumerate(PEOPLE, 1)]


def teams() -> list[Team]:
    """No app is in any of them."""
    found = []
    for number, (name, channels) in enumerate(TEAMS, 1):
        team = Team(number, name)
        more = [_channel(number, place, one) for place, one in enumerate(channels, 1)]
        team.channels = [Channel(team.id, "General"), *more]
        found.append(team)
    return found


def _channel(team: int, place: int, name: str) -> Channel:
    return Channel(f"19:sim{team:04d}channel{place}@thread.tacv2", name)
