"""Lists as CSV: the same filters, in pages, so that memory stays bounded."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from flask import Response, stream_with_context
from sqlalchemy.orm import Session

from rmm_extension.services.queries.alerts import alert_page
from rmm_extension.services.queries.devices import device_page
from rmm_extension.services.queries.paging import AnyRow, Page, custom_plans

from .access import requires
from .alerts import alert_filter
from .choices import connection_options
from .context import actor, end_reading, session
from .devices import device_filter
from .listing import Wanted, Wanted_contra, assets_of, client_names, tickets_of
from .routing import Routes

routes = Routes()

BATCH = 1000
MOST = 20_000
"""A file ends here; who needs more narrows the list or asks the API."""
_COMPUTED = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
"""A cell that begins so may be computed; the wide signs are, where Japanese or Chinese is written."""
Convert = Callable[[Sequence[AnyRow]], Iterator[Sequence[Any]]]
_ALERTS = ("Triggered", "State", "Severity", "Alert", "Device", "Client", "Ticket", "Connection")
_DEVICES = (
    *("Device", "Status", "Kind", "Last seen", "Client", "Asset", "Connection"),
    *("Active alerts", "Agent version", "Needs a reboot", "Patches pending", "Missing since", "Kept"),
)


@routes.get("/alerts.csv")
@requires("rmm.view")
def alert_export() -> Response:
    """The alerts of the filters, newest first."""
    return answer("alerts.csv", _ALERTS, alert_page, alert_filter(), _alert_lines)


@routes.get("/devices.csv")
@requires("rmm.view")
def device_export() -> Response:
    """The devices of the filters, by name."""
    return answer("devices.csv", _DEVICES, device_page, device_filter(), _device_lines)


def _alert_lines(rows: Sequence[AnyRow]) -> Iterator[Sequence[Any]]:
    clients, tickets, connections = client_names(rows), tickets_of(rows), dict(connection_options())
    for row in rows:
        ticket = tickets.get(row.ticket_id)
        yield (
            row.triggered_at,
            row.status,
            row.severity,
            row.message or row.alert_class,
            row.device_name,
            clients.get(row.client_id),
            ticket.number if ticket else None,
            connections.get(str(row.integration_id)),
        )


def _device_lines(rows: Sequence[AnyRow]) -> Iterator[Sequence[Any]]:
    clients, assets, connections = client_names(rows), assets_of(rows), dict(connection_options())
    for row in rows:
        asset = assets.get(row.asset_id)
        yield (
            row.name,
            row.status,
            row.kind,
            row.last_seen_at,
            clients.get(row.client_id),
            asset.name if asset else None,
            connections.get(str(row.integration_id)),
            row.active_alerts,
            row.agent_version,
            _fact(row.needs_reboot),
            _fact(row.patches_pending),
            row.missing_since,
            _fact(row.kept),
        )


def _fact(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


class ReadsOn(Protocol[Wanted_contra]):
    """Reads ``limit`` rows of a tenant's list behind the cursor ``after``."""

    def __call__(
        self,
        session: Session,
        tenant_id: str,
        wanted: Wanted_contra,
        /,
        *,
        after: str | None,
        limit: int,
    ) -> Page[AnyRow]: ...


def answer(
    name: str,
    header: Sequence[str],
    read: ReadsOn[Wanted],
    wanted: Wanted,
    convert: Convert,
    batch: int | None = None,
) -> Response:
    """A file of the whole list narrowed to ``wanted``, read ``batch`` rows at a time (:data:`BATCH`)."""
    tenant_id = actor().tenant_id

    def fetch(after: str | None) -> Page[AnyRow]:
        return read(session(), tenant_id, wanted, after=after, limit=batch or BATCH)

    return _file(name, stream_with_context(_lines(header, fetch, convert)))


def whole(name: str, header: Sequence[str], rows: Iterator[Sequence[Any]]) -> Response:
    """A file of rows that are at hand."""
    return _file(name, [_line(values) for values in (header, *rows)])


def _file(name: str, lines: Iterable[str]) -> Response:
    file = Response(lines, mimetype="text/csv")
    file.headers["Content-Disposition"] = f"attachment; filename={name}"
    return file


def _lines(
    header: Sequence[str], fetch: Callable[[str | None], Page[AnyRow]], convert: Convert
) -> Iterator[str]:
    yield _line(header)
    cursor, written = None, 0
    while True:
        custom_plans(session())
        page = fetch(cursor)
        for values in convert(page.rows):
            yield _line(values)
        # Between two pages no transaction is left open: whoever downloads may be slow.
        end_reading()
        written += len(page.rows)
        cursor = page.after
        if cursor is None or written >= MOST:
            return


def _line(values: Sequence[Any]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([_cell(value) for value in values])
    return written.getvalue()


def _cell(value: Any) -> str:
    """Text that a spreadsheet takes for text: a formula sent by a vendor must not be computed."""
    if value is None:
        return ""
    shown = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{shown}" if shown.startswith(_COMPUTED) else shown
