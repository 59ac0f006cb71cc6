"""Compliance: how the devices of each client stand, each number leading to its devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from rmm_extension.providers.capabilities import capabilities
from rmm_extension.services.queries import compliance as queries
from rmm_extension.services.queries.compliance import ComplianceFilter, Standing
from rmm_extension.services.queries.paging import AnyRow, custom_plans

from . import charts
from .access import requires
from .choices import KINDS, client_options, connection_options, connection_rows, provider_options
from .compliance_measures import MEASURES, Measure, Scope, bars, status_shares
from .context import actor, current_rmm, session
from .export import whole
from .listing import client_names
from .narrowing import Chip, Options, argument, chips, uuid_argument, word
from .routing import Routes

routes = Routes()

PAGE = 50
_COLUMNS: Options = [(one.key, one.label) for one in MEASURES]
SORTS: Options = [("devices", "Devices"), *_COLUMNS]


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a client, of how many devices it is known, and where they are listed if there are any.

    ``number`` is ``None`` where no vendor tells it: that is not the same as none.
    """

    key: str
    label: str
    head: str
    number: int | None
    known: int
    url: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """The devices of one client, or of all of them."""

    client_id: str | None
    devices: int
    url: str
    shares: Sequence[charts.Share]
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Pages:
    """Which of how many pages of clients is shown, counted from one."""

    number: int
    last: int

    @property
    def before(self) -> int | None:
        """The page in front, if any; the first one needs no number."""
        return self.number - 1 if self.number > 1 else None

    @property
    def after(self) -> int | None:
        """The page behind, if any."""
        return self.number + 1 if self.number < self.last else None


@routes.get("/compliance")
@requires("rmm.view")
def compliance() -> ResponseReturnValue:
    """Patches, protection, alerts and reboots by client, with what all of them come to."""
    custom_plans(session())
    options, scope = _options(), _scope()
    every = _standings()
    found, names = _ordered(_narrowed(every), options["client"])
    total, pages = queries.together(every), _pages(len(found))
    all_of_them = _line(total, scope)
    shown = found[(pages.number - 1) * PAGE : pages.number * PAGE]
    return render_template(
        "rmm/compliance/page.html",
        clients=len(found),
        total=all_of_them,
        tiles=[cell for cell in all_of_them.cells if cell.key not in queries.STATUSES],
        bars=bars(total, scope),
        lines=[_line(one, scope.of_client(one.client_id)) for one in shown],
        names=names,
        pages=pages,
        sort=argument("sort", SORTS),
        picked=argument("with", _COLUMNS),
        options=options,
        chips=_chips(options),
        connections=connection_rows(),
        listing=listing_connections(),
    )


@routes.get("/compliance.csv")
@requires("rmm.view")
def compliance_export() -> Response:
    """The clients of the filters, as many as there are; a number that is not known is left blank."""
    custom_plans(session())
    found, names = _ordered(_narrowed(_standings()), client_options(argument("client")))
    header = ("Client", "Devices", *(one.label for one in MEASURES), *(f"{one} known of" for one in _KNOWN))
    return whole("compliance.csv", header, _rows(found, names))


_KNOWN = {"OS patches": "os", "Antivirus": "at_risk", "Scan": "scan"}


def _rows(found: Sequence[Standing], names: Mapping[str, str]) -> Iterator[Sequence[Any]]:
    for one in found:
        known = [one.known.get(word, 0) for word in _KNOWN.values()]
        yield _name(one, names), one.devices, *(one.number(column.key) for column in MEASURES), *known


def in_short() -> Sequence[Cell]:
    """Four numbers of all devices, for the host's dashboard: those that any vendor tells."""
    custom_plans(session())
    found = queries.overall(session(), actor().tenant_id)
    return [
        cell
        for cell in _line(found, Scope.of({})).cells
        if cell.key in queries.SHORT and cell.number is not None
    ]


def listing_connections() -> Sequence[AnyRow]:
    """The connections whose vendor lists patches."""
    able = {one.manifest.key for one in current_rmm().providers.all() if "patches" in capabilities(one)}
    return [row for row in connection_rows() if row.provider in able]


def _standings() -> list[Standing]:
    wanted = ComplianceFilter(
        integration_ids=_connections(), client_id=argument("client"), kind=argument("kind", KINDS)
    )
    listing = [row.id for row in listing_connections()]
    return queries.standings(session(), actor().tenant_id, wanted, listing)


def _connections() -> Sequence[UUID] | None:
    """The connections that vendor and connection of the address leave; ``None`` for all of them."""
    chosen, provider = uuid_argument("connection"), argument("provider")
    if not chosen and not provider:
        return None
    mine = [row for row in connection_rows() if provider in (None, row.provider)]
    return [row.id for row in mine if chosen in (None, row.id)]


def _scope() -> Scope:
    return Scope.of({name: argument(name) for name in ("provider", "connection", "client", "kind")})


def _narrowed(every: Sequence[Standing]) -> list[Standing]:
    """Those that have some of what a tile counts."""
    picked = argument("with", _COLUMNS)
    return [one for one in every if not picked or one.number(picked)]


def _ordered(found: list[Standing], known: Options) -> tuple[list[Standing], Mapping[str, str]]:
    """By name, or by a number, the most first; devices without a client stand last of their like."""
    names, sort = client_names(found, known), argument("sort", SORTS)
    found = sorted(found, key=lambda one: (one.client_id is None, _name(one, names).casefold()))
    if sort:
        found = sorted(found, key=lambda one: -_number(one, sort))
    return found, names


def _number(one: Standing, sort: str) -> int:
    if sort == "devices":
        return one.devices
    number = one.number(sort)
    return -1 if number is None else number


def _name(one: Standing, names: Mapping[str, str]) -> str:
    return names.get(one.client_id, one.client_id) if one.client_id else "Client not mapped"


def _pages(clients: int) -> Pages:
    last, wanted = max(1, -(-clients // PAGE)), argument("page") or "1"
    return Pages(min(max(int(wanted), 1), last) if wanted.isdecimal() and len(wanted) < 9 else 1, last)


def _line(one: Standing, scope: Scope) -> Line:
    return Line(
        client_id=one.client_id,
        devices=one.devices,
        url=scope.devices(),
        shares=status_shares(one),
        cells=[_cell(one, it, scope) for it in MEASURES],
    )


def _cell(one: Standing, it: Measure, scope: Scope) -> Cell:
    number = one.number(it.key)
    return Cell(
        key=it.key,
        label=it.label,
        head=it.head or it.label,
        number=number,
        known=one.known.get(it.key, one.devices),
        url=scope.listed(it) if number else None,
    )


def _options() -> Mapping[str, Options]:
    providers = provider_options()
    return {
        "provider": providers if len(providers) > 1 or argument("provider") else [],
        "connection": connection_options(),
        "client": client_options(argument("client")),
        "kind": KINDS,
    }


_CHIPS = {"provider": "Vendor", "connection": "Connection", "client": "Client", "kind": "Kind"}


def _chips(options: Mapping[str, Options]) -> list[Chip]:
    chosen = {
        name: (label, word(options[name], argument(name)) or argument(name)) for name, label in _CHIPS.items()
    }
    return chips({**chosen, "with": ("Clients with", word(_COLUMNS, argument("with", _COLUMNS)))})
