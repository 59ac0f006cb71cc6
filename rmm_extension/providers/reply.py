"""A vendor's answer: read whole, checked for its shape, decoded into typed values."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from rmm_extension.domain.errors import BadResponse

T = TypeVar("T")
F = TypeVar("F", bound=BadResponse)


class HtmlInsteadOfJson(BadResponse):
    """The address answers with a web page: it is some other server, or another part of the right one."""


class Misshapen(BadResponse):
    """The answer is JSON of another shape than documented; ``path`` says where."""

    path = ""


class CutAnswer(BadResponse):
    """The answer is not whole JSON."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers (names in any case) and the whole body; the body never shows in ``repr``."""

    provider: str
    label: str
    path: str
    status: int
    request_id: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | bytearray = field(repr=False)

    @property
    def is_html(self) -> bool:
        """Whether the body is a web page, by its declared type or its first characters; nothing is none."""
        declared = self.headers.get("Content-Type", "").lower() if self.body else ""
        return "html" in declared or self.body[:64].lstrip().lower().startswith((b"<!doctype", b"<html"))

    @property
    def moment(self) -> datetime:
        """The server's clock by its ``Date`` header; ours when it sends none."""
        try:
            found = parsedate_to_datetime(self.headers.get("Date", ""))
        except (TypeError, ValueError):
            return datetime.now(UTC)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

    @property
    def retry_after(self) -> float | None:
        """Seconds of the ``Retry-After`` header, given as a number or as a date; ``None`` without one."""
        value = self.headers.get("Retry-After", "").strip()
        if value.replace(".", "", 1).isdigit():
            return min(float(value), 86_400.0)
        try:
            until = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return None
        until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
        return min(max((until - self.moment).total_seconds(), 0.0), 86_400.0)

    @property
    def texts(self) -> dict[str, str]:
        """The texts of an error body by their keys, as they came; empty for what is no JSON object."""
        try:
            found = msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return {}
        return {key: value for key, value in found.items() if isinstance(value, str) and value.strip()}

    def decode(self, kind: type[T]) -> T:
        """The body as ``kind``; raises :class:`BadResponse` that says where it differs."""
        self.require_json()
        try:
            return cast(T, _decoder(cast(Hashable, kind)).decode(self.body))
        except msgspec.ValidationError as error:
            raise self.misshapen(str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self.cut() from None

    def require_json(self) -> None:
        """Raise :class:`HtmlInsteadOfJson` for a web page."""
        if self.is_html:
            raise self._fault(HtmlInsteadOfJson, "is a web page instead of JSON")

    def misshapen(self, problem: str) -> Misshapen:
        """The error for JSON of another shape than documented; ``problem`` is msgspec's sentence."""
        path = place(problem)
        where = "" if path == _WHOLE else f" at {path}"
        error = self._fault(Misshapen, f"has an unexpected shape{where}")
        error.path = path
        return error

    def cut(self) -> CutAnswer:
        """The error for a body that ends too early or is no JSON."""
        return self._fault(CutAnswer, "is not whole JSON; it may have been cut on the way")

    def _fault(self, kind: type[F], what: str) -> F:
        return kind(
            f"The answer of {self.label} to {self.path} {what}.",
            provider=self.provider,
            status=self.status,
            request_id=self.request_id,
        )


@dataclass(frozen=True, slots=True)
class StreamedReply(Reply):
    """A success of which ``body`` is only the first piece; ``pieces`` gives all, this one too, once."""

    rest: Iterator[bytes | bytearray] = field(repr=False)
    close: Callable[[], None] = field(repr=False)

    @property
    def pieces(self) -> Iterator[bytes | bytearray]:
        """The body, piece by piece; raises the ``ProviderError`` of a body that breaks off."""
        yield self.body
        yield from self.rest


def place(problem: str) -> str:
    """Where in the document, as msgspec says it at the end of its sentence: ``$[3].hostname``."""
    path = problem.rpartition("`$")[2].rstrip("`") if "`$" in problem else ""
    return f"{_WHOLE}{path}"[:100]


_WHOLE = "$"


@lru_cache(maxsize=64)
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast(Any, kind))
