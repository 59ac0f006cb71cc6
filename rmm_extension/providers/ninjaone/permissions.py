"""Which features the sign-in allows: by the scopes that NinjaOne granted, and by what can be read.

What changes something cannot be asked without changing it, and the role of the user limits it further: a
scope that was granted is a promise of the API application, not of the user.
"""

from __future__ import annotations

from collections.abc import Iterator

from rmm_extension.domain.errors import AuthFailed, PermissionMissing, ProviderError
from rmm_extension.domain.types import PermissionLine
from rmm_extension.providers.ninjaone import features, scopes
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.features import Feature

OK, MISSING, NOT_CHECKED = "ok", "missing", "not_checked"


def lines(client: NinjaOneClient) -> Iterator[PermissionLine]:
    """The whole table. Raises ``AuthFailed`` when the credentials themselves are refused."""
    for feature in features.FEATURES:
        state, message = _state(client, feature)
        administrator = ("System Administrator",) if feature.administrator else ()
        yield PermissionLine(
            feature=feature.name,
            switches=(scopes.LABELS[feature.scope], *administrator),
            state=state,
            message=message,
        )


def _state(client: NinjaOneClient, feature: Feature) -> tuple[str, str]:
    if feature.reads:
        return _read(client, feature.reads)
    given, label = client.token.scopes, scopes.LABELS[feature.scope]
    if not given:
        return NOT_CHECKED, "NinjaOne did not say which scopes it granted."
    if feature.scope not in given:
        return MISSING, f"The sign-in has no scope {label}. Tick and choose it, then sign in again."
    if feature.administrator:
        return NOT_CHECKED, (
            f"The scope {label} was granted. Whether the user is a System Administrator shows only when the"
            " webhook is configured."
        )
    return NOT_CHECKED, (
        f"The scope {label} was granted. Whether the role of the user allows it shows only when it is done."
    )


def _read(client: NinjaOneClient, paths: tuple[str, ...]) -> tuple[str, str]:
    try:
        for path in paths:
            client.read(path, params={"pageSize": 1})
    except PermissionMissing as error:
        return MISSING, str(error)
    except AuthFailed:
        raise
    except ProviderError as error:
        return NOT_CHECKED, f"That could not be found out: {error}"
    return OK, "NinjaOne lets it be read."
