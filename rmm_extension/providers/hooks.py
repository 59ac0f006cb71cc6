"""What webhooks of several vendors have in common: our secret in a header, a signature, a JSON object."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.registrations import HEADER
from rmm_extension.domain.types import WebhookRequest

_HEADERS = (HEADER.lower(), "x-alga-webhook-secret")
"""Alga PSA's name for our header is taken, too."""
_BOM = b"\xef\xbb\xbf"


def bears_secret(request: WebhookRequest, secrets: Iterable[str]) -> bool:
    """Whether a header holds one of the secrets."""
    given = [value.encode() for name in _HEADERS if (value := request.headers.get(name))]
    return any_equal(given, [secret.encode() for secret in secrets if secret])


def any_equal(given: Sequence[bytes], wanted: Sequence[bytes]) -> bool:
    """Whether one of these is one of those. Every pair is compared, each in constant time."""
    return bool(sum(hmac.compare_digest(one, other) for one in given for other in wanted))


def json_object(body: bytes) -> dict[str, Any]:
    """The object that the body is; raises ``WebhookRejected`` for anything else."""
    try:
        found = msgspec.json.decode(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise WebhookRejected("not_json", "The body is not JSON.") from None
    if not isinstance(found, dict):
        raise WebhookRejected("wrong_shape", "The body is not a JSON object.")
    return found
