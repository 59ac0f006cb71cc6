"""What a provider's actions may ask of our side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import or_, select

from rmm_extension.domain.actions import LocalAlert, Target
from rmm_extension.domain.types import OPEN_STATUSES, AlertEvent, AlertKind, Channel, Connection
from rmm_extension.host import Actor
from rmm_extension.models import Alert, DeviceRow, utc_now
from rmm_extension.services import audit
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory.refresh import refresh_now
from rmm_extension.services.messaging import Messaging
from rmm_extension.services.queries.paging import contains
from rmm_extension.services.unit import unit
from rmm_extension.services.webhooks import take

from . import invocations


class Context:
    """One connection, as an action of ``actor`` sees it. Each look is a short transaction of its own."""

    def __init__(self, rmm: Rmm, connection: Connection, actor: Actor) -> None:
        self._rmm, self._connection, self._actor = rmm, connection, actor
        self._integration_id = UUID(connection.integration_id)

    @property
    def messaging(self) -> Messaging:
        """Whom a chat service can reach; its actions alone use it."""
        return Messaging(self._rmm, self._connection.tenant_id, self._integration_id)

    def find_devices(
        self,
        *,
        external_id: str | None = None,
        external_ids: Collection[str] | None = None,
        asset_id: str | None = None,
        text: str | None = None,
        limit: int = 50,
    ) -> Sequence[Target]:
        """Devices of the connection that were not deleted, by name; ``text`` is a part of name or serial."""
        wanted = [
            DeviceRow.tenant_id == self._connection.tenant_id,
            DeviceRow.integration_id == self._integration_id,
            DeviceRow.deleted_at.is_(None),
        ]
        if external_id:
            wanted.append(DeviceRow.external_id == external_id)
        if external_ids is not None:
            wanted.append(DeviceRow.external_id.in_(external_ids))
        if asset_id:
            wanted.append(DeviceRow.asset_id == asset_id)
        if text:
            pattern = contains(text)
            wanted.append(or_(DeviceRow.name.ilike(pattern), DeviceRow.serial.ilike(pattern)))
        statement = select(DeviceRow).where(*wanted).order_by(DeviceRow.name, DeviceRow.id).limit(limit)
        with unit(self._rmm) as session:
            return [invocations.target(row) for row in session.scalars(statement)]

    def find_alerts(
        self, *, external_id: str | None = None, open_only: bool = True, limit: int = 50
    ) -> Sequence[LocalAlert]:
        """Alerts of the connection as they stand here, the newest first."""
        wanted = [
            Alert.tenant_id == self._connection.tenant_id,
            Alert.integration_id == self._integration_id,
        ]
        if external_id:
            wanted.append(Alert.external_id == external_id)
        if open_only:
            wanted.append(Alert.status.in_(OPEN_STATUSES))
        statement = select(Alert).where(*wanted).order_by(Alert.triggered_at.desc(), Alert.id.desc())
        with unit(self._rmm) as session:
            return [_local(row) for row in session.scalars(statement.limit(limit))]

    def sync_device(self, external_id: str) -> Target | None:
        """Fetch the device from the vendor and write it here, as a sync does."""
        counts = refresh_now(self._rmm, self._connection.tenant_id, self._integration_id, external_id)
        if counts.get("missing") or counts.get("skipped"):
            return None
        return next(iter(self.find_devices(external_id=external_id, limit=1)), None)

    def alert_was_reset(self, external_id: str, message: str) -> LocalAlert | None:
        """Take in, by the pipeline, that the vendor has reset the alert for this action."""
        known = next(iter(self.find_alerts(external_id=external_id, open_only=False, limit=1)), None)
        if known is None:
            return None
        self._note(known, message)
        event = AlertEvent(
            kind=AlertKind.RESET,
            external_id=external_id,
            # However the vendor's clock goes: this is later than what is known of the alert.
            occurred_at=max(utc_now(), known.updated_at),
        )
        take(self._rmm, self._connection.tenant_id, self._integration_id, event, Channel.MANUAL)
        return next(iter(self.find_alerts(external_id=external_id, open_only=False, limit=1)), known)

    def _note(self, known: LocalAlert, message: str) -> None:
        with unit(self._rmm) as session:
            audit.record(
                session,
                self._actor,
                "alert.vendor_reset",
                subject_type="alert",
                subject_id=known.alert_id,
                subject_name=known.title or known.external_id,
                integration_id=self._integration_id,
                changes={"the vendor says": message},
            )


def _local(row: Alert) -> LocalAlert:
    return LocalAlert(
        alert_id=str(row.id),
        external_id=row.external_id,
        status=row.status,
        severity=row.severity,
        message=row.message,
        title=row.alert_class or row.activity_type,
        external_device_id=row.external_device_id,
        device_id=str(row.device_id) if row.device_id else None,
        asset_id=row.asset_id,
        source_type=row.source_type,
        triggered_at=row.triggered_at,
        updated_at=row.last_event_at,
        acknowledged_at=row.acknowledged_at,
        raw=row.raw,
    )
