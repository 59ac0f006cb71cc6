"""What holds for every provider, whichever vendor it speaks to."""

from __future__ import annotations

import ast
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rmm_extension import providers
from rmm_extension.domain.contracts.actions import script_field
from rmm_extension.domain.errors import (
    AuthFailed,
    BadResponse,
    ConfigError,
    InvalidRequest,
    NotFound,
    PermissionMissing,
    ProviderError,
    RateLimited,
    RMMError,
    Unavailable,
    WebhookRejected,
)
from rmm_extension.domain.labels import LABELS
from rmm_extension.domain.registrations import WebhookRegistration
from rmm_extension.domain.sessions import MemorySessions, SessionToken
from rmm_extension.domain.types import Connection, Device, Hardware, Severity, WebhookRequest
from rmm_extension.host import PERMISSIONS
from rmm_extension.providers.capabilities import CAPABILITIES, capabilities
from rmm_extension.providers.contract import AuthMode, Provider, Runtime
from rmm_extension.providers.registry import ProviderRegistry
from tests.packaging.acme import acme_rmm
from tests.packaging.acme.acme_rmm import Acme
from tests.providers.conftest import RUNTIME
from tests.providers.wire import answer, serve

FOLDER = Path(providers.__path__[0])
OTHERS = [(Acme.manifest.key, lambda: Acme)]
"""Of other distributions; the registry finds these by their entry points where they are installed."""
KEYS = [*(one.manifest.key for one in ProviderRegistry(RUNTIME).all()), *(key for key, _ in OTHERS)]
KINDS = {"text", "url", "password", "number", "choice", "checkbox"}
# What providers may lean on; everything else of the extension stands above them.
ALLOWED = ("rmm_extension.domain", "rmm_extension.providers")
FORBIDDEN = {"flask", "sqlalchemy", "rq", "redis", "flask_sqlalchemy", "wtforms", "celery", "psycopg"}

SESSION, REFRESH = "SECRET-session-0123456789abcdef", "SECRET-refresh-0123456789abcdef"
TOKEN = SessionToken(value=SESSION, refresh=REFRESH)

for_each_provider = pytest.mark.parametrize("key", KEYS)


def provider_of(key: str, runtime: Runtime = RUNTIME) -> Provider:
    """The provider with this key."""
    return ProviderRegistry(runtime, sources=OTHERS if key in dict(OTHERS) else None).get(key)


def provider_at(key: str, url: str) -> Provider:
    """The provider, with its vendor's address replaced."""
    return provider_of(key, replace(RUNTIME, base_urls={key: url}))


def modes(provider: Provider) -> tuple[AuthMode, ...]:
    return provider.manifest.auth_modes


def connection_to(provider: Provider, url: str) -> Connection:
    """A connection with every secret filled in, each recognizable; signed in where that takes a person."""
    mode = modes(provider)[0]
    secrets = {field.name: f"SECRET-{field.name}-0123456789abcdef" for field in mode.fields if field.secret}
    plain = [field for field in mode.fields if not field.secret and field.name != "instance_url"]
    settings = {f.name: f.default or f"value-of-{f.name}" for f in plain if f.default or f.required}
    return Connection(
        tenant_id="t",
        integration_id="1",
        provider=provider.manifest.key,
        instance_url=url,
        auth_mode=mode.key,
        secrets=secrets,
        settings=settings,
        sessions=MemorySessions(TOKEN) if mode.in_browser else None,
    )


def test_there_are_providers_and_none_is_broken() -> None:
    assert KEYS
    assert ProviderRegistry(RUNTIME).broken() == {}


