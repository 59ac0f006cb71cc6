"""The HTTP calls of NinjaOne's API v2: its two kinds of paging, and its errors in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from rmm_extension.domain.errors import ConfigError, ProviderError
from rmm_extension.domain.sessions import SessionToken
from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.gathering import readable
from rmm_extension.providers.http import RETRIES, HttpClient
from rmm_extension.providers.ninjaone import errors as readings
from rmm_extension.providers.ninjaone import scopes
from rmm_extension.providers.ninjaone.errors import KEY
from rmm_extension.providers.ninjaone.manifest import CLIENT_CREDENTIALS, OAUTH
from rmm_extension.providers.ninjaone.session import Application, ApplicationSignIn, BrowserSignIn
from rmm_extension.providers.progress import Progress
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.session import VendorSession
from rmm_extension.providers.values import printable

T = TypeVar("T")

PAGE = 1000
"""Rows of a page: what is used in the field. The largest that NinjaOne takes is not published."""
PAGE_BYTES = 192 * 2**20


class _Row(msgspec.Struct):
    id: int | None = None


class _Cursor(msgspec.Struct):
    name: str | None = None


class _Report(msgspec.Struct):
    cursor: _Cursor | None = None
    results: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET


class NinjaOneClient(HttpClient):
    """One account of NinjaOne, seen by one sign-in."""

    provider = KEY

    def watermark(
        self,
        path: str,
        kind: type[T],
        *,
        errors: list[str],
        params: Mapping[str, Any] | None = None,
        page_size: int = PAGE,
    ) -> Iterator[list[T]]:
        """The pages of a list that goes on ``after`` the id of its last row, to an empty page.

        A short page is no end, for the most rows that NinjaOne gives at once are not published. A row that
        cannot be read is left out, with a sentence in ``errors``. Raises ``BadResponse`` where the list does
        not go on as it should: what came before is then incomplete.
        """
        after: int | None = None
        progress = Progress()
        while True:
            more = {} if after is None else {"after": after}
            reply = self.read(
                path, params={**(params or {}), "pageSize": page_size, **more}, max_body=PAGE_BYTES
            )
            found = reply.decode(list[msgspec.Raw])
            if not found:
                return
            yield readable(reply, found, kind, errors, self.redact)
            after = _last_id(reply, found[-1])
            progress.note(reply, after)

    def report(
        self,
        path: str,
        kind: type[T],
        *,
        errors: list[str],
        params: Mapping[str, Any] | None = None,
        page_size: int = PAGE,
    ) -> Iterator[list[T]]:
        """The pages of a report of ``/v2/queries/``, which goes on by the name of its cursor.

        A row that cannot be read is left out, with a sentence in ``errors``. Raises ``BadResponse`` where the
        report does not go on as it should.
        """
        name, progress = "", Progress()
        while True:
            more = {"cursor": name} if name else {}
            reply = self.read(
                path, params={**(params or {}), "pageSize": page_size, **more}, max_body=PAGE_BYTES
            )
            page = reply.decode(_Report)
            if page.results is msgspec.UNSET and page.cursor is None:
                raise reply.misshapen("neither results nor a cursor - at `$.results`")
            found = page.results or []
            if not found:
                return
            progress.note(reply, (len(found), bytes(found[0]), bytes(found[-1])))
            yield readable(reply, found, kind, errors, self.redact)
            name = page.cursor.name or "" if page.cursor else ""
            if not name:
                return

    @property
    def token(self) -> SessionToken:
        """What signs the requests; signs in first where nobody has."""
        assert self._session is not None
        if self._session.token is None:
            self._session.headers()
        assert self._session.token is not None
        return self._session.token

    def explain(self, reply: Reply) -> ProviderError | None:
        """NinjaOne's errors in words."""
        return readings.explained(reply, self.redact(readings.said(reply)))


def open_client(runtime: Runtime, connection: Connection, *, retries: int = RETRIES) -> NinjaOneClient:
    """A client for the connection; raises ``ConfigError`` when something is missing from it."""
    application = application_of(runtime, connection)
    session = VendorSession(connection.sessions, _sign_in(application, connection))
    return NinjaOneClient(
        runtime,
        application.base_url,
        secrets=(application.client_secret,),
        session=session,
        retries=retries,
    )


def application_of(runtime: Runtime, connection: Connection) -> Application:
    """The API application that the connection works by; raises ``ConfigError`` where something is missing."""
    base = base_of(runtime, connection)
    client_id = printable(str(connection.settings.get("client_id") or "").strip(), "client ID")
    secret = printable(connection.secrets.get("client_secret", "").strip(), "client secret")
    return Application(runtime, base, client_id, secret)


def base_of(runtime: Runtime, connection: Connection) -> str:
    """The address that is called; raises ``ConfigError`` where there is none."""
    base = runtime.base_urls.get(KEY) or connection.instance_url
    if not base:
        raise ConfigError("The address of NinjaOne is missing.")
    return base


def _sign_in(application: Application, connection: Connection) -> BrowserSignIn | ApplicationSignIn:
    if connection.auth_mode == CLIENT_CREDENTIALS:
        return ApplicationSignIn(application, scopes.asked(connection))
    if connection.auth_mode != OAUTH:
        raise ConfigError("Sign in to NinjaOne in the browser, or with the API application alone.")
    once = connection.once
    return BrowserSignIn(
        application,
        code=once.get("code", ""),
        redirect_uri=once.get("redirect_uri", ""),
        code_verifier=once.get("code_verifier", ""),
    )


def _last_id(reply: Reply, last: msgspec.Raw) -> int:
    """Where the next page begins."""
    try:
        found = msgspec.json.decode(last, type=_Row).id
    except msgspec.MsgspecError:
        found = None
    if found is None:
        raise reply.misshapen("no id - at `$[-1].id`")
    return found
