"""How NinjaOne sends its webhooks: again if the switches say so, and no more after too many failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.common import courier
from simulators.common.courier import Parcel
from simulators.ninjaone.models import Subscription
from simulators.ninjaone.trouble import webhook_trouble

if TYPE_CHECKING:
    from simulators.ninjaone.lab import Lab


def parcel_for(to: Subscription, activity_id: int, body: bytes) -> Parcel:
    """A webhook to a subscription."""
    return Parcel(to, activity_id, to.url, body, dict(to.headers))


class Courier(courier.Courier):
    """The webhooks that are not sent yet."""

    user_agent = "NinjaRMM-Webhook/2.0"

    def __init__(self, lab: Lab) -> None:
        """Nothing to carry."""
        super().__init__(lab)
        self._lab = lab

    def send(self, to: Subscription, activity_id: int, body: bytes) -> None:
        """Take a webhook on."""
        self.take(parcel_for(to, activity_id, body))

    def describe(self, parcel: Parcel) -> dict[str, Any]:
        """Whose webhook it is, and of which activity."""
        return {"owner": parcel.to.owner, "channel": parcel.to.channel, "activity_id": parcel.event}

    def judge(self, parcel: Parcel, status: int | None, answer: str) -> None:
        """Try again, or count it as failed; a delivery that arrived makes up for those before it."""
        if parcel.arrived(status):
            parcel.to.failures = 0
        elif parcel.attempts < self._lab.settings.webhook_retries:
            self.again(parcel)
        else:
            webhook_trouble(self._lab, parcel.to, str(status or answer))
