"""What the API key allows: what is read is proven by reading, what changes something cannot be asked.

Level's keys read, or read and write; there is nothing finer, and nothing that tells which of the two one is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from rmm_extension.domain.types import PermissionLine
from rmm_extension.providers.levelio.alerts import PATH as ALERTS
from rmm_extension.providers.levelio.automations import AUTOMATIONS, WEBHOOKS
from rmm_extension.providers.levelio.client import LevelClient
from rmm_extension.providers.levelio.manifest import MANIFEST
from rmm_extension.providers.levelio.organizations import DEVICES, GROUPS
from rmm_extension.providers.levelio.patches import PATH as UPDATES
from rmm_extension.providers.permission_states import NOT_CHECKED, of_reading

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
        state, message = of_reading(MANIFEST.label, partial(_read, client, paths))
        yield PermissionLine(feature=feature, switches=("Read",), state=state, message=message)
    for feature in WRITING:
        yield PermissionLine(feature=feature, switches=("Read and write",), state=NOT_CHECKED, message=UNTOLD)


def _read(client: LevelClient, paths: tuple[str, ...]) -> None:
    for path in paths:
        client.read(path, params={"limit": 1} if path != WEBHOOKS else None).require_json()
