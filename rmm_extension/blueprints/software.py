"""Software: the catalog, one product with the devices that have it, and the same for all a text names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from rmm_extension.domain.versions import version_key
from rmm_extension.providers.capabilities import capabilities
from rmm_extension.services.queries import installs
from rmm_extension.services.queries import software as queries
from rmm_extension.services.queries.installs import InstallFilter
from rmm_extension.services.queries.paging import CAP, AnyRow, Count, Page
from rmm_extension.services.queries.software import CatalogFilter
from rmm_extension.services.queries.whose import Whose

from .access import requires
from .choices import client_options, connection_options, connection_rows
from .context import actor, current_rmm, session
from .listing import Listing, assets_of, client_names, listing
from .narrowing import Chip, Options, argument, chips, uuid_argument, word
from .routing import Routes

routes = Routes()


@dataclass(frozen=True, slots=True)
class Sources:
    """Where software comes from: the connections whose vendor lists it, and those that were ever asked."""

    able: Sequence[AnyRow]
    asked: Sequence[AnyRow]


@routes.get("/software")
@requires("rmm.view")
def software_list() -> ResponseReturnValue:
    """Products by name, narrowed by the address's parameters."""
    wanted, options = catalog_filter(), _options()
    found = listing(queries.catalog_page, queries.catalog_count, wanted, turned="last")
    return render_template(
        "rmm/software/list.html",
        list=found,
        wanted=wanted,
        options=options,
        chips=chips({"q": ("Name", wanted.text), **_whose_chips(options)}),
        sources=sources(),
        cap=CAP,
    )


@routes.get("/software/<uuid:software_id>")
@requires("rmm.view")
def software_page(software_id: UUID) -> ResponseReturnValue:
    """One product: its versions, and who has which of them."""
    found = queries.product(session(), actor().tenant_id, software_id, whose())
    if found is None:
        abort(404)
    return render_template(
        "rmm/software/product.html",
        found=found,
        sources=sources(),
        **_installs(install_filter([software_id])),
    )


@routes.get("/software/devices")
@requires("rmm.view")
def software_devices() -> ResponseReturnValue:
    """Who has a product that is named like this, below or from a version."""
    products = named()
    return render_template(
        "rmm/software/search.html",
        products=products,
        too_many=len(products) > installs.PRODUCTS_AT_ONCE,
        most=installs.PRODUCTS_AT_ONCE,
        sources=sources(),
        text=argument("q"),
        **_installs(install_filter([row.id for row in products])),
    )


def named() -> Sequence[AnyRow]:
    """The products the address's text names; none without a text."""
    text = argument("q")
    return installs.products_named(session(), actor().tenant_id, text) if text else ()


def _installs(wanted: InstallFilter) -> dict[str, Any]:
    """The list of devices, as both pages show it."""
    options = _options()
    found = _listed(wanted)
    return {
        "list": found,
        "options": options,
        "chips": _install_chips(options),
        "unclear": [text for text in (argument("below"), argument("from")) if text and not version_key(text)],
        "client_names": client_names(found.rows, options["client"]),
        "assets": assets_of(found.rows),
    }


def _listed(wanted: InstallFilter) -> Listing:
    if not 0 < len(wanted.software_ids) <= installs.PRODUCTS_AT_ONCE:
        return Listing(Page([], None, None), Count(0), None)
    return listing(installs.install_page, installs.install_count, wanted, turned="last")


def sources() -> Sources:
    """The connections as sources of software."""
    providers = {one.manifest.key for one in current_rmm().providers.all() if "software" in capabilities(one)}
    able = [row for row in connection_rows() if row.provider in providers]
    return Sources(able, [row for row in able if row.last_software_sync_at])


def catalog_filter() -> CatalogFilter:
    """What the address narrows the catalog to."""
    return CatalogFilter(text=argument("q"), whose=whose())


def install_filter(software_ids: Sequence[UUID]) -> InstallFilter:
    """What the address narrows a list of devices to; a version without a number narrows nothing."""
    return InstallFilter(
        software_ids=software_ids,
        below=version_key(argument("below") or "") or None,
        at_least=version_key(argument("from") or "") or None,
        whose=whose(),
    )


def whose() -> Whose:
    """Whose devices the address asks about."""
    return Whose(client_id=argument("client"), integration_id=uuid_argument("connection"))


def _options() -> Mapping[str, Options]:
    return {"connection": connection_options(), "client": client_options(argument("client"))}


def _install_chips(options: Mapping[str, Options]) -> list[Chip]:
    versions = {
        "from": ("From version", argument("from")),
        "below": ("Below version", argument("below")),
    }
    return chips({**versions, **_whose_chips(options)})


def _whose_chips(options: Mapping[str, Options]) -> dict[str, tuple[str, str | None]]:
    chosen = {name: word(options[name], argument(name)) or argument(name) for name in options}
    return {"client": ("Client", chosen["client"]), "connection": ("Connection", chosen["connection"])}
