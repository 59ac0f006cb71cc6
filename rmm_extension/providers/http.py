"""The HTTP client that every vendor's client builds on.

Reads are repeated a little when the network or the server stumbles; writes never are, because nobody can tell
whether the first one arrived. Nobody sleeps long: a vendor that asks for more than ``repeats.PATIENCE`` gets
its wish as :class:`RateLimited`, and the job comes back later. Redirects are followed only within the same
server, so that a key never travels to another one. A session that has ended is renewed once per request.
Where a vendor counts requests, each one that leaves has its turn, a repeat and a hop as well. No error, log
line or ``repr`` holds a header, a query or a body.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from urllib.parse import urljoin, urlsplit

import requests
from ssrfguard import SSRFGuardError
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from rmm_extension.domain.errors import BadResponse, NotFound, ProviderError, Unavailable, nothing_done
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.values import storable
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.guard import Resolver, guarded_session, refusal
from rmm_extension.providers.no_answer import TimedOut, reading_of
from rmm_extension.providers.repeats import Repeats, read_retry
from rmm_extension.providers.reply import Reply, StreamedReply
from rmm_extension.providers.session import VendorSession
from rmm_extension.providers.statuses import common_error

log = logging.getLogger(__name__)

RETRIES = 2
"""How often a read is repeated after a failure that may pass."""
BACKOFF = 0.2
"""Factor of the growing pause between the repeats, in seconds."""
MAX_BODY = 64 * 2**20
"""Largest body read by default, in bytes."""
MAX_SECONDS = 300.0
"""Longest time one body may take, however steadily it drips."""
MAX_STREAM = 4 * 2**30
"""Largest body read piece by piece, in bytes."""
MAX_STREAM_SECONDS = 1800.0
"""Longest time that may be spent on waiting for the pieces of one body."""
_CHUNK = 2**20
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DOTS = frozenset({".", ".."})


@dataclass(frozen=True, slots=True)
class _Call:
    """One request, however often it is sent: its body at most ``max_body`` bytes and ``seconds`` of waiting.

    The body of a ``streamed`` one is left to the caller to read. ``patience`` is how long the answer may take
    to begin, in seconds; ``None`` as long as usual.
    """

    session: requests.Session
    method: str
    path: str
    params: Mapping[str, Any] | None
    json: Any
    max_body: int
    seconds: float = MAX_SECONDS
    streamed: bool = False
    patience: float | None = None
    form: Mapping[str, str] | None = None


class HttpClient:
    """Requests to one vendor account; use it in a ``with`` block so that its sockets are closed."""

    provider: ClassVar[str] = ""

    def __init__(
        self,
        runtime: Runtime,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
        session: VendorSession | None = None,
        retries: int = RETRIES,
        resolver: Resolver | None = None,
        pace: Callable[[], None] | None = None,
    ) -> None:
        self.runtime = runtime
        self._retries = retries
        self._pace = pace
        self.base_url = base_url.rstrip("/")
        self.label = provider_label(self.provider)
        self._headers = {"Accept": "application/json", "User-Agent": "rmm-extension", **(headers or {})}
        self._secrets = tuple(secret for secret in secrets if secret)
        self._session = session
        # What the adapter repeats by itself has no turn: a paced client repeats its reads one by one.
        by_itself = 0 if pace else retries
        self._reading = guarded_session(runtime, read_retry(by_itself, BACKOFF), resolver=resolver)
        self._writing = guarded_session(
            runtime, Retry(0, redirect=0, raise_on_status=False), resolver=resolver
        )
        self._cancelled = threading.Event()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.host})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def host(self) -> str:
        """The host name that is called."""
        return urlsplit(self.base_url).hostname or "?"

    def close(self) -> None:
        """Give the sockets back."""
        self._reading.close()
        self._writing.close()

    def cancel(self) -> None:
        """End the body that is being read, and every later request, with an error. Any thread may call it."""
        self._cancelled.set()

    def read(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        method: str = "GET",
        json: Any = None,
        max_body: int | None = None,
    ) -> Reply:
        """Ask for something without changing anything; repeated after passing failures.

        Raises the ``ProviderError`` of the answer's status, or of its absence.
        """
        return self._repeat(_Call(self._reading, method, path, params, json, max_body or MAX_BODY))

    @contextmanager
    def stream(
        self, path: str, *, params: Mapping[str, Any] | None = None, max_body: int = MAX_STREAM
    ) -> Iterator[StreamedReply]:
        """As :meth:`read`, for a body that is too large to be held: it is read in pieces, within the block.

        An error may come with any piece: what was read before it is then a beginning of unknown length.
        """
        call = _Call(self._reading, "GET", path, params, None, max_body, MAX_STREAM_SECONDS, streamed=True)
        reply = self._repeat(call)
        assert isinstance(reply, StreamedReply)
        try:
            yield reply
        finally:
            reply.close()

    def write(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Reply:
        """Change something; never repeated, because a lost answer does not prove a lost request.

        ``form`` is a body as OAuth takes it, in place of ``json``. ``patience``: seconds to wait for the
        answer to begin, where that may take longer than usual.
        """
        call = _Call(self._writing, method, path, None, json, MAX_BODY, patience=patience, form=form)
        try:
            return self._exchange(call)
        except _BodyLost as lost:
            # A read that signs in on its way must not take this for its own answer, and sign in again.
            raise self._trouble(Unavailable, str(lost), lost.request_id or "") from None

    def explain(self, reply: Reply) -> ProviderError | None:
        """The vendor's own reading of an error answer; ``None`` leaves it to the common one. Override it."""
        return None

    def error_for(self, reply: Reply) -> ProviderError:
        """The error of an answer that is not a success."""
        return self.explain(reply) or common_error(reply)

    def is_session_over(self, reply: Reply) -> bool:
        """Whether the answer says that the session has ended, so that a new one helps. Override it."""
        return reply.status == 401

    def also_hide(self, *secrets: str) -> None:
        """Keep these, too, out of every text: what goes into a request, and an answer may repeat."""
        self._secrets += tuple(secret for secret in secrets if secret)

    def redact(self, text: str, limit: int = 200) -> str:
        """``text`` without this client's secrets, on one line, at most ``limit`` characters."""
        return " ".join(storable(self.hide(text)).split())[:limit]

    def hide(self, text: str) -> str:
        """``text`` as it is, but without this client's secrets."""
        for secret in (*self._secrets, *(self._session.secrets() if self._session else ())):
            text = text.replace(secret, "•••")
        return text

    def _repeat(self, call: _Call) -> Reply:
        for _ in range(self._retries):
            try:
                return self._exchange(call)
            except _BodyLost:
                continue
        return self._exchange(call)

    def _exchange(self, call: _Call) -> Reply:
        request_id = str(uuid.uuid4())
        started = time.monotonic()
        if not _DOTS.isdisjoint(call.path.partition("?")[0].split("/")):
            # An id of dots would lead to another object, and there is no way to write it so that it does not.
            raise self._trouble(NotFound, f"{self.label} has nothing with the id “.” or “..”.", request_id)
        reply = self._travel(call, request_id)
        if self._session is not None and self.is_session_over(reply):
            # What was refused so was not carried out: a write may be sent again, too.
            with nothing_done():
                self._session.renew()
            reply = self._travel(call, request_id)
        log.debug(
            "%s %s %s: %s, %d bytes in %.3f s (%s)",
            self.provider,
            call.method,
            self.hide(call.path),
            reply.status,
            len(reply.body),
            time.monotonic() - started,
            request_id,
        )
        if 200 <= reply.status < 300:
            return reply
        raise self.error_for(reply)

    def _travel(self, call: _Call, request_id: str) -> Reply:
        url, params = f"{self.base_url}{call.path}", call.params
        for _ in range(4):
            reply = self._once(call, url, params, request_id)
            if reply.status not in _REDIRECTS:
                break
            url, params = self._next_hop(reply, url, call.method), None
        return reply

    def _once(self, call: _Call, url: str, params: Mapping[str, Any] | None, request_id: str) -> Reply:
        self._stop_if_cancelled(request_id)
        headers = {**self._headers, **self._signature(), "X-Request-ID": request_id}
        try:
            answer = self._send(call, url, params, headers)
        except SSRFGuardError as error:
            raise refusal(error, urlsplit(url).scheme) from None
        except requests.RequestException as error:
            raise self._no_answer(error, request_id) from None
        except ValueError:
            # requests reads where a redirect leads, though it is not asked to follow it.
            raise self._trouble(BadResponse, self._nowhere(self.hide(call.path)), request_id) from None
        return self._reply(call, answer, request_id)

    def _signature(self) -> Mapping[str, str]:
        """What signs a request; where that takes a sign-in that fails, nothing was sent yet."""
        with nothing_done():
            return self._session.headers() if self._session else {}

    def _send(
        self, call: _Call, url: str, params: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> requests.Response:
        is_repeated = self._pace is not None and call.session is self._reading
        repeats = Repeats(read_retry(self._retries if is_repeated else 0, BACKOFF))
        while True:
            self._take_turn(headers["X-Request-ID"])
            try:
                answer = call.session.request(
                    call.method,
                    url,
                    params=params,
                    json=call.json,
                    data=call.form,
                    headers=headers,
                    timeout=(self.runtime.connect_timeout, call.patience or self.runtime.read_timeout),
                    allow_redirects=False,
                    stream=True,
                )
            except requests.RequestException as error:
                if not repeats.after_error(call.method, error):
                    raise
                continue
            if not repeats.after_answer(call.method, answer):
                return answer
            answer.close()

    def _take_turn(self, request_id: str) -> None:
        """Wait until the request may leave, if it still should then."""
        if self._pace is not None:
            self._pace()
            self._stop_if_cancelled(request_id)

    def _stop_if_cancelled(self, request_id: str) -> None:
        if self._cancelled.is_set():
            raise self._trouble(Unavailable, f"The request to {self.label} was cancelled.", request_id)

    def _reply(self, call: _Call, answer: requests.Response, request_id: str) -> Reply:
        pieces = self._pieces(call, answer, request_id)
        path = self.hide(call.path)
        parts = (self.provider, self.label, path, answer.status_code, request_id, answer.headers)
        if call.streamed and 200 <= answer.status_code < 300:
            try:
                return StreamedReply(*parts, next(pieces, b""), pieces, answer.close)
            except ProviderError:
                answer.close()
                raise
        # One growing buffer: a list of chunks would need twice the memory when joined.
        body = bytearray()
        with answer:
            for piece in pieces:
                body += piece
        return Reply(*parts, body)

    def _pieces(self, call: _Call, answer: requests.Response, request_id: str) -> Iterator[bytes | bytearray]:
        """The body as it comes. Only the waiting counts: a caller may take its time with a piece."""
        # Undecoded reading is twice as fast: it copies once instead of three times.
        packed = "Content-Encoding" in answer.headers
        what, length, waited = f"The answer of {self.label} to {self.hide(call.path)}", 0, 0.0
        while True:
            before = time.monotonic()
            try:
                piece = _next_piece(answer.raw, packed, before + call.seconds - waited)
            except (HTTPError, OSError):
                raise self._trouble(_BodyLost, f"{what} was cut off.", request_id) from None
            if not piece:
                return
            length, waited = length + len(piece), waited + time.monotonic() - before
            if length > call.max_body:
                raise self._trouble(BadResponse, f"{what} is too large.", request_id)
            if waited > call.seconds or self._cancelled.is_set():
                raise self._trouble(TimedOut, f"{what} took too long.", request_id)
            yield piece

    def _next_hop(self, reply: Reply, url: str, method: str) -> str:
        here = urlsplit(url)
        try:
            target = urljoin(url, reply.headers.get("Location", ""))
            there = urlsplit(target)
            is_same = (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)
        except ValueError:
            raise self._trouble(
                BadResponse, self._nowhere(reply.path), reply.request_id, reply.status
            ) from None
        if not is_same:
            raise self._trouble(
                BadResponse,
                f"The server redirects to {there.scheme}://{there.hostname}, and the credentials are not sent"
                " there. If that is the right server, enter its address.",
                reply.request_id,
                reply.status,
            )
        if method != "GET":
            raise self._trouble(
                BadResponse, f"{self.label} redirects {reply.path} elsewhere.", reply.request_id, reply.status
            )
        return target

    def _nowhere(self, path: str) -> str:
        return f"{self.label} redirects {path} to what is no address."

    def _no_answer(self, error: requests.RequestException, request_id: str) -> ProviderError:
        kind, sentence = reading_of(error, self.host)
        return self._trouble(kind, sentence, request_id)

    def _trouble(
        self, kind: type[ProviderError], message: str, request_id: str, status: int | None = None
    ) -> ProviderError:
        return kind(message, provider=self.provider, status=status, request_id=request_id)


def _next_piece(raw: Any, packed: bool, until: float) -> bytes | bytearray:
    """What has come by then, at most a chunk: waiting for a whole one, a server that drips could keep us."""
    piece: bytes = raw.read1(_CHUNK, decode_content=packed)
    if not piece or len(piece) >= _CHUNK:
        return piece
    gathered = bytearray(piece)
    while len(gathered) < _CHUNK and time.monotonic() < until:
        piece = raw.read1(_CHUNK - len(gathered), decode_content=packed)
        if not piece:
            break
        gathered += piece
    return gathered


class _BodyLost(Unavailable):
    """The body broke off: a read may be repeated."""
