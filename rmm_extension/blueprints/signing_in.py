"""Testing what was typed against the vendor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rmm_extension.domain.errors import ConfigError, RMMError
from rmm_extension.domain.types import Check, Connection
from rmm_extension.forms.credentials import CredentialsForm
from rmm_extension.providers.contract import Provider
from rmm_extension.services import credentials
from rmm_extension.services.pace import paced

from .context import actor, current_rmm, end_reading


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a test went: ``connection`` is set when it can be kept, ``general`` what stands above the form."""

    checks: Sequence[Check] = ()
    connection: Connection | None = None
    general: str | None = None


def typed(provider: Provider, form: CredentialsForm, stored: Connection | None = None) -> Attempt:
    """The connection that the form's values make; not tested."""
    try:
        return Attempt(connection=credentials.typed(provider, form.mode, form.typed(), stored))
    except ConfigError as error:
        return Attempt(general=form.refuse(error))


def attempt(provider: Provider, form: CredentialsForm, stored: Connection | None = None) -> Attempt:
    """Test the form's values. No transaction is open meanwhile: the vendor may take its time."""
    end_reading()
    given = typed(provider, form, stored)
    if given.connection is None:
        return given
    result = test(provider, given.connection)
    form.mark(result.checks)
    return result


def test(provider: Provider, connection: Connection) -> Attempt:
    """Run the provider's checks, again with no transaction open."""
    end_reading()
    try:
        trial = paced(current_rmm(), actor().tenant_id, connection)
        checks = credentials.run_checks(provider, trial)
    except RMMError as error:
        return Attempt(general=str(error))
    if not credentials.usable(checks):
        return Attempt(checks, general="The connection was not saved, because a check failed.")
    return Attempt(checks, connection=connection)
