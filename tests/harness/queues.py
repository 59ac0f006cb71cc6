"""An empty Redis database per test."""

from __future__ import annotations

import redis


class RedisDatabase:
    """One numbered database that belongs to this worker for the run."""

    def __init__(self, server_url: str, worker: int, *, foreign: bool) -> None:
        """Take the database `worker` places after the one the URL names."""
        base, _, number = server_url.partition("?")[0].rpartition("/")
        self.url = (
            f"{base}/{int(number) + worker}" if number.isdigit() else f"{server_url.rstrip('/')}/{worker}"
        )
        self._client = redis.Redis.from_url(self.url)
        self._ours = not foreign

    def empty(self) -> None:
        """Flush it; refuse when it holds keys that were there before us."""
        if not self._ours and self._client.dbsize():
            raise RuntimeError("RMM_REDIS_URL names a database that is not empty; the tests would flush it.")
        self._ours = True
        self._client.flushdb()

    def close(self) -> None:
        """Leave it empty."""
        if self._ours:
            self._client.flushdb()
        self._client.close()
