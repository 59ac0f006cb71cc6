"""An example of what an action gives, made from its contract: what a simulated step hands on."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

_WORD, _MOMENT = "example", "2026-01-31T09:00:00+00:00"
_PLAIN: tuple[tuple[type[fields.Field[Any]], Any], ...] = (
    (fields.Boolean, True),
    (fields.Integer, 1),
    (fields.Float, 1.0),
    (fields.UUID, "00000000-0000-0000-0000-000000000001"),
    (fields.DateTime, _MOMENT),
    (fields.Mapping, {}),
    (fields.String, _WORD),
)


def of(schema: type[Schema] | Schema) -> dict[str, Any]:
    """An object with every field of the contract, each of its type and, where words are given, the first."""
    known = schema() if isinstance(schema, type) else schema
    return {field.data_key or name: _value(field) for name, field in known.fields.items()}


def _value(field: fields.Field[Any]) -> Any:
    if isinstance(field, fields.Nested):
        inner = of(field.schema)
        return [inner] if field.schema.many else inner
    if isinstance(field, fields.List):
        return [_value(field.inner)]
    if choices := getattr(field, "choices", ()):
        return choices[0][0]
    return next((value for kind, value in _PLAIN if isinstance(field, kind)), None)