@for_each_provider
def test_the_manifest_is_complete(key: str) -> None:
    manifest = provider_of(key).manifest
    assert re.fullmatch(r"[a-z][a-z0-9_]*", manifest.key)
    assert manifest.label == LABELS.get(key, manifest.label)
    assert manifest.description.endswith(".")
    assert manifest.editions
    assert manifest.organization_noun.islower()
    assert manifest.docs_url.startswith("https://")
    assert manifest.auth_modes
    assert len({mode.key for mode in manifest.auth_modes}) == len(manifest.auth_modes)
    assert set(manifest.lacks) <= {*Device.__struct_fields__, *Hardware.__struct_fields__}
    assert manifest.routed_severities == tuple(one for one in Severity if one in manifest.routed_severities)


@for_each_provider
def test_every_field_is_labelled(key: str) -> None:
    for mode in modes(provider_of(key)):
        assert mode.label
        assert mode.description.endswith(".")
        assert all(step.endswith(".") for step in mode.vendor_steps)
        assert len({field.name for field in mode.fields}) == len(mode.fields)
        assert set(mode.ends_with) <= {field.name for field in mode.fields if field.secret}
        for field in mode.fields:
            assert field.label, field.name
            assert field.kind in KINDS, field.name
            assert not field.help or field.help.endswith("."), field.name
            assert not (field.secret and field.default), field.name
            assert field.choices or field.kind != "choice", field.name
            assert not field.choices or field.kind in ("choice", "text", "url"), field.name
            assert not field.default or field.kind != "choice" or field.default in dict(field.choices)


@for_each_provider
def test_capabilities_go_together(key: str) -> None:
    found = capabilities(provider_of(key))
    assert "test" in found
    assert found <= CAPABILITIES.keys()
    assert "devices" not in found or "organizations" in found
    assert found.isdisjoint({"device", "software", "patches", "remote_access"}) or "devices" in found
    assert "device_software" not in found or "software" in found
    assert "device_patches" not in found or "patches" in found
    assert "scripts" not in found or "actions" in found
    assert "alert_reset" not in found or found & {"alert", "alerts", "alert_changes", "webhook"}
    assert "webhook_registration" not in found or "webhook" in found
    assert "signed_webhook" not in found or "webhook" in found
    assert not {"signed_webhook", "webhook_registration"} <= found
    assert not {"remote_access", "remote_link"} <= found
    assert "remote_link" not in found or "devices" in found


@for_each_provider
def test_actions_are_named_after_their_provider(key: str) -> None:
    provider: Any = provider_of(key)
    if "actions" not in capabilities(provider):
        pytest.skip(f"{key} has no actions")
    module = provider.action_module()
    assert module.key == f"app:{key}"
    for action in module.actions:
        assert action.id.startswith(f"{key}.")
        assert action.description.endswith(".")
        assert action.permission in PERMISSIONS
        # What is done to a device is executed there, from whichever place it is asked for.
        elsewhere = {"rmm.execute", "rmm.alerts.manage", "rmm.workflows.manage"}
        acting = {"rmm.execute"} if action.on_device else elsewhere
        assert not action.side_effects or action.permission in acting
    runs_scripts = any(script_field(action) for action in module.actions)
    assert ("scripts" in capabilities(provider)) == runs_scripts


@pytest.mark.parametrize("key", [key for key in KEYS if (FOLDER / key).is_dir()])
def test_the_folder_has_its_shape_and_its_page(key: str) -> None:
    folder = FOLDER / key
    assert {"__init__.py", "client.py"} <= {path.name for path in folder.iterdir()}
    page = FOLDER.parents[1] / "docs" / "providers" / f"{key}.md"
    assert "Quality scale" in page.read_text(encoding="utf-8")
    for path in folder.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 400, path.name


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield f"{node.module}.{node.names[0].name}"


