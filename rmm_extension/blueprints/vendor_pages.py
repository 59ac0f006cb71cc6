"""The vendor's own page about a device."""

from __future__ import annotations

from urllib.parse import urlsplit

from rmm_extension.domain.types import Connection
from rmm_extension.providers.capabilities import HasDevicePage
from rmm_extension.services.queries.devices import DeviceDetail

from .context import provider_of


def vendor_page(found: DeviceDetail) -> str | None:
    """Where the vendor shows the device to those who are signed in there; ``None`` where it has no such page,
    or only one that anybody on the way could read."""
    provider = provider_of(found.provider)
    if not isinstance(provider, HasDevicePage):
        return None
    device = found.device
    connection = Connection(
        tenant_id=device.tenant_id,
        integration_id=str(device.integration_id),
        provider=found.provider,
        instance_url=found.instance_url,
    )
    url = provider.device_page(connection, device.external_id)
    return url if urlsplit(url).scheme == "https" else None
