"""Configuration, commands, links, routes, ports, signals and slots: what is documented is there."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from reference_psa import create_app
from reference_psa.notices import SUBTYPES
from rmm_extension import signals
from rmm_extension.blueprints.slots import Slots
from rmm_extension.domain import settings
from rmm_extension.domain.contracts.events import CATALOGUE
from rmm_extension.domain.retention import SHORTEST
from rmm_extension.extension import Mounted
from rmm_extension.host import PERMISSIONS, PsaHost, port
from rmm_extension.providers.capabilities import CAPABILITIES
from rmm_extension.services import kinds, notices
from tests.docs.documents import PAGES, PROJECT, anchors, blocks, links, prose, table_keys, text
from tests.harness.schema import app_config

README = PROJECT / "README.md"
HOST_GUIDE = PROJECT / "docs" / "host-guide.md"
PROVIDER_GUIDE = PROJECT / "docs" / "provider-guide.md"
OPERATIONS = PROJECT / "docs" / "operations.md"
ARCHITECTURE = PROJECT / "docs" / "architecture.md"
BASE_URL = "RMM_<VENDOR>_BASE_URL"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))


@pytest.fixture(scope="module")
def app() -> Flask:
    """The reference PSA; no database is asked."""
    return create_app(app_config("postgresql:///nowhere"))


def test_every_setting_is_in_the_readme_and_the_readme_has_no_other() -> None:
    source = Path(settings.__file__).read_text(encoding="utf-8")
    known = set(re.findall(r'"(RMM_[A-Z_]+)":', source))
    assert known
    assert set(table_keys(README, "RMM_")) == known | {BASE_URL}


def test_every_setting_named_anywhere_exists() -> None:
    known = {*table_keys(README, "RMM_"), "RMM_TACTICALRMM_BASE_URL", "RMM_"}
    events = {event.name for event in CATALOGUE.values()}
    for page in PAGES:
        named = set(re.findall(r"\bRMM_(?:[A-Z_]+|<VENDOR>_BASE_URL)?", text(page)))
        assert named <= known | events, page.name


def test_defaults_in_the_readme_are_the_ones_in_force() -> None:
    found = dict(re.findall(r"^\| `(RMM_[A-Z_]+)` \| `([^`]+)`", text(README), re.MULTILINE))
    read = settings.read_settings({"RMM_SECRET_KEYS": app_config("")["RMM_SECRET_KEYS"]})
    assert found == {
        "RMM_URL_PREFIX": read.url_prefix,
        "RMM_BASE_TEMPLATE": read.base_template,
        "RMM_WEBHOOK_MAX_BYTES": str(read.webhook_max_bytes),
        "RMM_DETAIL_WAIT": str(read.detail_wait),
        **{f"RMM_KEEP_{name.upper()}": str(getattr(read.keep, name)) for name in SHORTEST},
    }


def commands(app: Flask) -> dict[str, Any]:
    """The commands of ``flask rmm`` that show in its help."""
    group: Any = app.cli.commands["rmm"]
    return {name: command for name, command in group.commands.items() if not command.hidden}


def test_every_command_named_exists_with_its_options(app: Flask) -> None:
    known = commands(app)
    for page in PAGES:
        for name, words in re.findall(r"flask rmm ([a-z][a-z-]*)([^`\n]*)", text(page)):
            assert name in known, f"{page.name}: flask rmm {name}"
            options = {option for parameter in known[name].params for option in parameter.opts}
            assert set(re.findall(r"--[a-z-]+", words)) <= options, f"{page.name}: flask rmm {name}{words}"


def test_the_readme_has_every_command(app: Flask) -> None:
    named = {row.split()[2] for row in table_keys(README, "flask rmm ")}
    assert named == set(commands(app))


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@each_page
def test_python_blocks_are_python(page: Path) -> None:
    for code in blocks(page, "python"):
        ast.parse(code)


@each_page
def test_the_words_are_plain(page: Path) -> None:
    found = re.findall(r"(?<!<)!(?![\[=])|successfully|simply|seamless|powerful|blazing", prose(page))
    assert found == []


def test_the_host_guide_has_every_port_and_method() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", text(HOST_GUIDE), re.MULTILINE))
    for field in fields(PsaHost):
        protocol = getattr(port, "".join(part.title() for part in field.name.split("_")))
        methods = {name for name in vars(protocol) if not name.startswith("_")}
        assert set(re.findall(r"`(\w+)`", rows[field.name])) == methods, field.name


def test_the_host_guide_has_every_permission_signal_slot_and_hook() -> None:
    guide = text(HOST_GUIDE)
    names = [
        *PERMISSIONS,
        *signals.ALL,
        *(f"rmm_slots.{name}(" for name in vars(Slots) if not name.startswith("_")),
        *(f"rmm.{name}(" for name, value in vars(Mounted).items() if callable(value) and name[0] != "_"),
    ]
    assert [name for name in names if name not in guide] == []


def test_the_host_guide_has_the_whole_catalogue_of_events() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([A-Z_]+)` \| (.+?) \| (.+?) \|$", text(HOST_GUIDE), re.MULTILINE)
    found = {
        signal: (name, dict(re.findall(r"`(\w+)`(\??)", payload)), words)
        for signal, name, payload, words in rows
    }
    assert found == {
        event.signal: (
            event.name,
            {
                name: "" if field.required else "?"
                for name, field in event.schema.fields.items()
                if name != "tenantId"
            },
            event.sentence,
        )
        for event in CATALOGUE.values()
    }


def test_the_host_guide_has_every_kind_of_notice() -> None:
    guide = text(HOST_GUIDE)
    for category, subtype in (
        (notices.ALERTS, notices.TRIGGERED),
        (notices.CONNECTIONS, notices.DOWN),
        (notices.CONNECTIONS, notices.UP),
    ):
        assert f"| {category} | {subtype} |" in guide
        assert subtype in SUBTYPES


def test_the_provider_guide_has_every_capability() -> None:
    assert set(table_keys(PROVIDER_GUIDE, "[a-z_]+$")) == set(CAPABILITIES)


def test_the_queues_are_those_that_are_worked_on() -> None:
    assert set(table_keys(OPERATIONS, "rmm-")) == set(kinds.QUEUES)


def test_every_table_is_in_the_architecture() -> None:
    from rmm_extension.models import Base

    assert set(table_keys(ARCHITECTURE, "rmm_")) == set(Base.metadata.tables)


def test_make_targets_exist() -> None:
    makefile = text(PROJECT / "Makefile")
    for page in PAGES:
        for target in re.findall(r"\bmake (run|test|bench|lint|setup)\b", text(page)):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
