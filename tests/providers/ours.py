"""Our side, as a provider's action sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rmm_extension.domain.actions import LocalAlert, Target
from rmm_extension.domain.messaging import MessagingContext


@dataclass
class Ours:
    """What is known here; what an action told is kept in ``reset`` and ``synced``."""

    devices: list[Target] = field(default_factory=list)
    alerts: list[LocalAlert] = field(default_factory=list)
    reset: list[str] = field(default_factory=list)
    synced: list[str] = field(default_factory=list)

    def find_devices(self, **wanted: Any) -> Sequence[Target]:
        ids, one, asset = (wanted.get(name) for name in ("external_ids", "external_id", "asset_id"))
        return [
            target
            for target in self.devices
            if (ids is None or target.external_id in ids)
            and (one is None or target.external_id == one)
            and (asset is None or target.asset_id == asset)
        ][: wanted["limit"]]

    def find_alerts(
        self, *, external_id: str | None = None, open_only: bool = True, limit: int = 50
    ) -> Sequence[LocalAlert]:
        return [one for one in self.alerts if external_id in (None, one.external_id)][:limit]

    def sync_device(self, external_id: str) -> Target | None:
        self.synced.append(external_id)
        return next((one for one in self.devices if one.external_id == external_id), None)

    @property
    def messaging(self) -> MessagingContext:
        raise AssertionError("These actions use no chat service.")

    def alert_was_reset(self, external_id: str, message: str) -> LocalAlert | None:
        self.reset.append(external_id)
        return next(iter(self.find_alerts(external_id=external_id)), None)


def target(external_id: object, **changes: Any) -> Target:
    given = {"device_id": "d", "external_organization_id": "1", "name": "SRV-1", "status": "online"}
    return Target(**{"external_id": str(external_id), **given, **changes})
