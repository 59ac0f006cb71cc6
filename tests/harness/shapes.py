"""Whether a JSON value has the shape that a schema says: the part of JSON Schema that vendors' files use.

Understood are type (one or several), properties, required, items, enum, additionalProperties and $ref to
``components/schemas`` or ``$defs`` of the same document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class Shapes:
    """The schemas of one document. `nullable` lets null stand for anything, `closed` forbids unknown keys."""

    def __init__(self, document: Schema, *, nullable: bool = False, closed: bool = False) -> None:
        self._document = document
        self._nullable = nullable
        self._closed = closed

    def faults(self, value: Any, schema: Schema, path: str = "$") -> Iterator[str]:
        """One sentence for each place that does not fit."""
        schema = self._followed(schema)
        if value is None and self._nullable:
            return
        if not self._is_of_type(value, schema.get("type")):
            yield f"{path} is {type(value).__name__}, not {schema.get('type')}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{path} is {value!r}, which is none of the values"
        if isinstance(value, dict):
            yield from self._faults_of_object(value, schema, path)
        if isinstance(value, list) and "items" in schema:
            for place, one in enumerate(value):
                yield from self.faults(one, schema["items"], f"{path}[{place}]")

    def _faults_of_object(self, value: dict[str, Any], schema: Schema, path: str) -> Iterator[str]:
        known, more = schema.get("properties", {}), schema.get("additionalProperties")
        for name in schema.get("required", []):
            if name not in value:
                yield f"{path}.{name} is missing"
        for name, one in value.items():
            if name in known:
                yield from self.faults(one, known[name], f"{path}.{name}")
            elif isinstance(more, Mapping):
                yield from self.faults(one, more, f"{path}.{name}")
            elif more is False or (self._closed and known and more is None):
                yield f"{path}.{name} is not known"

    def _followed(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            found: Any = self._document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    @staticmethod
    def _is_of_type(value: Any, wanted: Any) -> bool:
        if wanted is None:
            return True
        names = [wanted] if isinstance(wanted, str) else wanted
        if isinstance(value, bool):
            return "boolean" in names
        return any(isinstance(value, TYPES[name]) for name in names)
