"""One page of NinjaOne's activity log, as ``GET /v2/activities`` gives it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from rmm_extension.providers.ninjaone.client import NinjaOneClient

PATH = "/v2/activities"


class Page(msgspec.Struct, frozen=True):
    """``activities``, newest first; ``last_id`` is the newest of the whole account and no cursor.

    ``at`` is the server's time.
    """

    activities: tuple[dict[str, Any], ...]
    last_id: int | None
    at: datetime


class _Answer(msgspec.Struct, rename="camel"):
    last_activity_id: int | msgspec.UnsetType | None = msgspec.UNSET
    activities: list[Any] | msgspec.UnsetType | None = msgspec.UNSET


def page(client: NinjaOneClient, size: int, params: Mapping[str, Any]) -> Page:
    """The page of this size; what is no object in it is left out. Raises ``BadResponse``."""
    reply = client.read(PATH, params={**params, "pageSize": size})
    answer = reply.decode(_Answer)
    if answer.activities is msgspec.UNSET and answer.last_activity_id is msgspec.UNSET:
        raise reply.misshapen("neither activities nor their last id - at `$`")
    found = [] if isinstance(answer.activities, msgspec.UnsetType) else answer.activities or []
    last_id = None if isinstance(answer.last_activity_id, msgspec.UnsetType) else answer.last_activity_id
    objects = tuple(one for one in found if isinstance(one, dict))
    return Page(objects, last_id, reply.moment)
