"""The groups as organizations, and the devices that are in none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rmm_extension.domain.errors import BadResponse, InvalidRequest, NotFound, PermissionMissing
from rmm_extension.domain.types import Organization
from rmm_extension.providers.levelio import rows
from rmm_extension.providers.levelio.client import LevelClient
from rmm_extension.providers.levelio.errors import KEY
from rmm_extension.providers.values import identifier, text

GROUPS, DEVICES = "/v2/groups", "/v2/devices"
UNGROUPED = "null"
"""What Level's list of devices calls the group of those that are in none; no group's id looks so."""


def listing(client: LevelClient) -> Sequence[Organization]:
    """All groups that the key may see, and one for devices in none where there are any; whole or an error."""
    groups = read(client)
    names = {key: _name(key, group) for key, group in groups.items()}
    parents = {key: parent for key, group in groups.items() if (parent := _parent(key, group))}
    found = [
        Organization(
            external_id=key,
            name=name,
            parent_id=parents.get(key),
            metadata={"kind": "group", "path": path(key, names, parents)},
        )
        for key, name in names.items()
    ]
    return [*found, *_ungrouped(client)]


def read(client: LevelClient) -> dict[str, rows.Group]:
    """The groups by id; an error where one of them cannot be read."""
    errors: list[str] = []
    found: dict[str, rows.Group] = {}
    for page in client.listing(GROUPS, rows.Group, errors=errors):
        for row in page:
            key = identifier(row.id)
            if key is None:
                errors.append("A group has no id.")
            else:
                found[key] = row
    if errors:
        # A list that lacks one would say of it that it is gone.
        raise BadResponse(f"The list of groups is not complete. {errors[0]}", provider=KEY)
    return found


def path(key: str, names: Mapping[str, str], parents: Mapping[str, str]) -> str:
    """The names from the top group down to this one: ``Acme / Branch office``. Ends where groups lie in a
    circle, or in one that is not listed."""
    way: dict[str, str] = {}
    while key in names and key not in way:
        way[key] = names[key]
        key = parents.get(key, "")
    return " / ".join(reversed(way.values()))


def _name(key: str, group: rows.Group) -> str:
    return text(group.name) or f"Group {key}"


def _parent(key: str, group: rows.Group) -> str | None:
    parent = identifier(group.parent_id)
    return None if parent == key else parent


def _ungrouped(client: LevelClient) -> Sequence[Organization]:
    """An organization for the devices in no group. Where Level does not say whether there are any, none."""
    try:
        pages = client.listing(DEVICES, rows.Device, errors=[], params={"group_id": UNGROUPED}, page_size=1)
        first = next(pages, [])
    except (InvalidRequest, NotFound, PermissionMissing):
        return ()
    if not any(identifier(row.group_id) is None for row in first):
        return ()
    return (Organization(external_id=UNGROUPED, name="Ungrouped devices", metadata={"kind": "ungrouped"}),)
