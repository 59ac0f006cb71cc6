"""Secrets at rest: AES-GCM, bound to the place they belong to."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError
from rmm_extension.models import Integration, Secret, new_id, utc_now

ASIDE = "left:"
"""Names that begin so are of what a connection has left: taken by its name, never with the rest."""
_NONCE = 12
_HELD = ~Secret.name.startswith(ASIDE, autoescape=True)


class Vault:
    """Encrypts with the first key, decrypts with any.

    Tenant, connection and name are the additional data: a ciphertext copied to another row is refused.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._active = next(iter(keys))

    @property
    def active_key_id(self) -> str:
        """Id of the key that encrypts."""
        return self._active

    @property
    def key_ids(self) -> list[str]:
        """Ids of the keys that decrypt."""
        return list(self._ciphers)

    def seal(self, tenant_id: str, integration_id: UUID, name: str, value: str) -> tuple[str, bytes]:
        """The key id and the ciphertext (nonce in front)."""
        nonce = os.urandom(_NONCE)
        place = _place(tenant_id, integration_id, name)
        return self._active, nonce + self._ciphers[self._active].encrypt(nonce, value.encode(), place)

    def open(self, tenant_id: str, integration_id: UUID, name: str, key_id: str, ciphertext: bytes) -> str:
        """The value in clear; raises ``ConfigError`` when the key is gone or the row was tampered with."""
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise ConfigError(
                f"The secret {name} was encrypted with key {key_id}, missing in RMM_SECRET_KEYS."
            )
        place = _place(tenant_id, integration_id, name)
        try:
            return cipher.decrypt(ciphertext[:_NONCE], ciphertext[_NONCE:], place).decode()
        except (InvalidTag, ValueError) as error:
            raise ConfigError(
                f"The secret {name} cannot be decrypted: enter it again on the connection's page."
            ) from error

    def store(
        self,
        session: Session,
        tenant_id: str,
        integration_id: UUID,
        name: str,
        value: str,
        *,
        hinted: bool = True,
    ) -> None:
        """Encrypt and keep a secret in place of an earlier one.

        ``hinted``: pages show its last four characters, so that people know it again; not for a password,
        which a person made up.
        """
        key_id, ciphertext = self.seal(tenant_id, integration_id, name, value)
        row = {
            "key_id": key_id,
            "ciphertext": ciphertext,
            "hint": value[-4:] if hinted and len(value) > 8 else "",
            "updated_at": utc_now(),
        }
        statement = insert(Secret).values(
            tenant_id=tenant_id, id=new_id(), integration_id=integration_id, name=name, **row
        )
        session.execute(
            statement.on_conflict_do_update(index_elements=["tenant_id", "integration_id", "name"], set_=row)
        )

    def read(self, session: Session, tenant_id: str, integration_id: UUID) -> dict[str, str]:
        """All secrets of a connection in clear: only for handing them to a provider."""
        rows = session.execute(
            select(Secret.name, Secret.key_id, Secret.ciphertext).where(
                Secret.tenant_id == tenant_id, Secret.integration_id == integration_id, _HELD
            )
        )
        return {r.name: self.open(tenant_id, integration_id, r.name, r.key_id, r.ciphertext) for r in rows}

    def read_beside(
        self, session: Session, tenant_id: str, integration_id: UUID
    ) -> tuple[dict[str, str], datetime | None]:
        """As :meth:`read`, with when address, mode and secrets were saved: both of one moment."""
        mine = and_(Secret.tenant_id == Integration.tenant_id, Secret.integration_id == Integration.id, _HELD)
        columns = (Integration.connected_at, Secret.name, Secret.key_id, Secret.ciphertext)
        rows = session.execute(
            select(*columns)
            .select_from(Integration)
            .outerjoin(Secret, mine)
            .where(Integration.tenant_id == tenant_id, Integration.id == integration_id)
        ).all()
        held = [row for row in rows if row.name is not None]
        secrets = {r.name: self.open(tenant_id, integration_id, r.name, r.key_id, r.ciphertext) for r in held}
        return secrets, rows[0].connected_at if rows else None

    def read_named(
        self, session: Session, tenant_id: str, integration_ids: Collection[UUID], name: str
    ) -> dict[UUID, str]:
        """One secret of several connections in clear, by connection; without those that cannot be read."""
        rows = session.execute(
            select(Secret.integration_id, Secret.key_id, Secret.ciphertext).where(
                Secret.tenant_id == tenant_id,
                Secret.integration_id.in_(list(integration_ids)),
                Secret.name == name,
            )
        )
        found = {}
        for row in rows:
            with suppress(ConfigError):
                found[row.integration_id] = self.open(
                    tenant_id, row.integration_id, name, row.key_id, row.ciphertext
                )
        return found

    def take(self, session: Session, tenant_id: str, integration_id: UUID, name: str) -> str | None:
        """One secret in clear, by its name."""
        row = session.execute(
            select(Secret.key_id, Secret.ciphertext).where(
                Secret.tenant_id == tenant_id, Secret.integration_id == integration_id, Secret.name == name
            )
        ).first()
        return self.open(tenant_id, integration_id, name, row.key_id, row.ciphertext) if row else None

    def hints(self, session: Session, tenant_id: str, integration_id: UUID) -> dict[str, str]:
        """What a page shows of each secret that is set: bullets and the last four characters."""
        rows = session.execute(
            select(Secret.name, Secret.hint).where(
                Secret.tenant_id == tenant_id, Secret.integration_id == integration_id, _HELD
            )
        )
        return {row.name: f"•••• {row.hint}".strip() for row in rows}

    def drop(self, session: Session, tenant_id: str, integration_id: UUID, names: Sequence[str] = ()) -> None:
        """Delete the named secrets of a connection, or all of them."""
        statement = delete(Secret).where(
            Secret.tenant_id == tenant_id, Secret.integration_id == integration_id
        )
        session.execute(statement.where(Secret.name.in_(names) if names else _HELD))

    def rotate(self, session: Session, limit: int = 500) -> int:
        """Re-encrypt up to ``limit`` secrets that another key encrypted; how many were done.

        Those that cannot be read are passed over; :meth:`waiting_for_rotation` counts them afterwards.
        """
        rows = session.scalars(
            select(Secret)
            .where(Secret.key_id != self._active, Secret.key_id.in_(self.key_ids))
            .order_by(Secret.tenant_id, Secret.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        done = sum(self._reseal(row) for row in rows)
        session.flush()
        return done

    def _reseal(self, row: Secret) -> bool:
        try:
            value = self.open(row.tenant_id, row.integration_id, row.name, row.key_id, row.ciphertext)
        except ConfigError:
            return False
        row.key_id, row.ciphertext = self.seal(row.tenant_id, row.integration_id, row.name, value)
        return True

    def waiting_for_rotation(self, session: Session) -> int:
        """How many secrets another key than the active one encrypted."""
        return session.scalar(select(func.count()).where(Secret.key_id != self._active)) or 0


def _place(tenant_id: str, integration_id: UUID, name: str) -> bytes:
    return f"{tenant_id}\x1f{integration_id}\x1f{name}".encode()
