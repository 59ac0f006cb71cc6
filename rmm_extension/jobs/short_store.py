"""Keeping a text in Redis until its time is over, such as a link that a person is waiting for."""

from __future__ import annotations

from redis import RedisError

from rmm_extension.domain.errors import Conflict
from rmm_extension.domain.settings import Settings
from rmm_extension.services.context import NoStore, ShortStore

from . import queues

PREFIX = "rmm:short:"
_AWAY = "Redis does not answer just now, and this is handed over through it. Try again in a moment."


def make_short_store(settings: Settings) -> ShortStore:
    """The store of an installation; one without Redis refuses in words."""
    return RedisStore(settings.redis_url) if settings.redis_url else NoStore()


class RedisStore:
    """Redis's own clock ends what is kept, whatever becomes of us. Nothing is asked twice."""

    def __init__(self, url: str) -> None:
        self._redis = queues.web_client(url)

    def put(self, key: str, value: str, seconds: int) -> None:
        """Keep a text for so many seconds, in place of an earlier one."""
        try:
            self._redis.set(PREFIX + key, value, ex=seconds)
        except RedisError as error:
            raise Conflict(_AWAY) from error

    def get(self, key: str) -> str | None:
        """The text, while it is kept."""
        try:
            found = self._redis.get(PREFIX + key)
        except RedisError as error:
            raise Conflict(_AWAY) from error
        return found.decode() if isinstance(found, bytes) else None
