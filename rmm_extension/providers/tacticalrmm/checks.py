"""The connection test: one line for each thing that has to work, in words, changing nothing at the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rmm_extension.domain.errors import (
    BadResponse,
    ConfigError,
    PermissionMissing,
    ProviderError,
    RateLimited,
)
from rmm_extension.domain.types import Check
from rmm_extension.providers.no_answer import ConnectionFailed, NameNotFound, TimedOut, TlsFailed
from rmm_extension.providers.permission_states import MISSING
from rmm_extension.providers.reply import HtmlInsteadOfJson
from rmm_extension.providers.tacticalrmm import permissions
from rmm_extension.providers.tacticalrmm.access import BadCode, BadSeed
from rmm_extension.providers.tacticalrmm.client import BetaOff, TacticalClient, WrongHost
from rmm_extension.providers.tacticalrmm.schemas import AlertsProbe, Client
from rmm_extension.providers.tacticalrmm.session import CodeNeeded, CodeRefused, PasswordRefused, SeedRefused

OK, WARNING, FAILED, NOT_CHECKED = "ok", "warning", "failed", "not_checked"
FIRST = "Server and sign-in"
_ROLE = "Turn the switch on in Settings › Permissions Manager for the role of this user."
_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (TlsFailed, "Give the server a valid certificate, or name its CA bundle in REQUESTS_CA_BUNDLE."),
    (NameNotFound, "Enter the name of the API host, such as https://api.example.com."),
    (ConnectionFailed, "Check that the server runs and that its firewall lets this installation in."),
    (TimedOut, "Check that the server runs and that its firewall lets this installation in."),
    (WrongHost, "Enter the address of the API host, such as https://api.example.com."),
    (HtmlInsteadOfJson, "Enter the address of the API host, such as https://api.example.com."),
    (RateLimited, "Wait, then test again."),
    (PermissionMissing, _ROLE),
    (PasswordRefused, "Type both again. An API key works for users who may not sign in, too."),
    (CodeNeeded, "Type the code that the authenticator shows now, and the password where none is stored."),
    (CodeRefused, "Check the clock of the device with the authenticator if a new code is refused, too."),
    (SeedRefused, "Take the seed from Tactical RMM again, or leave it blank and type a code."),
)
_FIELDS: tuple[tuple[type[Exception], str], ...] = (
    (PasswordRefused, "password"),
    (CodeNeeded, "code"),
    (CodeRefused, "code"),
    (BadCode, "code"),
    (SeedRefused, "totp_seed"),
    (BadSeed, "totp_seed"),
)
"""The inputs that errors of the sign-in are about."""


def run(client: TacticalClient, source: str) -> Iterator[Check]:
    """Server and sign-in first; what depends on them is not checked when they fail."""
    server = _server(client)
    yield server
    if server.state == FAILED:
        yield from (_skipped(name) for name in ("Clients", "Agents", "Alerts", "Beta API"))
        return
    clients: list[Client] = []
    yield _guarded("Clients", lambda: _clients(client, clients))
    yield _guarded("Agents", lambda: _agents(client))
    yield _guarded("Alerts", lambda: _alerts(client), softened=True)
    yield _guarded("Custom fields", lambda: _custom_fields(client), softened=True)
    yield _guarded("Beta API", lambda: _beta(client, source, clients), softened=source != "beta")
    yield _guarded("Features", lambda: _features(client), softened=True)


def failed(name: str, error: Exception) -> Check:
    """The line for an error: its own sentence, and what to do."""
    remedy = next((words for kind, words in _REMEDIES if isinstance(error, kind)), None)
    field = next((field for kind, field in _FIELDS if isinstance(error, kind)), None)
    return Check(name=name, state=FAILED, message=_message(error), remedy=remedy, field=field)


def _message(error: Exception) -> str:
    if isinstance(error, HtmlInsteadOfJson):
        return (
            "This address answers with a web page: it looks like the dashboard (usually rmm.…), not like"
            " the API (usually api.…)."
        )
    return str(error)


def _guarded(name: str, probe: Callable[[], Check], *, softened: bool = False) -> Check:
    try:
        return probe()
    except (ProviderError, ConfigError) as error:
        check = failed(name, error)
    return Check(name=name, state=WARNING, message=check.message, remedy=check.remedy) if softened else check


def _skipped(name: str) -> Check:
    return Check(
        name=name, state=NOT_CHECKED, message="Not checked, because the server or the sign-in failed."
    )


def _server(client: TacticalClient) -> Check:
    return _guarded(FIRST, lambda: _version(client))


def _version(client: TacticalClient) -> Check:
    # Any signed-in user may read the version, so it proves address and sign-in, but no permission.
    reply = client.read("/core/version/")
    version = reply.decode(str)
    return Check(
        name=FIRST,
        state=OK,
        message=f"Tactical RMM answers (web version {client.redact(version, 30)}), and the sign-in is valid.",
    )


def _clients(client: TacticalClient, found: list[Client]) -> Check:
    found += client.clients()
    if not found:
        return Check(
            name="Clients",
            state=WARNING,
            message="The user may list clients, but sees none.",
            remedy="Add clients in Tactical RMM, or widen the scope of the role.",
        )
    return Check(name="Clients", state=OK, message=f"Clients visible to this user: {len(found):,}.")


def _agents(client: TacticalClient) -> Check:
    return Check(name="Agents", state=OK, message=f"Agents visible to this user: {len(client.id_map()):,}.")


def _alerts(client: TacticalClient) -> Check:
    reply = client.read("/alerts/", method="PATCH", json={"top": 1})
    count = reply.decode(AlertsProbe).alerts_count
    return Check(name="Alerts", state=OK, message=f"Alerts can be read; open now: {count:,}.")


def _custom_fields(client: TacticalClient) -> Check:
    return Check(
        name="Custom fields", state=OK, message=f"Custom fields with names: {len(client.custom_fields()):,}."
    )


def _features(client: TacticalClient) -> Check:
    """What the role allows beside the lists, in one line; the page Permissions has all of it."""
    found = [probe.line(client) for probe in permissions.OTHERS]
    missing = [line for line in found if line.state == MISSING]
    if missing:
        features = ", ".join(line.feature for line in missing)
        switches = ", ".join(dict.fromkeys(switch for line in missing for switch in line.switches))
        return Check(
            name="Features",
            state=WARNING,
            message=f"The role does not allow: {features}.",
            remedy=f"Turn on what you want of {switches}. The connection's page Permissions has it all.",
        )
    if any(line.state != OK for line in found):
        return Check(
            name="Features",
            state=NOT_CHECKED,
            message="Not all rights could be asked for: the page Permissions of the connection says which.",
        )
    return Check(
        name="Features",
        state=OK,
        message="The role allows resolving alerts, software, scripts, commands and reboots.",
    )


def _beta(client: TacticalClient, source: str, clients: list[Client]) -> Check:
    if source == "standard":
        return Check(
            name="Beta API", state=NOT_CHECKED, message="Not used: the source is set to the standard API."
        )
    try:
        seen = client.beta_clients()
    except BetaOff as error:
        return _beta_off(source, error)
    warning = permissions.scope_warning(len(seen), len(clients))
    if warning:
        return Check(
            name="Beta API",
            state=WARNING,
            message=warning,
            remedy="Only mapped clients are read. Set the source to the standard API if that is not enough.",
        )
    return Check(
        name="Beta API",
        state=OK,
        message="The beta API is on. It ignores the scope of roles, which hides nothing from this user.",
    )


def _beta_off(source: str, error: BadResponse | BetaOff) -> Check:
    remedy = "Set BETA_API_ENABLED = True in local_settings.py of Tactical RMM and restart it."
    if source == "beta":
        return Check(name="Beta API", state=FAILED, message=str(error), remedy=remedy)
    return Check(
        name="Beta API",
        state=WARNING,
        message="Hardware facts (memory, disks, MAC addresses) are left out until BETA_API_ENABLED=True.",
        remedy=remedy,
    )
