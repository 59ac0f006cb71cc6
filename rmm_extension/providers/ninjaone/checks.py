"""The connection test: one line for each thing that has to work, in words, changing nothing at NinjaOne."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from rmm_extension.domain.errors import ConfigError, PermissionMissing, ProviderError, RateLimited
from rmm_extension.domain.types import Check
from rmm_extension.providers.ninjaone import features, scopes
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.errors import WrongHost
from rmm_extension.providers.ninjaone.manifest import OAUTH
from rmm_extension.providers.ninjaone.session import (
    ApplicationRefused,
    CodeRefused,
    GrantMissing,
    ScopeRefused,
    SignInEnded,
)
from rmm_extension.providers.no_answer import ConnectionFailed, NameNotFound, TimedOut
from rmm_extension.providers.reply import HtmlInsteadOfJson

OK, WARNING, FAILED, NOT_CHECKED = "ok", "warning", "failed", "not_checked"
FIRST = "Address and sign-in"
ORGANIZATIONS, DEVICES, SCOPES, RENEWAL, WEBHOOK = "Organizations", "Devices", "Scopes", "Renewal", "Webhook"
PROBED = 1000
"""Organizations looked at for the line about them: one page."""
_ADDRESS = "Enter the address that you open NinjaOne at, such as https://app.ninjarmm.com."
_PAGE = "Administration › Apps › API"
_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (NameNotFound, _ADDRESS),
    (ConnectionFailed, _ADDRESS),
    (TimedOut, "Try again. If it lasts, check that a firewall lets this installation out."),
    (WrongHost, _ADDRESS),
    (HtmlInsteadOfJson, _ADDRESS),
    (RateLimited, "Wait, then test again."),
    (CodeRefused, "Start again, and check that the redirect URI in NinjaOne is the one shown here."),
    (SignInEnded, "Sign in again."),
    (
        ApplicationRefused,
        f"Copy client ID and client secret again from {_PAGE}, check that the redirect URI there is the one"
        " shown here, and that the address is of your region.",
    ),
    (GrantMissing, f"Tick the grant types at the API application in {_PAGE}."),
    (
        ScopeRefused,
        f"Tick the scopes at the API application in {_PAGE}, or choose a connection that may do less.",
    ),
    (
        PermissionMissing,
        f"Tick the scope Monitoring at the API application in {_PAGE}, and check the role of the user.",
    ),
)
_FIELDS: tuple[tuple[type[Exception], str], ...] = (
    (NameNotFound, "instance_url"),
    (WrongHost, "instance_url"),
    (HtmlInsteadOfJson, "instance_url"),
    (ApplicationRefused, "client_secret"),
)
"""The inputs that errors of the sign-in are about."""


def run(client: NinjaOneClient, mode: str, wanted: Sequence[str]) -> Iterator[Check]:
    """Address and sign-in first; what depends on them is not checked when they fail.

    ``wanted`` are the scopes that were asked for.
    """
    organizations = _guarded(ORGANIZATIONS, lambda: _organizations(client))
    if isinstance(organizations, Check):
        yield Check(name=FIRST, state=OK, message="NinjaOne answers, and the sign-in is valid.")
        yield organizations
    elif isinstance(organizations, PermissionMissing):
        yield Check(name=FIRST, state=OK, message="NinjaOne answers, and the sign-in is valid.")
        yield failed(ORGANIZATIONS, organizations)
    else:
        yield failed(FIRST, organizations)
        yield from (_skipped(name) for name in (ORGANIZATIONS, DEVICES, SCOPES))
        return
    yield _devices(client)
    yield _scopes(client, wanted)
    if mode == OAUTH:
        yield _renewal(client)
    yield _webhook(mode)


def failed(name: str, error: Exception) -> Check:
    """The line for an error: its own sentence, and what to do."""
    remedy = next((words for kind, words in _REMEDIES if isinstance(error, kind)), None)
    field = next((field for kind, field in _FIELDS if isinstance(error, kind)), None)
    return Check(name=name, state=FAILED, message=_message(error), remedy=remedy, field=field)


def _message(error: Exception) -> str:
    if isinstance(error, HtmlInsteadOfJson):
        return "This address answers with a web page instead of NinjaOne's API."
    return str(error)


def _guarded(name: str, probe: Callable[[], Check]) -> Check | Exception:
    try:
        return probe()
    except (ProviderError, ConfigError) as error:
        return error


def _organizations(client: NinjaOneClient) -> Check:
    rows = client.read("/v2/organizations", params={"pageSize": PROBED}).decode(list[msgspec.Raw])
    if not rows:
        return Check(
            name=ORGANIZATIONS,
            state=WARNING,
            message="Organizations can be read, but NinjaOne shows none.",
            remedy="Add organizations in NinjaOne, or let the user see them.",
        )
    more = " or more" if len(rows) >= PROBED else ""
    return Check(
        name=ORGANIZATIONS, state=OK, message=f"Organizations that can be read: {len(rows):,}{more}."
    )


def _devices(client: NinjaOneClient) -> Check:
    def probe() -> Check:
        client.read("/v2/devices", params={"pageSize": 1}).decode(list[msgspec.Raw])
        return Check(name=DEVICES, state=OK, message="Devices can be read.")

    found = _guarded(DEVICES, probe)
    return found if isinstance(found, Check) else failed(DEVICES, found)


def _scopes(client: NinjaOneClient, wanted: Sequence[str]) -> Check:
    """What the session may do, by what NinjaOne said when it gave the token."""
    given = client.token.scopes
    if not given:
        return Check(name=SCOPES, state=NOT_CHECKED, message="NinjaOne did not say which scopes it granted.")
    missing = [scope for scope in wanted if scope not in given]
    if not missing:
        granted = ", ".join(scopes.LABELS[scope] for scope in wanted)
        return Check(name=SCOPES, state=OK, message=f"NinjaOne granted what was asked for: {granted}.")
    lost = [f"Without {scopes.LABELS[one]}, this does not work: {features.behind(one)}." for one in missing]
    return Check(
        name=SCOPES,
        state=WARNING,
        message=" ".join(["Some scopes were not granted.", *lost]),
        remedy=f"Tick the scope at the API application in {_PAGE}, then sign in again.",
    )


def _renewal(client: NinjaOneClient) -> Check:
    """A sign-in of an hour would be a connection that fails unattended: that is no connection."""
    if client.token.refresh:
        return Check(name=RENEWAL, state=OK, message="The sign-in is renewed by itself.")
    return Check(
        name=RENEWAL,
        state=FAILED,
        message="NinjaOne gave no refresh token, so this sign-in would end within an hour and could not be"
        " renewed without a person.",
        remedy=f"Tick the grant type Refresh token at the API application in {_PAGE}, then sign in again.",
    )


def _webhook(mode: str) -> Check:
    message = "Whether the user may configure webhooks shows only when one is configured. It takes a System"
    if mode == OAUTH:
        return Check(name=WEBHOOK, state=NOT_CHECKED, message=f"{message} Administrator.")
    return Check(
        name=WEBHOOK,
        state=NOT_CHECKED,
        message=f"{message} Administrator, and NinjaOne may refuse it to an API application alone. Alerts"
        " come by polling then.",
    )


def _skipped(name: str) -> Check:
    return Check(
        name=name, state=NOT_CHECKED, message="Not checked, because the address or the sign-in failed."
    )
