"""What the key allows, feature by feature: by reading one row, and by whose key it is.

What changes something cannot be asked for without changing it. The account's own key never may; a user's may
what the user may.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rmm_extension.domain.errors import AuthFailed, ProviderError
from rmm_extension.domain.types import PermissionLine
from rmm_extension.providers.huntress import checks, features
from rmm_extension.providers.huntress.client import HuntressClient
from rmm_extension.providers.huntress.errors import MAKE_A_USER_KEY
from rmm_extension.providers.huntress.features import READING, WRITING
from rmm_extension.providers.huntress.manifest import MANIFEST
from rmm_extension.providers.permission_states import MISSING, NOT_CHECKED, not_found_out, of_reading


def lines(client: HuntressClient) -> Iterator[PermissionLine]:
    """The whole table. Raises ``AuthFailed`` when the key itself is refused."""
    writes = _writes(client)
    for feature in features.FEATURES:
        read = partial(checks.read_one, client, feature)
        state, message = of_reading(MANIFEST.label, read) if feature.path else writes
        switch = READING if feature.path else WRITING
        yield PermissionLine(feature=feature.name, switches=(switch,), state=state, message=message)


def _writes(client: HuntressClient) -> tuple[str, str]:
    try:
        is_writer = checks.may_write(client)
    except AuthFailed:
        raise
    except ProviderError as error:
        return not_found_out(error)
    if is_writer:
        return NOT_CHECKED, "The key is a user's. Whether the user may do it shows only when it is done."
    return MISSING, f"The key only reads. {MAKE_A_USER_KEY}"
