"""Alerts of Level: all that are active, one of them, and resolving it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rmm_extension.domain.errors import BadResponse, InvalidRequest, NotFound
from rmm_extension.domain.types import AlertEvent, AlertKind, Receipt
from rmm_extension.providers.levelio.client import LevelClient, path_of
from rmm_extension.providers.levelio.errors import KEY
from rmm_extension.providers.levelio.events import SYNTHESIZED, Nameless, of_alert

PATH = "/v2/alerts"


def active(client: LevelClient, device_id: str | None = None) -> Sequence[AlertEvent]:
    """Everything that is active, complete or an error; of one device where it is named."""
    errors: list[str] = []
    found: dict[str, AlertEvent] = {}
    now = datetime.now(UTC)
    params = {"status": "active", **({"device_id": device_id} if device_id else {})}
    for page in client.listing(PATH, dict[str, Any], errors=errors, params=params):
        for row in page:
            try:
                event = of_alert(row, now)
            except Nameless:
                errors.append("An alert has no id.")
                continue
            found[event.external_id] = event
    if errors:
        # One that is missing in the list would be taken for resolved.
        raise BadResponse(f"The list at {PATH} is not complete. {errors[0]}", provider=KEY)
    # What is over is left out, should Level pass over what was asked for.
    return [event for event in found.values() if event.kind is AlertKind.TRIGGERED]


def single(client: LevelClient, external_id: str) -> AlertEvent | None:
    """One alert now; ``None`` when Level does not know it."""
    _require_id(external_id)
    try:
        reply = client.read(path_of("alerts", external_id))
    except NotFound:
        return None
    try:
        found = of_alert(reply.decode(dict[str, Any]), reply.moment)
    except Nameless:
        raise reply.misshapen("no id - at `$.id`") from None
    if found.external_id != external_id:
        raise reply.misshapen("another alert - at `$.id`")
    return found


def resolve(client: LevelClient, external_id: str) -> Receipt:
    """Resolve the alert; one that is gone or over counts as resolved. What Level answers is not published."""
    _require_id(external_id)
    try:
        reply = client.write("POST", path_of("alerts", external_id, "/resolve"))
    except NotFound as error:
        return Receipt(accepted=True, message="The alert no longer exists in Level.", status=error.status)
    except InvalidRequest as error:
        if not _is_over(client, external_id):
            raise
        return Receipt(accepted=True, message="Level had resolved the alert already.", status=error.status)
    reply.require_json()
    return Receipt(accepted=True, message="Level resolved the alert.", status=reply.status)


def _is_over(client: LevelClient, external_id: str) -> bool:
    found = single(client, external_id)
    return found is None or found.kind is AlertKind.RESET


def _require_id(external_id: str) -> None:
    if external_id.startswith(SYNTHESIZED):
        raise InvalidRequest(
            "This alert came without its id, so Level cannot be asked about it.", provider=KEY
        )
