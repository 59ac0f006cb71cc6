"""The library of scripts, and what NinjaOne offers for one device."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from rmm_extension.domain.actions import Script
from rmm_extension.domain.values import storable
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.contracts import AutomationScript, Runnable, ScriptingOptions
from rmm_extension.providers.ninjaone.facts import texts
from rmm_extension.providers.values import flag, identifier, text

LIBRARY = "/v2/automation/scripts"
_LONGEST = 4000
"""Characters of a text of the library that are kept."""
_PLATFORMS = (("windows", "windows"), ("mac", "darwin"), ("osx", "darwin"), ("linux", "linux"))


def library(client: NinjaOneClient) -> Sequence[Script]:
    """The scripts that are switched on. Built-in actions are in no library: a device's options list them."""
    found: dict[str, Script] = {}
    for row in client.read(LIBRARY).decode(list[AutomationScript]):
        key = identifier(row.id)
        if key is not None and flag(row.active) is not False:
            found[key] = _script(key, row)
    return list(found.values())


def options(client: NinjaOneClient, device_id: str) -> ScriptingOptions:
    """What can be run on this device now, and as whom."""
    path = f"/v2/device/{quote(device_id, safe='')}/scripting/options"
    return client.read(path).decode(ScriptingOptions)


def roles(found: ScriptingOptions) -> list[str]:
    """What ``runAs`` takes: the names of roles, and the ids of stored credentials behind them."""
    told = found.credentials
    if told is None:
        return []
    stored = [identifier(one.id) for one in told.credentials or ()]
    return [one for one in (*map(text, told.roles or ()), *stored) if one]


def named_roles(found: ScriptingOptions) -> list[str]:
    """The same for people: a stored credential with its name."""
    told = found.credentials
    if told is None:
        return []
    stored = [
        f"{key} ({text(one.name) or 'without a name'})"
        for one in told.credentials or ()
        if (key := identifier(one.id))
    ]
    return [*filter(None, map(text, told.roles or ())), *stored]


def runnable(found: ScriptingOptions, *, script_id: str | None, action_uid: str | None) -> Runnable | None:
    """The script or action with this id, if the device has it; an action's uid is compared in any case."""
    for one in found.scripts or ():
        if script_id is not None and identifier(one.id) == script_id:
            return one
        if action_uid is not None and (text(one.uid) or "").casefold() == action_uid.casefold():
            return one
    return None


def _script(key: str, row: AutomationScript) -> Script:
    return Script(
        external_id=key,
        name=storable(text(row.name) or f"Script {key}")[:_LONGEST],
        description=storable(text(row.description) or "")[:_LONGEST],
        shell=storable(text(row.language) or "")[:_LONGEST],
        platforms=_platforms(texts(row.operating_systems)),
    )


def _platforms(systems: Sequence[str]) -> tuple[str, ...]:
    """The platforms that these words mean; where one is unknown it is for all, and NinjaOne judges."""
    found = [_platform(word) for word in systems]
    return () if None in found else tuple(dict.fromkeys(one for one in found if one))


def _platform(word: str) -> str | None:
    plain = word.casefold().replace(" ", "")
    return next((platform for part, platform in _PLATFORMS if part in plain), None)
