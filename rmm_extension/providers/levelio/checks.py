"""The connection test: one line for each thing that has to work, in words, changing nothing at Level."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rmm_extension.domain.errors import (
    AuthFailed,
    ConfigError,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Unavailable,
)
from rmm_extension.domain.types import Check
from rmm_extension.providers.levelio.alerts import PATH as ALERTS
from rmm_extension.providers.levelio.client import LevelClient
from rmm_extension.providers.levelio.errors import WRITE_KEY
from rmm_extension.providers.levelio.organizations import DEVICES, GROUPS
from rmm_extension.providers.levelio.permissions import UNTOLD
from rmm_extension.providers.reply import HtmlInsteadOfJson

OK, WARNING, FAILED, NOT_CHECKED = "ok", "warning", "failed", "not_checked"
FIRST, CHANGES = "API key", "Changes"
READ = {"Groups": GROUPS, "Devices": DEVICES, "Alerts": ALERTS}
_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (AuthFailed, "Make a key in Level under Settings › API Keys, and enter it here."),
    (PermissionMissing, "Make another key in Level under Settings › API Keys, and enter it here."),
    (RateLimited, "Wait, then test again."),
    (Unavailable, "Try again. If it lasts, check that a firewall lets this installation out."),
    (HtmlInsteadOfJson, "Check that nothing between this installation and api.level.io answers for it."),
)


class _Answer(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool


def run(client: LevelClient) -> Iterator[Check]:
    """The key first; what depends on it is not checked when it is refused."""
    first = _probe(client, "Groups", GROUPS)
    if first.state == FAILED and first.field is not None:
        yield msgspec.structs.replace(first, name=FIRST)
        yield from (_skipped(name) for name in (*READ, CHANGES))
        return
    if first.state != FAILED:
        yield Check(name=FIRST, state=OK, message="Level answers, and takes the API key.")
    yield first
    yield from (_probe(client, name, path) for name, path in READ.items() if path != GROUPS)
    yield Check(name=CHANGES, state=NOT_CHECKED, message=UNTOLD, remedy=WRITE_KEY)


def failed(name: str, error: Exception) -> Check:
    """The line for an error: its own sentence, and what to do."""
    remedy = next((words for kind, words in _REMEDIES if isinstance(error, kind)), None)
    field = "api_key" if isinstance(error, (AuthFailed, ConfigError)) else None
    return Check(name=name, state=FAILED, message=str(error), remedy=remedy, field=field)


def _probe(client: LevelClient, name: str, path: str) -> Check:
    try:
        found = client.read(path, params={"limit": 1}).decode(_Answer)
    except (ProviderError, ConfigError) as error:
        return failed(name, error)
    if not found.data and path == GROUPS:
        return Check(
            name=name,
            state=WARNING,
            message="Groups can be read, but Level has none.",
            remedy="Add groups in Level, one for each client, and move the devices into them.",
        )
    return Check(name=name, state=OK, message=f"{name} can be read.")


def _skipped(name: str) -> Check:
    return Check(name=name, state=NOT_CHECKED, message="Not checked, because the API key was refused.")
