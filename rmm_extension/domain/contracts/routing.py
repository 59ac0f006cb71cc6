"""The JSON of a connection's routing: where its alerts' tickets go. Strict: no unknown keys.

What is not chosen yet is left out: a routing may be stored in part, and is used once it is whole
(:mod:`rmm_extension.domain.routing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rmm_extension.domain.types import Severity

from .strict import Section, Strict, Text

_ID_LENGTH = 255


def _id() -> Text:
    """An id of the host, which has a shape of its own."""
    return Text(_ID_LENGTH, allow_none=True)


PrioritiesSchema = Strict.from_dict({severity.value: _id() for severity in Severity}, name="PrioritiesSchema")
"""The host's priority of each severity."""


class RoutingSchema(Strict):
    """Board, categories and priorities of mapped clients' tickets, client and board of all others'."""

    boardId = _id()  # noqa: N815 - the JSON's own names
    categoryId = _id()  # noqa: N815
    subcategoryId = _id()  # noqa: N815
    priorityBySeverity = Section(PrioritiesSchema)  # noqa: N815
    fallbackClientId = _id()  # noqa: N815
    fallbackBoardId = _id()  # noqa: N815


_ROUTING = RoutingSchema()


def load_routing(value: Mapping[str, Any]) -> dict[str, Any]:
    """The routing without what is not chosen; raises ``marshmallow.ValidationError`` with all errors."""
    loaded = _ROUTING.load(value)
    chosen = _chosen(loaded)
    if "priorityBySeverity" in loaded:
        chosen["priorityBySeverity"] = _chosen(loaded["priorityBySeverity"])
    return chosen


def _chosen(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
