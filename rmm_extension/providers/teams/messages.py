"""The messages that are sent: text as it is, an Adaptive Card, and the activity around them.

Text is sent as plain text: what stands in an alert then makes no link, mention or formatting, and needs no
escape. A card is the author's own; what Teams would refuse of it is refused here, in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from rmm_extension.domain.errors import Invalid

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
NEWEST = (1, 5)
"""The newest version of Adaptive Cards that Teams takes from bots, by Microsoft's reference of cards."""
LARGEST = 40 * 1024
"""Bytes of a bot's message, by Microsoft's page on the format of cards; counted with all around it."""
_SUMMARY = 150
_VERSION = re.compile(r"(\d{1,2})\.(\d{1,2})")
_DEEPEST = 30


def activity(message: str | None, card: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The activity; raises ``Invalid`` for one that is too large."""
    found: dict[str, Any] = {"type": "message"}
    if message:
        found |= {"text": message, "textFormat": "plain", "summary": shortened(message, _SUMMARY)}
    if card is not None:
        whole = {"$schema": SCHEMA, "version": ".".join(map(str, NEWEST)), **card}
        found["attachments"] = [{"contentType": CARD_TYPE, "content": whole}]
    size = len(msgspec.json.encode(found))
    if size > LARGEST:
        raise Invalid({"": [f"The message has {size:,} bytes. Microsoft Teams takes at most {LARGEST:,}."]})
    return found


def shortened(text: str, longest: int) -> str:
    """The text on one line, at most so long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def flaws(card: Any) -> Iterator[str]:
    """What Teams would refuse of a card, in sentences."""
    if not isinstance(card, Mapping):
        yield "An Adaptive Card is a JSON object."
        return
    if card.get("type") != "AdaptiveCard":
        yield "An Adaptive Card has the type “AdaptiveCard”."
    version = card.get("version", "1.5")
    found = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if found is None or (int(found[1]), int(found[2])) > NEWEST:
        yield "Microsoft Teams takes Adaptive Cards up to version 1.5."
    if not any(isinstance(card.get(part), list) and card.get(part) for part in ("body", "actions")):
        yield "The card has neither a body nor actions."
    if not _is_shallow(card):
        yield f"The card is nested deeper than {_DEEPEST} levels."
    elif any(not url.lower().startswith(("https://", "http://", "mailto:")) for url in _opened(card)):
        yield "The addresses that the card opens must begin with https://."


def _is_shallow(value: Any, left: int = _DEEPEST) -> bool:
    if left < 0:
        return False
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return all(_is_shallow(one, left - 1) for one in inner)


def _opened(value: Any) -> Iterator[str]:
    """Addresses of the card's actions, wherever they stand in it."""
    if isinstance(value, Mapping):
        if value.get("type") == "Action.OpenUrl":
            yield str(value.get("url") or "")
        for inner in value.values():
            yield from _opened(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _opened(inner)
