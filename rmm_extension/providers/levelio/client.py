"""The HTTP calls of Level's API v2: its raw key, its paging, and its errors in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from rmm_extension.domain.errors import ConfigError, ProviderError
from rmm_extension.domain.types import Connection
from rmm_extension.domain.values import identifier
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.gathering import readable
from rmm_extension.providers.http import RETRIES, HttpClient
from rmm_extension.providers.levelio import errors as readings
from rmm_extension.providers.levelio.errors import KEY
from rmm_extension.providers.progress import Progress, endless
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.values import Scalar, printable

T = TypeVar("T")

BASE = "https://api.level.io"
"""The one address of Level's API: it has no regions."""
PAGE = 100
"""Rows of a page, the most that Level gives."""
PAGE_BYTES = 64 * 2**20


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool


class _Row(msgspec.Struct):
    id: Scalar = None


class LevelClient(HttpClient):
    """One account of Level, seen by one API key."""

    provider = KEY

    def listing(
        self,
        path: str,
        kind: type[T],
        *,
        errors: list[str],
        params: Mapping[str, Any] | None = None,
        page_size: int = PAGE,
    ) -> Iterator[list[T]]:
        """The pages of a list that goes on behind the id of its last row, until Level says it has no more.

        A row that cannot be read is left out, with a sentence in ``errors``. Raises ``BadResponse`` where the
        list does not go on as it should: what came before is then incomplete.
        """
        more: dict[str, str] = {}
        progress = Progress()
        while True:
            asked = {**(params or {}), "limit": page_size, **more}
            reply = self.read(path, params=asked, max_body=PAGE_BYTES)
            page = reply.decode(_Page)
            if page.data:
                last = _id_of(page.data[-1])
                progress.note(reply, last or bytes(page.data[-1]))
                yield readable(reply, page.data, kind, errors, self.redact)
            if not page.has_more:
                return
            if not page.data:
                raise endless(reply, f"says that {path} has more, and gives an empty page")
            if last is None:
                raise reply.misshapen("no id - at `$.data[-1].id`")
            more = {"starting_after": last}

    def explain(self, reply: Reply) -> ProviderError | None:
        """Level's errors in words."""
        return readings.explained(reply, self.redact(readings.said(reply)))


def open_client(runtime: Runtime, connection: Connection, *, retries: int = RETRIES) -> LevelClient:
    """A client for the connection; raises ``ConfigError`` when its key is missing."""
    key = connection.secrets.get("api_key", "").strip()
    if key.lower().startswith("bearer "):
        raise ConfigError("Enter the API key alone, without the word Bearer: Level takes it as it is.")
    return LevelClient(
        runtime,
        runtime.base_urls.get(KEY) or BASE,
        headers={"Authorization": printable(key, "API key")},
        secrets=(key,),
        retries=retries,
    )


def path_of(kind: str, external_id: str, part: str = "") -> str:
    """The path of one object; an id may hold any character."""
    return f"/v2/{kind}/{quote(external_id, safe='')}{part}"


def _id_of(row: msgspec.Raw) -> str | None:
    try:
        return identifier(msgspec.json.decode(row, type=_Row).id)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
