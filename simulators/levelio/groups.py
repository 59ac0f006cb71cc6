"""/v2/groups: groups and groups below them."""

from __future__ import annotations

from typing import Any

from flask import request

from simulators.levelio.endpoints import known, lab, reads
from simulators.levelio.paging import page
from simulators.levelio.rows import group_row


def groups() -> Any:
    """All groups, or those right below one. There is no word for those on top: every parent is an id."""
    parent = request.args.get("parent_id")
    if parent is not None:
        known(lab().fleet.groups, parent, "Group")
    wanted = (lambda one: one.parent_id == parent) if parent else (lambda _: True)
    return page(lab().fleet.groups, lambda one: group_row(lab(), one), wanted)


def group(group_id: str) -> Any:
    """One group."""
    return group_row(lab(), known(lab().fleet.groups, group_id, "Group"))


ENDPOINTS = [reads("/groups", groups), reads("/groups/<group_id>", group)]
