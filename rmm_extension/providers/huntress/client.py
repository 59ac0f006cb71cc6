"""The HTTP calls of Huntress's API v1: key and secret in every request, its pace, its pages."""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from rmm_extension.domain.errors import ProviderError
from rmm_extension.domain.pace import MemoryPace, Rate
from rmm_extension.domain.types import Connection
from rmm_extension.domain.values import text
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.http import RETRIES, HttpClient
from rmm_extension.providers.huntress import errors as readings
from rmm_extension.providers.huntress.errors import KEY
from rmm_extension.providers.huntress.manifest import BASE
from rmm_extension.providers.progress import Progress
from rmm_extension.providers.repeats import PATIENCE
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.values import printable

PAGE = 500
"""Rows of a page: the most that Huntress gives."""
RATE = Rate(interval=1.2, burst=8)
"""At most 58 requests in any minute: Huntress refuses the sixty-first of a sliding one."""
JOB_PATIENCE = 30.0
"""How long a job waits for the turn of a request, in seconds; what would take longer is put off."""


class _Pagination(msgspec.Struct):
    next_page_token: Any = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: its answer, and its rows unread."""

    reply: Reply
    rows: list[msgspec.Raw]
    is_last: bool


class HuntressClient(HttpClient):
    """One account of Huntress, seen by one key."""

    provider = KEY

    def pages(self, path: str, name: str, *, params: Mapping[str, Any] | None = None) -> Iterator[Page]:
        """The pages of a list whose rows stand under ``name``, to the one without a token for a next.

        Raises ``BadResponse`` where the list does not go on: what came before is then incomplete.
        """
        token, progress = "", Progress()
        while True:
            more = {"page_token": token} if token else {}
            reply = self.read(path, params={"limit": PAGE, **(params or {}), **more})
            token, rows = _opened(reply, name)
            yield Page(reply, rows, is_last=not token)
            if not token:
                return
            progress.note(reply, token)

    def single(self, path: str, name: str) -> tuple[dict[str, Any], Reply]:
        """The object that stands under ``name``, and the answer."""
        reply = self.read(path)
        return member(reply, name), reply

    def explain(self, reply: Reply) -> ProviderError | None:
        """Huntress's errors in words. A redirect that is not followed stays what it is."""
        if reply.status < 400:
            return None
        return readings.explained(reply, self.redact(readings.said(reply)))


def member(reply: Reply, name: str) -> dict[str, Any]:
    """The object under this name; raises ``BadResponse`` where there is none."""
    found = reply.decode(dict[str, Any]).get(name)
    if not isinstance(found, dict):
        raise reply.misshapen(f"no object - at `$.{name}`")
    return found


def open_client(runtime: Runtime, connection: Connection, *, retries: int = RETRIES) -> HuntressClient:
    """A client for the connection; raises ``ConfigError`` when something is missing from it.

    Where nothing is repeated somebody waits: such a client is patient for a moment only.
    """
    given = {name: connection.secrets.get(name, "").strip() for name in ("api_key", "api_secret")}
    key = printable(given["api_key"], "API key of Huntress")
    secret = printable(given["api_secret"], "API secret of Huntress")
    signed = b64encode(f"{key}:{secret}".encode()).decode()
    return HuntressClient(
        runtime,
        runtime.base_urls.get(KEY) or connection.instance_url or BASE,
        headers={"Authorization": f"Basic {signed}"},
        secrets=(signed, secret, key),
        retries=retries,
        pace=turns(connection, JOB_PATIENCE if retries else PATIENCE),
    )


def turns(connection: Connection, patience: float) -> Callable[[], None]:
    """What is called before each request: it waits for the request's turn, or raises ``RateLimited``."""
    pace, account = connection.pace or MemoryPace(), account_of(connection)

    def wait() -> None:
        try:
            seconds = pace.turn(account, RATE, patience)
        except ProviderError as error:
            error.provider = KEY
            raise
        if seconds > 0:
            time.sleep(seconds)

    return wait


def account_of(connection: Connection) -> str:
    """What requests are counted by: a hash of the key, the same while it is tried out and ever after.

    Huntress counts those of its account. A second key of one account is refused now and then, and waits.
    """
    digest = hashlib.sha256(connection.secrets.get("api_key", "").strip().encode()).hexdigest()
    return f"{KEY}:{digest[:16]}"


def _opened(reply: Reply, name: str) -> tuple[str, list[msgspec.Raw]]:
    """The token of the next page, empty on the last one, and the rows."""
    found = reply.decode(dict[str, msgspec.Raw])
    try:
        rows = msgspec.json.decode(found[name], type=list[msgspec.Raw])
    except (KeyError, msgspec.MsgspecError):
        raise reply.misshapen(f"no list - at `$.{name}`") from None
    try:
        pagination = msgspec.json.decode(
            found.get("pagination", msgspec.Raw(b"null")), type=_Pagination | None
        )
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise reply.misshapen("no object - at `$.pagination`") from None
    return (text(pagination.next_page_token) or "") if pagination else "", rows
