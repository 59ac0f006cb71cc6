"""The rate limit: an exact log of the requests of the account in a sliding window, whoever sent them."""

from __future__ import annotations

from collections import deque


class Meter:
    """Counts requests. Times are seconds of the server's clock, which only goes forward while it counts.

    Huntress's documents: no more than 60 requests within 60 seconds between the first and the last. A request
    that is refused does not count against those after it.
    """

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.total = 0
        """Requests with a known key."""
        self.refused = 0
        """Answers of 429."""
        self.above = 0
        """Requests above the limit, refused or not."""
        self.most = 0
        """The greatest number of requests, refused ones too, that came in any one window."""
        self._came: deque[float] = deque()
        self._admitted: deque[float] = deque()

    def admit(self, now: float, limit: int | None, window: float, *, enforced: bool) -> bool:
        """Count a request; whether it is answered."""
        for log in (self._came, self._admitted):
            while log and now - log[0] > window:
                log.popleft()
        self.total += 1
        self._came.append(now)
        self.most = max(self.most, len(self._came))
        full = limit is not None and len(self._admitted) >= limit
        self.above += full
        if full and enforced:
            self.refused += 1
            return False
        self._admitted.append(now)
        return True
