"""Simulated Microsoft services for any test: `teams` is a server of its own, `start_teams` starts some.

    teams.url, teams.lab                     base address without a slash; the state: teams.lab.person(name=…)
    teams.directory_id, teams.app_id, teams.client_secret       of the single-tenant bot
    teams.fields()                           what the connection form is given
    teams.listen_at(url)                     the bot's messaging endpoint
    teams.install("Priya Raman"), teams.install("Service desk"), teams.remove(…)    person or team
    teams.write("Priya Raman", "text")   what somebody writes to the bot
    teams.channel_id("Service desk", "Alerts")
    teams.deliver()                          sends the activities that wait; nothing is sent by itself here,
                                             and nothing twice unless switched so (attempts=3)
    teams.messages(), teams.notifications()  what was written and who was notified, oldest first
    teams.control("keys/rotate"), teams.ask("state"), teams.fault("throttled", prefix="/amer", count=1)
    teams.lab.settings.change(refuse_sends_with="ConversationNotFound")

`forge="expired"` (any of `simulators.teams.signing.ALL_FORGERIES`) makes an activity that is not genuine.
Import the fixtures in a conftest: `from tests.harness.teams import teams as teams`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from simulators.teams import keys
from simulators.teams.app import create_app, lab_of
from simulators.teams.lab import Lab
from tests.harness.simulated import Simulated, serving


@dataclass
class SimulatedTeams(Simulated):
    """The running services, their state, and the ids of the single-tenant bot."""

    lab: Lab
    directory_id: str = keys.DIRECTORY_ID
    app_id: str = keys.APP_ID
    client_secret: str = keys.CLIENT_SECRET

    def fields(self) -> dict[str, str]:
        """What the connection form is given for the single-tenant bot."""
        return {
            "app_id": self.app_id,
            "client_secret": self.client_secret,
            "directory_id": self.directory_id,
        }

    def listen_at(self, url: str | None, app_id: str | None = None) -> None:
        """Give the bot its messaging endpoint, or none."""
        self.control(f"bots/{app_id or self.app_id}/endpoint", url=url or "")

    def install(self, name: str, **more: Any) -> None:
        """Install the app for the person, or in the team, of that name."""
        self.control(f"{self._path(name)}/install", **more)

    def remove(self, name: str, **more: Any) -> None:
        """Take the app away from the person, or out of the team, of that name."""
        self.control(f"{self._path(name)}/install", remove=True, **more)

    def write(self, name: str, text: str, **more: Any) -> None:
        """Let somebody write to the bot, or mention it in a team's channel."""
        self.control(f"{self._path(name)}/write", text=text, **more)

    def channel_id(self, team: str, channel: str = "General") -> str:
        """The id of a channel."""
        return next(one.id for one in self.lab.team(name=team).channels if one.name == channel)

    def object_id(self, person: str) -> str:
        """The id of a person in the directory."""
        return self.lab.person(name=person).object_id

    def messages(self) -> list[dict[str, Any]]:
        """What bots wrote, oldest first."""
        found: list[dict[str, Any]] = self.ask("messages")
        return found

    def notifications(self) -> list[dict[str, Any]]:
        """Entries of activity feeds, oldest first."""
        found: list[dict[str, Any]] = self.ask("notifications")
        return found

    def _path(self, name: str) -> str:
        person = next((one for one in self.lab.people.values() if one.name == name), None)
        return f"people/{person.number}" if person else f"teams/{self.lab.team(name=name).number}"


@contextmanager
def several_teams() -> Iterator[Callable[..., SimulatedTeams]]:
    """Starts simulators; keywords are switches."""
    with serving() as serve:

        def run(**options: Any) -> SimulatedTeams:
            app = create_app(**{"deliveries": "manual", "attempts": 1, **options})
            lab = lab_of(app)
            lab.url = serve(app, lab.courier)
            return SimulatedTeams(lab.url, lab)

        yield run


@pytest.fixture
def teams() -> Iterator[SimulatedTeams]:
    """Simulated services of this test alone; activities are sent by `deliver`."""
    with several_teams() as start:
        yield start()


@pytest.fixture
def start_teams() -> Iterator[Callable[..., SimulatedTeams]]:
    """Starts simulated services with other options."""
    with several_teams() as start:
        yield start
