"""How Huntress sends its webhooks: each try signed anew under one id, with growing gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.common import courier
from simulators.common.courier import Parcel
from simulators.huntress import svix
from simulators.huntress.models import Endpoint
from simulators.huntress.replies import iso

if TYPE_CHECKING:
    from simulators.huntress.lab import Lab


class Courier(courier.Courier):
    """The webhooks that are not sent yet. A parcel's event is its `svix-id`, `to` the endpoint.

    A parcel without an endpoint is sent once, with the headers it has.
    """

    user_agent = "Svix-Webhooks/1.64.0"

    def __init__(self, lab: Lab) -> None:
        """Nothing to carry."""
        super().__init__(lab)
        self._lab = lab

    def send(self, to: Endpoint, message_id: str, body: bytes) -> None:
        """Take a webhook on."""
        self.take(Parcel(to, message_id, to.url, body))

    def carry(self, parcel: Parcel) -> dict[str, Any]:
        """Sign it with the time of this try, and send it."""
        if parcel.to is not None:
            now = int(self._lab.clock.timestamp())
            parcel.headers = svix.headers(parcel.to.secrets, parcel.event, now, parcel.body)
        return super().carry(parcel)

    def describe(self, parcel: Parcel) -> dict[str, Any]:
        """Which message, and to which endpoint."""
        return {"svix_id": parcel.event, "endpoint": parcel.to.id if parcel.to else None, "next_at": None}

    def judge(self, parcel: Parcel, status: int | None, answer: str) -> None:
        """Try again later until the gaps are used up; the log's entry tells when."""
        gaps = self._lab.settings.retry_gaps
        if parcel.to is None or parcel.arrived(status) or parcel.attempts >= len(gaps):
            return
        gap = float(gaps[parcel.attempts]) * self._lab.settings.retry_scale
        due = self._lab.clock.timestamp() + gap
        self._lab.deliveries[-1]["next_at"] = iso(due)
        self.again(parcel, due)
