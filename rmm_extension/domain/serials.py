"""Serial numbers worth matching on."""

from __future__ import annotations

_JUNK = frozenset(
    {
        "",
        "0",
        "00000000",
        "123456789",
        "chassis serial number",
        "default",
        "default string",
        "invalid",
        "n/a",
        "na",
        "no asset tag",
        "none",
        "not applicable",
        "not available",
        "not specified",
        "null",
        "o.e.m.",
        "oem",
        "serial number",
        "system serial number",
        "to be filled by o.e.m",
        "to be filled by o.e.m.",
        "undefined",
        "unknown",
        "xxxxxxxxxxx",
    }
)
_SEPARATORS = " -_.:"


def usable_serial(value: str | None) -> str | None:
    """The trimmed serial number, or ``None`` for the fillers that board makers leave in.

    A filler is shared by unrelated machines, so matching on it would merge them.
    """
    if value is None:
        return None
    cleaned = value.replace("\x00", "").strip()
    lowered = cleaned.lower()
    if lowered in _JUNK or _is_one_character(lowered):
        return None
    return cleaned


def _is_one_character(value: str) -> bool:
    core = value.strip(_SEPARATORS)
    return not core or not core.strip(core[0] + _SEPARATORS)
