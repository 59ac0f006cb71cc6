"""A webhook that the vendor is told of by a call, instead of by a person."""

from __future__ import annotations

from enum import StrEnum

import msgspec

HEADER = "X-RMM-Webhook-Secret"
"""The header that a vendor is asked to send the secret in."""


class WebhookRegistration(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor is to send, and where to.

    ``secret`` goes into the header ``header`` of each delivery. ``organization_ids`` are the external ids of
    the organizations to be told of; ``None`` are all. Never logged: the secret is in clear.
    """

    url: str
    header: str
    secret: str
    organization_ids: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return "WebhookRegistration(•••)"


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider has its vendor send. ``words`` say it, a line each; ``version`` is another one whenever
    the vendor would have to be told anew, such as by a release that subscribes to more."""

    version: str
    words: tuple[str, ...]


class RegistrationState(StrEnum):
    """Where the registration of a connection's webhook is."""

    NONE = "none"
    WAITING = "waiting"
    REGISTERED = "registered"
    FAILED = "failed"
