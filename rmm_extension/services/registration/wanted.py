"""What a vendor is to be told: as the connection, its mapping and the installation are now."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.registrations import HEADER, WebhookRegistration
from rmm_extension.models import Integration, OrganizationMapping
from rmm_extension.providers.capabilities import RegistersWebhooks
from rmm_extension.services.context import Rmm
from rmm_extension.services.webhook_access import SECRET, TOKEN, webhook_path

from .scope import digest
from .state import MAPPED, ORGANIZATIONS


def wanted(
    rmm: Rmm, session: Session, row: Integration, secrets: Mapping[str, str]
) -> WebhookRegistration | None:
    """The webhook as the vendor is to have it; ``None`` where it is to have none.

    None is wanted while the webhook is off, and while only mapped organizations are told of and none is
    mapped: an empty list could be read as all. The address must be known.
    """
    if not row.webhook_enabled or TOKEN not in secrets or rmm.settings.public_url is None:
        return None
    organizations = told_of(session, row)
    if organizations == ():
        return None
    return WebhookRegistration(
        url=f"{rmm.settings.public_url}{webhook_path(row.provider, secrets[TOKEN])}",
        header=HEADER,
        secret=secrets[SECRET],
        organization_ids=organizations,
    )


def told_of(session: Session, row: Integration) -> tuple[str, ...] | None:
    """The organizations that the vendor is to tell of, in a fixed order; ``None`` are all."""
    if row.settings.get(ORGANIZATIONS) != MAPPED:
        return None
    statement = select(OrganizationMapping.external_id).where(
        OrganizationMapping.tenant_id == row.tenant_id,
        OrganizationMapping.integration_id == row.id,
        OrganizationMapping.client_id.is_not(None),
        OrganizationMapping.missing_since.is_(None),
    )
    return tuple(sorted(session.scalars(statement)))


def digest_of(registration: WebhookRegistration, scope: str, basis: str) -> str:
    """Equal for two registrations that the vendor would not tell apart.

    It may stand in the database: the secret in it is random and long.
    """
    return digest(*msgspec.structs.astuple(registration), scope, basis)


def basis_of(rmm: Rmm, provider: RegistersWebhooks) -> str:
    """What the release and the installation's configuration bring into a registration."""
    return digest(rmm.settings.public_url, provider.subscription().version)
