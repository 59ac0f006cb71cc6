"""The page a person plays Microsoft Teams with: plain HTML forms, no script."""

from __future__ import annotations

from simulators.common.control import SHOWN
from simulators.teams import keys
from simulators.teams.control.blueprint import control_blueprint, lab, show
from simulators.teams.control.bot_commands import list_bots
from simulators.teams.control.place_commands import list_people, list_teams
from simulators.teams.control.server_commands import list_messages, list_notifications, state
from simulators.teams.settings import CHOICES
from simulators.teams.signing import ALL_FORGERIES


@control_blueprint.get("/")
def page() -> str:
    """Everything on one page."""
    with lab().lock:
        return show(
            "teams_control.html",
            bots=list_bots(),
            directory_id=keys.DIRECTORY_ID,
            people=list_people(),
            teams=list_teams(),
            messages=list_messages()[-SHOWN:][::-1],
            notifications=list_notifications()[-SHOWN:][::-1],
            waiting=lab().courier.waiting(),
            forgeries=ALL_FORGERIES,
            state=state(),
            prefix="/",
            choices=CHOICES,
        )
