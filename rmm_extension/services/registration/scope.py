"""What a vendor keeps one webhook for, as it is compared and stored: as a digest."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from rmm_extension.domain.types import Connection
from rmm_extension.providers.capabilities import RegistersWebhooks
from rmm_extension.providers.contract import Provider


def scope_of(provider: Provider, connection: Connection) -> str | None:
    """A digest of what the vendor keeps one webhook for; ``None`` for one that is told of none."""
    if not isinstance(provider, RegistersWebhooks):
        return None
    return digest(provider.manifest.key, provider.registration_scope(connection))


def digest(*parts: object) -> str:
    """A digest of these values, each in its place."""
    return sha256(msgspec.json.encode(parts)).hexdigest()