FILES = [*sorted(FOLDER.rglob("*.py")), Path(acme_rmm.__file__)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_providers_know_no_framework_and_no_database(path: Path) -> None:
    for name in _imports(path):
        assert name.partition(".")[0] not in FORBIDDEN, name
        assert not name.startswith("rmm_extension") or name.startswith(ALLOWED), name


PAGE = b"<!doctype html><html><title>Sign in</title></html>"
SCENARIOS: dict[str, tuple[bytes, tuple[type[RMMError], ...]]] = {
    "401": (answer(401, b'{"detail": "Invalid token."}'), (AuthFailed,)),
    "403": (answer(403, b'{"detail": "no"}'), (PermissionMissing,)),
    "404": (answer(404, b'{"detail": "Not found."}'), (NotFound,)),
    "429 long": (answer(429, b"{}", Retry_After="3600"), (RateLimited,)),
    "500": (answer(500, PAGE, "text/html"), (Unavailable,)),
    "503": (answer(503, b"{}"), (Unavailable,)),
    "html": (answer(200, PAGE, "text/html"), (BadResponse,)),
    "cut": (answer(200, b'[{"id": 1', Content_Length="5000"), (Unavailable, BadResponse)),
    "half": (answer(200, b'{"a": ['), (BadResponse,)),
    "shape": (answer(200, b'{"unexpected": [null, 1]}'), (BadResponse,)),
    "redirect": (answer(302, b"", Location="http://127.0.0.1:9/"), (BadResponse,)),
}
DEVICE = "7" * 40
"""An id that any vendor could have given."""
CALLS: dict[str, Callable[[Any, Connection], Any]] = {
    "organizations": lambda provider, connection: provider.organizations(connection),
    "devices": lambda provider, connection: list(provider.devices(connection, ["1"], full=True)),
    "device": lambda provider, connection: provider.device(connection, DEVICE),
    "alert": lambda provider, connection: provider.alert(connection, "1"),
    "alerts": lambda provider, connection: provider.active_alerts(connection),
    "alert_changes": lambda provider, connection: provider.alert_changes(connection, datetime.now(UTC)),
    "alert_reset": lambda provider, connection: provider.reset_alert(connection, "1"),
    "software": lambda provider, connection: list(provider.software(connection)),
    "device_software": lambda provider, connection: provider.device_software(connection, DEVICE),
    "patches": lambda provider, connection: list(provider.patches(connection)),
    "device_patches": lambda provider, connection: provider.device_patches(connection, DEVICE),
    "scripts": lambda provider, connection: provider.scripts(connection),
    "remote_link": lambda provider, connection: provider.fetch_remote_link(connection, "7"),
    "webhook_registration": lambda provider, connection: provider.register_webhook(
        connection, WebhookRegistration(url="https://psa.example.com/x", header="X-Secret", secret="s")
    ),
    "bot_messages": lambda provider, _: provider.signing_keys(),
    "session_end": lambda provider, connection: provider.end_session(
        msgspec.structs.replace(connection, sessions=MemorySessions(TOKEN))
    ),
}
# An object that is not there is an answer to these, not an error.
ABSENCE_IS_AN_ANSWER = {"device", "alert", "alert_reset", "device_software", "device_patches"}
# A vendor's answer to a write is only a receipt: its shape is not looked at.
RECEIPTS = ("alert_reset", "session_end", "webhook_registration")
ONLY_A_RECEIPT = {(word, body) for word in RECEIPTS for body in ("shape", "half")}
# OAuth's 401 is about the application that asks, not about the token that it asks to end.
OF_THE_APPLICATION = {("session_end", "401"): InvalidRequest}


def _without_secrets(connection: Connection, error: BaseException) -> None:
    told = [str(error), repr(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
    for secret in (*connection.secrets.values(), SESSION, REFRESH):
        assert not any(secret in text for text in told)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(
    "key, word",
    [(key, word) for key in KEYS for word in CALLS if word in capabilities(provider_of(key))],
)
def test_errors_have_their_class_a_sentence_and_no_secret(key: str, scenario: str, word: str) -> None:
    reply, kinds = SCENARIOS[scenario]
    with serve(reply) as wire:
        provider = provider_at(key, wire.url)
        connection = connection_to(provider, wire.url)
        try:
            CALLS[word](provider, connection)
        except ProviderError as error:
            found: ProviderError | None = error
        else:
            found = None
    if found is None:
        assert (scenario == "404" and word in ABSENCE_IS_AN_ANSWER) or (word, scenario) in ONLY_A_RECEIPT
        return
    assert isinstance(found, (*kinds, OF_THE_APPLICATION.get((word, scenario), kinds[0])))
    assert str(found).endswith(".")
    assert found.provider == key
    assert found.request_id
    assert not isinstance(found, RateLimited) or found.retry_after > 3000
    _without_secrets(connection, found)


@for_each_provider
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_connection_test_never_raises_and_ends_in_sentences(key: str, scenario: str) -> None:
    reply, _ = SCENARIOS[scenario]
    with serve(reply) as wire:
        provider: Any = provider_at(key, wire.url)
        connection = connection_to(provider, wire.url)
        found = list(provider.check(connection))
    assert any(check.state == "failed" for check in found)
    for check in found:
        assert check.state in ("ok", "warning", "failed", "not_checked")
        assert check.message.endswith("."), check
        assert check.remedy is None or check.remedy.endswith("."), check
        assert not any(secret in repr(check) for secret in connection.secrets.values())


@for_each_provider
def test_a_connection_without_secrets_is_a_config_error(key: str) -> None:
    provider: Any = provider_at(key, "http://127.0.0.1:9")
    bare = Connection(
        tenant_id="t",
        integration_id="1",
        provider=key,
        instance_url="http://127.0.0.1:9",
        auth_mode=modes(provider)[0].key,
    )
    assert next(check.state for check in provider.check(bare)) == "failed"
    if "organizations" in capabilities(provider):
        with pytest.raises(ConfigError, match=r"\.$"):
            provider.organizations(bare)


@for_each_provider
def test_repr_of_what_holds_secrets(key: str) -> None:
    provider: Any = provider_at(key, "http://127.0.0.1:9")
    connection = connection_to(provider, "http://127.0.0.1:9")
    shown = [repr(connection), repr(provider)]
    if hasattr(provider, "client"):
        with provider.client(connection) as client:
            shown.append(repr(client))
    assert not any(secret in text for secret in connection.secrets.values() for text in shown)


@for_each_provider
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"null", b'"x"', b"\xff", b"[" * 50_000, b"{}"])
def test_webhook_bodies_of_no_shape_are_rejected(key: str, body: bytes) -> None:
    provider: Any = provider_of(key)
    if "webhook" not in capabilities(provider):
        pytest.skip(f"{key} has no webhook")
    request = WebhookRequest(headers={}, body=body, received_at=datetime.now(UTC))
    assert not provider.verify_webhook(request, ["secret"])
    assert not provider.verify_webhook(request, [])
    with pytest.raises(WebhookRejected, match=r"\.$") as caught:
        provider.parse_webhook(request)
    assert re.fullmatch(r"[a-z_]+", caught.value.reason)


@pytest.mark.parametrize("key", [key for key in KEYS if "signed_webhook" in capabilities(provider_of(key))])
@pytest.mark.parametrize("value", ["", "  ", "\x00", "\n"])
def test_a_blank_secret_of_the_vendors_is_refused(key: str, value: str) -> None:
    provider: Any = provider_of(key)
    with pytest.raises(ConfigError, match=r"\.$"):
        provider.check_webhook_secret(value)


@for_each_provider
def test_webhook_steps_can_be_followed(key: str) -> None:
    provider: Any = provider_of(key)
    if "webhook" not in capabilities(provider):
        pytest.skip(f"{key} has no webhook")
    is_theirs = "signed_webhook" in capabilities(provider)
    steps = provider.webhook_steps("https://psa.example.com/hook/t.RANDOM", "" if is_theirs else "the-secret")
    assert steps
    assert not is_theirs or not any(step.is_secret for step in steps)
    assert any(step.paste and "t.RANDOM" in step.paste for step in steps)
    for step in steps:
        assert step.title
        assert step.text.endswith(".")
        assert "the-secret" not in step.text
        assert step.is_secret or "the-secret" not in (step.paste or "")
