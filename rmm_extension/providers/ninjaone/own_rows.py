"""A device's own rows of what NinjaOne reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from rmm_extension.domain.errors import BadResponse, NotFound
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.errors import KEY, WrongHost

T = TypeVar("T")


def rows_of_device(
    client: NinjaOneClient,
    external_id: str,
    part: str,
    kind: type[T],
    params: Mapping[str, Any] | None = None,
) -> Sequence[T]:
    """A list of one device, whole or ``BadResponse``; ``NotFound`` where there is no such device or list."""
    if not external_id.isdecimal():
        raise NotFound("NinjaOne's devices are known by numbers.")
    try:
        reply = client.read(f"/v2/device/{external_id}/{part}", params=params)
    except WrongHost as error:
        # Not an answer about this device: it must not be taken for gone.
        raise BadResponse(str(error), provider=KEY, status=error.status) from None
    return reply.decode(list[kind])  # type: ignore[valid-type]
