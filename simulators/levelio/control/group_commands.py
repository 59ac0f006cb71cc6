"""Looking at groups and changing them."""

from __future__ import annotations

from typing import Any

from simulators.levelio import drift
from simulators.levelio.control.blueprint import command, fields, group_of, home_of, lab, query
from simulators.levelio.rows import group_row


def path_of(group_id: str | None) -> str:
    """The group's name with those above it; no group has none."""
    group = lab().fleet.groups.get(group_id or "")
    if group is None:
        return ""
    above = path_of(group.parent_id)
    return f"{above} / {group.name}" if above else group.name


@query("/api/groups")
def list_groups() -> Any:
    """Groups with their full names."""
    return [group_row(lab(), one) | {"path": path_of(one.id)} for one in lab().fleet.groups.values()]


@command("/api/groups")
def add_group() -> Any:
    """{"name", "group_id"?}: a new group, on top or below another."""
    data = fields()
    with lab().lock:
        return group_row(lab(), drift.add_group(lab(), data["name"], home_of(data)))


@command("/api/groups/<group_id>/change")
def change_group(group_id: str) -> Any:
    """{"name"?, "group_id"?}: another name, another place ("null" for the top)."""
    data = fields()
    with lab().lock:
        group = group_of(group_id)
        parent = home_of(data) if "group_id" in data else group.parent_id
        drift.change_group(lab(), group, data.get("name", group.name), parent)
        return group_row(lab(), group)


@command("/api/groups/<group_id>/delete")
def delete_group(group_id: str) -> Any:
    """What is in it goes to the group above."""
    with lab().lock:
        drift.delete_group(lab(), group_of(group_id))
        return {"deleted": True}
