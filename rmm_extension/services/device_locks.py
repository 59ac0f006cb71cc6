"""The order in which device rows are locked: by their ids, so that two writers never wait in a ring."""

from __future__ import annotations

from sqlalchemy import CTE, ColumnElement, select

from rmm_extension.models import DeviceRow


def held_devices(*wanted: ColumnElement[bool]) -> CTE:
    """The ids of these devices, for a statement that writes them: it then has locked them in that order.

    An update alone takes its rows in whatever order its plan finds them.
    """
    in_order = select(DeviceRow.id).where(*wanted).order_by(DeviceRow.id)
    return in_order.with_for_update(key_share=True).cte("held").prefix_with("MATERIALIZED")
