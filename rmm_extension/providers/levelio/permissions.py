"""What the API key allows: what is read is proven by reading, what changes something cannot be asked.

Level's keys read, or read and write; there is nothing finer, and nothing that tells which of the two one is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rmm_extension.domain.errors import AuthFailed, PermissionMissing, ProviderError
from rmm_extension.domain.types import PermissionLine
from rmm_extension.providers.levelio.alerts import PATH as ALERTS
from rmm_extension.providers.levelio.automations import AUTOMATIONS, WEBHOOKS
from rmm_extension.providers.levelio.client import LevelClient
from rmm_extension.providers.levelio.organizations import DEVICES, GROUPS
from rmm_extension.providers.levelio.patches import PATH as UPDATES

OK, MISSING, NOT_CHECKED = "ok", "missing", "not_checked"
READING: Mapping[str, tuple[str, ...]] = {
    "Groups": (GROUPS,),
    "Devices and their hardware": (DEVICES,),
    "Alerts": (ALERTS,),
    "Updates as patches": (UPDATES,),
    "Automations": (AUTOMATIONS, WEBHOOKS),
}
"""Features with the small requests that prove them."""
WRITING = ("Resolving alerts", "Starting automations")
UNTOLD = "Whether the key may write shows only when something is changed: Level does not tell it."


def lines(client: LevelClient) -> Iterator[PermissionLine]:
    """The whole table. Raises ``AuthFailed`` when the key itself is refused."""
    for feature, paths in READING.items():
        state, message = _read(client, paths)
        yield PermissionLine(feature=feature, switches=("Read",), state=state, message=message)
    for feature in WRITING:
        yield PermissionLine(feature=feature, switches=("Read and write",), state=NOT_CHECKED, message=UNTOLD)


def _read(client: LevelClient, paths: tuple[str, ...]) -> tuple[str, str]:
    try:
        for path in paths:
            client.read(path, params={"limit": 1} if path != WEBHOOKS else None).require_json()
    except PermissionMissing as error:
        return MISSING, str(error)
    except AuthFailed:
        raise
    except ProviderError as error:
        return NOT_CHECKED, f"That could not be found out: {error}"
    return OK, "Level lets it be read."
