"""Carrying webhooks: from a thread as they come up, or when told to; lost, twice, late or out of order."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import requests

from simulators.common.clock import Clock


class Sending(Protocol):
    """The switches a courier heeds."""

    deliveries: str
    """``thread``: sent as they come up; ``manual``: when told to."""
    webhook_timeout: float
    """Seconds a receiver has to answer."""


class Sender(Protocol):
    """What a courier needs of a vendor's state."""

    lock: threading.RLock
    clock: Clock
    deliveries: deque[dict[str, Any]]

    @property
    def settings(self) -> Sending: ...


@dataclass
class Parcel:
    """One webhook to be sent. `event` is the vendor's id of it, `to` the vendor's row of the receiver."""

    to: Any
    event: Any
    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    attempts: int = 0
    """Attempts that failed."""
    due: float = 0.0
    """Not before this time of the vendor's clock, when the thread sends it."""

    @staticmethod
    def arrived(status: int | None) -> bool:
        """Whether an answer counts as one."""
        return status is not None and 200 <= status < 300


class Courier:
    """The webhooks that are not sent yet. One request at a time, whoever asks.

    A vendor says what its log tells of one (`describe`) and what becomes of it after an attempt (`judge`).
    """

    user_agent = "Webhook/1.0"

    def __init__(self, sender: Sender) -> None:
        """Nothing to carry; the thread starts with the first webhook."""
        self._sender = sender
        self._waiting: deque[Parcel] = deque()
        self._news = threading.Condition()
        self._on_the_road = threading.Lock()
        self._thread: threading.Thread | None = None
        self.losing = 0
        """So many of the next webhooks get lost on their way."""
        self.doubling = 0
        """So many of the next webhooks are sent twice."""

    def describe(self, parcel: Parcel) -> dict[str, Any]:
        """What the log tells beside the time, the answer and the bytes."""
        return {"event": parcel.event}

    def judge(self, parcel: Parcel, status: int | None, answer: str) -> None:
        """What becomes of a parcel after an attempt; under the vendor's lock."""

    def take(self, parcel: Parcel) -> None:
        """Take a webhook on."""
        if self.losing > 0:
            self.losing -= 1
            return
        copies = 2 if self.doubling > 0 else 1
        self.doubling -= copies - 1
        self._queue([Parcel(**vars(parcel)) for _ in range(copies)])
        if self._sender.settings.deliveries == "thread" and self._thread is None:
            self._thread = threading.Thread(target=self._work, name="courier", daemon=True)
            self._thread.start()

    def again(self, parcel: Parcel, due: float = 0.0) -> None:
        """Take a webhook on whose attempt failed."""
        parcel.attempts += 1
        parcel.due = due
        self._queue([parcel])

    def _queue(self, parcels: Iterable[Parcel]) -> None:
        with self._news:
            self._waiting += parcels
            self._news.notify()

    def waiting(self) -> list[Any]:
        """Ids of what is not sent yet, oldest first."""
        with self._news:
            return [parcel.event for parcel in self._waiting]

    def forget(self) -> None:
        """Throw away what is not sent yet."""
        with self._news:
            self._waiting.clear()
        self.losing = self.doubling = 0

    def stop(self) -> None:
        """End the thread."""
        self.forget()
        thread, self._thread = self._thread, None
        with self._news:
            self._news.notify_all()
        if thread is not None:
            thread.join(timeout=5)

    def deliver_now(self, *, reverse: bool = False, count: int | None = None) -> list[dict[str, Any]]:
        """Send what waits, due or not, in the caller's thread: all or the first, newest first when reversed.

        What became of each, as in the log. Never call it under the vendor's lock: receivers may call back.
        """
        with self._news:
            parcels = list(self._waiting)[:count]
            for parcel in parcels:
                self._waiting.remove(parcel)
        return [self.carry(parcel) for parcel in (reversed(parcels) if reverse else parcels)]

    def _work(self) -> None:
        while self._thread is threading.current_thread():
            with self._news:
                parcel = self._next_due()
                if parcel is None:
                    self._news.wait(0.2)
                    continue
                self._waiting.remove(parcel)
            self.carry(parcel)

    def _next_due(self) -> Parcel | None:
        if self._sender.settings.deliveries != "thread":
            return None
        now = self._sender.clock.timestamp()
        return next((one for one in self._waiting if one.due <= now), None)

    def carry(self, parcel: Parcel) -> dict[str, Any]:
        """Send one webhook now; what became of it."""
        with self._on_the_road:
            started = time.monotonic()
            status, answer = self._request(parcel)
            entry = self._entry(parcel, status, answer, time.monotonic() - started)
        with self._sender.lock:
            self._sender.deliveries.append(entry)
            self.judge(parcel, status, answer)
        return entry

    def _request(self, parcel: Parcel) -> tuple[int | None, str]:
        """Status and text of the answer; None and the error's text when there was none."""
        headers = {"Content-Type": "application/json", "User-Agent": self.user_agent, **parcel.headers}
        timeout = self._sender.settings.webhook_timeout
        try:
            with requests.Session() as session:
                session.trust_env = False
                reply = session.post(
                    parcel.url, data=parcel.body, headers=headers, timeout=timeout, allow_redirects=False
                )
                return reply.status_code, reply.text[:500]
        except (requests.RequestException, ValueError) as error:
            return None, str(error)[:500]

    def _entry(self, parcel: Parcel, status: int | None, answer: str, seconds: float) -> dict[str, Any]:
        return {
            "at": self._sender.clock.now().isoformat(),
            **self.describe(parcel),
            "url": parcel.url,
            "headers": parcel.headers,
            "body": parcel.body.decode(),
            "attempt": parcel.attempts + 1,
            "status": status,
            "answer": answer,
            "ms": round(seconds * 1000),
        }
