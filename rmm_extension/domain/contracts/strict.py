"""What the contracts of an administrator's JSON share: strict fields, and refusals in sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

# What PostgreSQL's jsonb does not take: NUL and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Text(fields.String):
    """A text that is not blank, trimmed unless its blanks count."""

    default_error_messages = {  # noqa: RUF012 - as marshmallow declares it
        "required": "Fill this in.",
        "invalid": "This must be text.",
        "null": "This must be text; leave it out to have none.",
    }

    def __init__(self, longest: int, *, trimmed: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.longest, self.trimmed = longest, trimmed

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        text = text.strip() if self.trimmed else text
        if not text.strip():
            otherwise = "" if self.required else ", or leave it out"
            raise ValidationError(f"This is empty. Fill it in{otherwise}.")
        if len(text) > self.longest:
            raise ValidationError(f"This is too long: at most {self.longest:,} characters.")
        if _UNSTORABLE.search(text):
            raise ValidationError("This contains a character that cannot be stored.")
        return text


class Flag(fields.Boolean):
    """Yes or no, and nothing that only looks like it."""

    default_error_messages = {  # noqa: RUF012
        "invalid": "This must be true or false.",
        "null": "This must be true or false.",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Section(fields.Nested):
    """A part with a contract of its own."""

    default_error_messages = {  # noqa: RUF012
        "required": "Fill this in.",
        "null": "This must be an object.",
        "type": "This must be an object.",
    }


class Strict(Schema):
    """Refuses what it does not know and says what it does."""

    class Meta:
        unknown = RAISE

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        known = ", ".join(self.fields)
        self.error_messages = {
            **self.error_messages,
            "unknown": f"There is no such setting here. Known are: {known}.",
            "type": "This must be an object.",
        }


def problems(error: ValidationError) -> dict[str, list[str]]:
    """The sentences of a refusal by dotted path: ``conditions.keywords.0``, ``name``; ``""`` is the whole."""
    found: dict[str, list[str]] = {}
    _collect(error.messages, "", lambda path, text: found.setdefault(path, []).append(text))
    return found


def _collect(messages: Any, path: str, tell: Callable[[str, str], None]) -> None:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            here = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            _collect(inner, here, tell)
    elif isinstance(messages, (list, tuple)):
        for inner in messages:
            _collect(inner, path, tell)
    else:
        tell(path, str(messages))
