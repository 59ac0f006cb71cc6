"""Log lines that machines can split and people can read: ``event key=value key="two words"``."""

from __future__ import annotations

import json
import re

_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+-]+\Z")
_LONGEST = 500


def line(event: str, **fields: object) -> str:
    """The event and its fields in one line; a field that is ``None`` is left out. Never pass a secret.

    A value that could be mistaken for more than one, or would break the line, is written as a JSON string.
    """
    parts = [f"{key}={_shown(value)}" for key, value in fields.items() if value is not None]
    return " ".join([event, *parts])


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return text if _PLAIN.match(text) else json.dumps(text)
