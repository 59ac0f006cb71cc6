"""Whose patches are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from rmm_extension.host import Assets
from rmm_extension.models import Integration
from rmm_extension.providers.contract import Provider
from rmm_extension.services.context import Rmm


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A connection whose devices are told.

    ``asked_at`` is when this attempt asked the vendor, ``began_at`` when the run's first attempt did.
    ``counts`` says that the devices' numbers follow from the lists, for their vendor tells none; ``alone``
    that one device was asked for.
    """

    tenant_id: str
    integration_id: UUID
    provider: str
    asked_at: datetime
    began_at: datetime
    counts: bool
    alone: bool
    assets: Assets | None

    @classmethod
    def of(
        cls,
        rmm: Rmm,
        row: Integration,
        provider: Provider,
        *,
        asked_at: datetime,
        began_at: datetime,
        alone: bool = False,
    ) -> Self:
        """This connection, asked now."""
        return cls(
            tenant_id=row.tenant_id,
            integration_id=row.id,
            provider=row.provider,
            asked_at=asked_at,
            began_at=began_at,
            counts=not provider.manifest.tells_patch_numbers,
            alone=alone,
            assets=rmm.host.assets,
        )

    @property
    def values(self) -> dict[str, Any]:
        """The parameters every statement begins with."""
        return {"tenant": self.tenant_id, "integration": self.integration_id}
