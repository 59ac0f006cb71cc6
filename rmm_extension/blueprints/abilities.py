"""What the pages of a connection need of its vendor: where the vendor lacks it, page and tab are absent."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec, cast

from flask import abort, current_app, request
from flask.typing import ResponseReturnValue

from rmm_extension.domain.errors import RMMError
from rmm_extension.domain.routing import read_routing
from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import capabilities
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connections
from rmm_extension.services.alert_routing import lacks

from .context import actor, current_rmm, session

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]

POLLED = ("alerts", "alert_changes")
"""The ways in which a vendor can be asked for its alerts."""
ALERTS = (*POLLED, "webhook")
"""Where alerts come from; a vendor with none of them has none."""


def needs(*any_of: str, vendor: bool = True) -> Callable[[View[P]], View[P]]:
    """Answer 404 where the vendor of the connection has none of these capabilities; below ``@requires``.

    A vendor that is not available in this installation tells nothing of what it has: the view is asked then.
    ``vendor`` says whether it makes anything of that, so that a tab leads there.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            _check(any_of)
            return view(*args, **kwargs)

        guarded.rmm_needs = (any_of, vendor)  # type: ignore[attr-defined]
        return guarded

    return decorate


def needs_routing(view: View[P]) -> View[P]:
    """Answer 404 where connections of the vendor have no routing; below ``@requires``."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        provider = _provider()
        if provider is not None and not has_routing(provider):
            _abort(provider)
        return view(*args, **kwargs)

    guarded.rmm_routes = True  # type: ignore[attr-defined]
    return guarded


def able(provider: Provider | None) -> frozenset[str]:
    """The vendor's capabilities; none of one that is not available."""
    return capabilities(provider) if provider else frozenset()


def is_polled(provider: Provider | None) -> bool:
    """Whether the vendor can be asked for its alerts."""
    return not able(provider).isdisjoint(POLLED)


def has_alerts(provider: Provider | None) -> bool:
    """Whether alerts can come from the vendor."""
    return not able(provider).isdisjoint(ALERTS)


def has_routing(provider: Provider | None) -> bool:
    """Whether connections of the vendor have a routing for their alerts."""
    return provider is not None and provider.manifest.routes_alerts


def routing_lacks(row: Integration, provider: Provider | None) -> tuple[str, ...]:
    """What is still to be chosen of the connection's routing, in words; nothing where it has none."""
    return lacks(current_rmm(), row.provider, read_routing(row.settings)) if has_routing(provider) else ()


def has_part(endpoint: str, provider: Provider | None) -> bool:
    """Whether a page of a connection has something to show with this vendor."""
    view = current_app.view_functions[endpoint]
    if hasattr(view, "rmm_routes"):
        return has_routing(provider)
    any_of, vendor = cast(tuple[tuple[str, ...], bool], getattr(view, "rmm_needs", ((), False)))
    if provider is None:
        return not vendor
    return not any_of or not capabilities(provider).isdisjoint(any_of)


def _check(any_of: tuple[str, ...]) -> None:
    provider = _provider()
    if provider is not None and capabilities(provider).isdisjoint(any_of):
        _abort(provider)


def _provider() -> Provider | None:
    """The vendor of the page's connection; ``None`` of one that is not available."""
    row = connections.get(session(), actor().tenant_id, (request.view_args or {})["integration_id"])
    try:
        return current_rmm().providers.get(row.provider)
    except RMMError:
        return None


def _abort(provider: Provider) -> NoReturn:
    label = provider.manifest.label
    abort(404, description=f"{label} has no such page, for it has nothing of the kind.")
