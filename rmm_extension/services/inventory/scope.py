"""What the writing of a page needs to know of its sync."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from rmm_extension.domain import fingerprint
from rmm_extension.providers.contract import Manifest
from rmm_extension.services.context import Rmm

MAKES_ASSETS = "makeAssets"
"""The setting of a connection that says whether a device that is no asset yet becomes one."""


def makes_assets(manifest: Manifest, settings: Mapping[str, Any]) -> bool:
    """Whether the connection makes assets of its devices: as it is set, or as its vendor's usually do."""
    wish = settings.get(MAKES_ASSETS)
    return wish if isinstance(wish, bool) else manifest.makes_assets


@dataclass(slots=True)
class Listing:
    """How far the listing has come: which devices it named, and which organizations it has told completely.

    ``silent`` are those it named as not online. ``earlier`` are organizations that an earlier attempt of the
    run completed: what they named is not known here. ``is_first`` of a connection that was never synced: its
    devices are taken for new without a look, until a row that is there proves otherwise. ``is_over`` once the
    vendor has nothing more to say.
    """

    earlier: frozenset[str] = frozenset()
    seen: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    complete: set[str] = field(default_factory=set)
    is_first: bool = False
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """``clients`` maps each organization that is synced to its client, ``settings`` are the connection's.

    ``listing`` is ``None`` when one device was fetched alone.
    """

    rmm: Rmm
    tenant_id: str
    integration_id: UUID
    provider: str
    clients: Mapping[str, str | None]
    settings: Mapping[str, Any] = field(default_factory=dict)
    listing: Listing | None = None
    owners: dict[str | None, bytes] = field(default_factory=dict)

    def owner(self, client_id: str | None) -> bytes:
        """The client's digest, made once a run."""
        known = self.owners.get(client_id)
        if known is None:
            known = self.owners[client_id] = fingerprint.owner_digest(client_id)
        return known

    @property
    def makes_assets(self) -> bool:
        """Whether a device that is no asset yet becomes one."""
        return self.rmm.host.assets is not None and makes_assets(self.manifest, self.settings)

    @property
    def manifest(self) -> Manifest:
        """What the vendor's module says of itself."""
        return self.rmm.providers.get(self.provider).manifest

    @property
    def place(self) -> dict[str, object]:
        """The parameters every statement begins with."""
        return {"tenant": self.tenant_id, "integration": self.integration_id}
