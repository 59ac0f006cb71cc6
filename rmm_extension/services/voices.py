"""Whose word counts: the runs that speak for their connection, whether its vendor answers.

One kind at a time. Were it any, something that fails for long beside something that goes well would flip the
connection to and fro, and its administrators would be told each time. Refused credentials are everybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError
from rmm_extension.models import Integration

from . import kinds
from .context import Rmm
from .recurring import FOLLOWS, POLLS, SYNCS
from .runs import Run


def speaks(rmm: Rmm, session: Session, run: Run) -> bool:
    """Whether the run speaks for its connection.

    Polls do where they are on, for they bring the alerts; else the device syncs that come by themselves; else
    the syncs of alerts, devices and organizations that a person starts.
    """
    if run.integration_id is None or not kinds.get(run.kind).shows_health:
        return False
    statement = select(Integration.provider, Integration.settings).where(
        Integration.tenant_id == run.tenant_id, Integration.id == run.integration_id
    )
    row = session.execute(statement).first()
    return row is not None and _voice(rmm, row.provider, row.settings) in (None, run.kind)


def _voice(rmm: Rmm, provider_key: str, settings: Mapping[str, Any]) -> str | None:
    """The kind that speaks alone, if there is one."""
    try:
        provider = rmm.providers.get(provider_key)
    except ConfigError:
        return None
    schedules = (POLLS, FOLLOWS, SYNCS)
    able = (one for one in schedules if isinstance(provider, one.capability) and one.is_on(settings))
    return next((one.kind for one in able), None)
