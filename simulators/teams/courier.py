"""How Bot Connector brings activities to a bot; what a bot refuses is not brought again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.common import courier
from simulators.common.courier import Parcel
from simulators.teams.models import Bot

if TYPE_CHECKING:
    from simulators.teams.lab import Lab


class Courier(courier.Courier):
    """The activities that are not sent yet."""

    user_agent = "Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)"

    def __init__(self, lab: Lab) -> None:
        """Nothing to carry."""
        super().__init__(lab)
        self._lab = lab

    def send(self, to: Bot, activity_id: str, url: str, body: bytes, headers: dict[str, str]) -> None:
        """Take an activity on."""
        self.take(Parcel(to, activity_id, url, body, headers))

    def describe(self, parcel: Parcel) -> dict[str, Any]:
        """Which activity it is, and whose bot's."""
        return {"activity_id": parcel.event, "bot": parcel.to.name}

    def judge(self, parcel: Parcel, status: int | None, answer: str) -> None:
        """Try again later what the bot could not take now."""
        settings = self._lab.settings
        if (status is None or status >= 500) and parcel.attempts + 1 < settings.attempts:
            self.again(parcel, self._lab.clock.timestamp() + settings.retry_seconds)
