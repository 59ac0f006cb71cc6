"""Carrying webhooks: from a thread as they come up, or when told to; lost, twice, late or out of order."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from simulators.ninjaone.models import Subscription
from simulators.ninjaone.trouble import webhook_trouble

if TYPE_CHECKING:
    from simulators.ninjaone.lab import Lab


@dataclass
class Post:
    """One webhook to be sent."""

    to: Subscription
    activity_id: int
    body: bytes
    attempts: int = 0


class Courier:
    """The webhooks that are not sent yet. One request at a time, whoever asks."""

    def __init__(self, lab: Lab) -> None:
        """Nothing to carry; the thread starts with the first webhook."""
        self._lab = lab
        self._waiting: deque[Post] = deque()
        self._news = threading.Condition()
        self._on_the_road = threading.Lock()
        self._thread: threading.Thread | None = None
        self.losing = 0
        """So many of the next webhooks get lost on their way."""
        self.doubling = 0
        """So many of the next webhooks are sent twice."""

    def send(self, to: Subscription, activity_id: int, body: bytes) -> None:
        """Take a webhook on."""
        if self.losing > 0:
            self.losing -= 1
            return
        copies = 2 if self.doubling > 0 else 1
        self.doubling -= copies - 1
        with self._news:
            self._waiting += [Post(to, activity_id, body) for _ in range(copies)]
            self._news.notify()
        if self._lab.settings.deliveries == "thread" and self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ninjaone-courier", daemon=True)
            self._thread.start()

    def waiting(self) -> list[int]:
        """Activity ids of what is not sent yet, oldest first."""
        with self._news:
            return [post.activity_id for post in self._waiting]

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
        """Send what waits, in the caller's thread: all or the first ones, newest first when reversed.

        What became of each, as in the log. Never call it under the lab's lock: receivers may call back.
        """
        with self._news:
            posts = list(self._waiting)[:count]
            for post in posts:
                self._waiting.remove(post)
        return [self.carry(post) for post in (reversed(posts) if reverse else posts)]

    def _work(self) -> None:
        while self._thread is threading.current_thread():
            with self._news:
                held = self._lab.settings.deliveries != "thread"
                post = None if held or not self._waiting else self._waiting.popleft()
                if post is None:
                    self._news.wait(0.2)
                    continue
            self.carry(post)

    def carry(self, post: Post) -> dict[str, Any]:
        """Send one webhook now; what became of it."""
        with self._on_the_road:
            started = time.monotonic()
            status, answer = self._request(post)
            entry = self._entry(post, status, answer, time.monotonic() - started)
        with self._lab.lock:
            self._lab.deliveries.append(entry)
            self._judge(post, status, answer)
        return entry

    def _request(self, post: Post) -> tuple[int | None, str]:
        """Status and text of the answer; None and the error's text when there was none."""
        headers = {"Content-Type": "application/json", "User-Agent": "NinjaRMM-Webhook/2.0"}
        headers |= dict(post.to.headers)
        try:
            with requests.Session() as session:
                session.trust_env = False
                timeout = self._lab.settings.webhook_timeout
                reply = session.post(
                    post.to.url, data=post.body, headers=headers, timeout=timeout, allow_redirects=False
                )
                return reply.status_code, reply.text[:500]
        except (requests.RequestException, ValueError) as error:
            return None, str(error)[:500]

    def _judge(self, post: Post, status: int | None, answer: str) -> None:
        """Try again, or count it as failed; a delivery that arrived makes up for those before it."""
        if status is not None and 200 <= status < 300:
            post.to.failures = 0
        elif post.attempts < self._lab.settings.webhook_retries:
            post.attempts += 1
            with self._news:
                self._waiting.append(post)
                self._news.notify()
        else:
            webhook_trouble(self._lab, post.to, str(status or answer))

    def _entry(self, post: Post, status: int | None, answer: str, seconds: float) -> dict[str, Any]:
        return {
            "at": self._lab.clock.now().isoformat(),
            "owner": post.to.owner,
            "channel": post.to.channel,
            "activity_id": post.activity_id,
            "url": post.to.url,
            "headers": dict(post.to.headers),
            "body": post.body.decode(),
            "status": status,
            "answer": answer,
            "ms": round(seconds * 1000),
        }
