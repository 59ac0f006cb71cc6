"""Which features the sign-in allows: by the scopes that NinjaOne granted, and by what can be read.

What changes something cannot be asked without changing it, and the role of the user limits it further: a
scope that was granted is a promise of the API application, not of the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rmm_extension.domain.types import PermissionLine
from rmm_extension.providers.ninjaone import features, scopes
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.features import Feature
from rmm_extension.providers.ninjaone.manifest import MANIFEST
from rmm_extension.providers.permission_states import MISSING, NOT_CHECKED, of_reading


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
        return of_reading(MANIFEST.label, partial(_read, client, feature.reads))
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


def _read(client: NinjaOneClient, paths: tuple[str, ...]) -> None:
    for path in paths:
        client.read(path, params={"pageSize": 1})
