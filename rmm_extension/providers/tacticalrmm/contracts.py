"""The contract of the webhook body: what our template sends, and what older templates may add."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, missing

from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.values import storable, text

TEMPLATE_KEYS = (
    "event",
    "alert_id",
    "alert_type",
    "severity",
    "agent_id",
    "client_id",
    "site_id",
    "check_id",
    "task_id",
    "alert_time",
    "resolved_on",
)
"""The keys of our template, in its order."""
_LONGEST = 255
_SECRET = re.compile(r"secret|token|passw|api_?key", re.IGNORECASE)
_DEEPEST = 20


class Word(fields.Field[str | None]):
    """A short text or number; the text ``None``, with which the server renders null, is absent."""

    def deserialize(
        self,
        value: Any,
        attr: str | None = None,
        data: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> str | None:
        """In one step for what marshmallow does in five: every delivery has fourteen of these."""
        if value is missing or value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValidationError("Not a text.")
        found = text(value)
        if found and self.metadata.get("short", True) and len(found) > _LONGEST:
            raise ValidationError(f"Longer than {_LONGEST} characters.")
        return found


def _word(**metadata: Any) -> Word:
    return Word(metadata=metadata)


class WebhookBody(Schema):
    """Only ``agent_id`` is needed; the ids make the alert exact; the texts are taken where sent."""

    class Meta:
        unknown = EXCLUDE

    event = _word()
    alert_id = _word()
    alert_type = _word(short=False)
    severity = _word(short=False)
    agent_id = _word()
    client_id = _word()
    site_id = _word()
    check_id = _word()
    task_id = _word()
    alert_time = _word()
    resolved_on = _word()
    message = _word(short=False)
    hostname = _word()
    agent_hostname = _word()


_BODY = WebhookBody()
_FIELDS = tuple(_BODY.load_fields.items())


def load_body(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The contract's fields, and the whole body as it may be stored; raises ``WebhookRejected``."""
    document = _parse(body)
    if not _is_plain(body):
        document = storable(document)
    known = _known(document)
    return known, {key: value for key, value in document.items() if key in known or not _SECRET.search(key)}


def _known(document: dict[str, Any]) -> dict[str, Any]:
    """The contract's fields, each by itself; the schema is asked what is wrong only when something is.

    What its ``load`` does around the fields takes as long as the fields, and every delivery pays it.
    """
    try:
        return {name: field.deserialize(document.get(name)) for name, field in _FIELDS}
    except ValidationError:
        names = ", ".join(sorted(_BODY.validate(document))[:5])
        raise WebhookRejected("wrong_shape", f"The body has values of the wrong kind: {names}.") from None


def _is_plain(body: bytes) -> bool:
    """Whether the body can hold nothing that :func:`storable` would change: no escape, no deep nesting."""
    return b"\\u" not in body and body.count(b"{") + body.count(b"[") < _DEEPEST


def _parse(body: bytes) -> dict[str, Any]:
    try:
        document = _loads(body.decode("utf-8-sig"))
    except _Doubled as error:
        raise WebhookRejected("wrong_shape", f"The body has the key {error} twice.") from None
    except (ValueError, RecursionError):
        raise WebhookRejected("not_json", "The body is not JSON.") from None
    if isinstance(document, str):
        document = _unwrapped(document)
    if not isinstance(document, dict):
        raise WebhookRejected("wrong_shape", "The body is not a JSON object.")
    return document


def _unwrapped(inner: str) -> Any:
    """The object inside a body that came as one JSON string.

    Tactical RMM 1.5.1 does not escape quotes in values; when a value has one, the rendered template is no
    JSON any more and is sent as a string. If it parses nevertheless, it was merely wrapped; if not, the
    simple fields of our template are taken out by their keys.
    """
    try:
        return _loads(inner)
    except (ValueError, RecursionError):
        return _salvaged(inner)


def _salvaged(inner: str) -> dict[str, str]:
    if not inner.lstrip().startswith("{"):
        raise WebhookRejected("not_json", "The body is a JSON text, not an object.")
    found = {}
    for key in TEMPLATE_KEYS:
        places = inner.count(f'"{key}"')
        match = re.search(rf'"{key}"\s*:\s*(?:"([^"\\]*)"|(\d+))\s*[,}}]', inner)
        if places > 1 or (places == 1 and match is None):
            raise WebhookRejected(
                "not_json", f"The body is broken by a quote, and {key} cannot be told for certain."
            )
        if match:
            found[key] = match[1] if match[1] is not None else match[2]
    if not {"event", "alert_id", "agent_id"} <= found.keys():
        raise WebhookRejected("not_json", "The body is broken by a quote in one of its values.")
    return found


class _Doubled(ValueError):
    """A key stands twice: a value with quotes has smuggled one in."""


def _loads(source: str) -> Any:
    return _DECODER.decode(source)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        doubled = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise _Doubled(doubled[:40])
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
