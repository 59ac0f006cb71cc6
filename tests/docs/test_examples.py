"""The examples run: mounting as the README shows it, and log-ins, bodies and answers as documented."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from reference_psa.seed import LOGINS
from rmm_extension.providers.contract import Provider, Runtime
from rmm_extension.providers.tacticalrmm.webhooks import body_template
from rmm_extension.services.deliveries import GAPS
from tests.docs.documents import PROJECT, block_after, blocks, text
from tests.harness.schema import KEYS
from tests.harness.world import World

README = PROJECT / "README.md"
GUIDE = PROJECT / "docs" / "provider-guide.md"
ACME = PROJECT / "tests" / "packaging" / "acme"
WEBHOOKS = PROJECT / "docs" / "webhooks.md"

CHECK = """
runner, client = app.test_cli_runner(), app.test_client()
done = runner.invoke(args=["rmm", "upgrade"])
assert done.exit_code == 0, done.output
for path in ("", "settings", "alerts", "devices", "jobs", "connect/tacticalrmm/api_key"):
    answer = client.get(f"/rmm/{path}")
    assert answer.status_code == 200, (path, answer.status_code)
with app.app_context():
    db.engine.dispose()
"""


def test_the_readmes_host_runs(database_url: str) -> None:
    """In a process of its own, as its reader would run it."""
    code = block_after(README, "<!-- mount-it")
    done = subprocess.run(
        [sys.executable, "-c", code + CHECK],
        env={"SECRET_KEY": "docs", "DATABASE_URL": database_url, "RMM_SECRET_KEYS": KEYS},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_log_in_is_in_the_readme() -> None:
    readme = text(README)
    assert [email for email, *_ in LOGINS if email not in readme] == []
    assert {f"`{password}`" in readme for _, password, *_ in LOGINS} == {True}


def test_the_guides_provider_is_one() -> None:
    """The class of the guide loads and has a complete manifest."""
    code = next(code for code in blocks(GUIDE, "python") if "class" in code)
    names: dict[str, Any] = {}
    exec(compile(code, "provider-guide", "exec"), names)
    made = names["PROVIDER"](Runtime())
    assert isinstance(made, Provider)
    assert made.manifest.key == "acme"


def test_the_guides_excerpts_are_those_of_the_provider_that_is_installed_and_run() -> None:
    found = [code for code in blocks(GUIDE, "python") if "AcmeClient" in code or "def _event" in code]
    assert len(found) == 2
    source = text(ACME / "acme_rmm.py")
    assert [code for code in found if code not in source] == []


def test_the_guides_project_is_the_one_that_is_built() -> None:
    (shown,) = (tomllib.loads(code) for code in blocks(GUIDE, "toml"))
    built = tomllib.loads(text(ACME / "pyproject.toml"))
    assert {**built["project"], **shown["project"]} == built["project"]
    assert {name: shown[name] for name in ("build-system", "tool")} == {
        name: built[name] for name in ("build-system", "tool")
    }


def test_the_documented_body_is_the_one_to_paste() -> None:
    (body,) = blocks(WEBHOOKS, "json")
    assert json.loads(body) == json.loads(body_template("failure"))


def test_the_documented_retries_are_those_that_happen() -> None:
    numbers = ("one", "two", "three", "four", "five", "six", "seven")
    assert f"after {GAPS[0]} s" in text(WEBHOOKS)
    assert f"{numbers[len(GAPS) - 1]} times in all" in text(WEBHOOKS)
    assert GAPS[-1] == 3600


def answers() -> dict[int, str]:
    """The rows of the table of answers, by status."""
    rows = re.findall(r"^\| (\d{3}) \| (.+) \|$", text(WEBHOOKS), re.MULTILINE)
    return {int(status): row for status, row in rows}


def test_every_answer_is_documented(world: World) -> None:
    """Both addresses, and what each refusal looks like."""
    legacy = f"/api/webhooks/tacticalrmm?tenant={world.tenant}"
    tries = {
        "taken": world.post(),
        "at the tenant's address": world.post(world.body(525), url=legacy),
        "wrong secret": world.post(secret="wrong"),
        "unknown token": world.post(url="/api/webhooks/tacticalrmm/x.y"),
        "no JSON": world.post(b"{"),
        "no tenant": world.post(url="/api/webhooks/tacticalrmm"),
        "too big": world.post(b"x" * 300_000),
        "not a post": world.http.get(f"/api/webhooks/tacticalrmm/{world.token}"),
    }
    found = {name: answer.status_code for name, answer in tries.items()}
    assert found == {
        "taken": 200,
        "at the tenant's address": 200,
        "wrong secret": 401,
        "unknown token": 404,
        "no JSON": 400,
        "no tenant": 400,
        "too big": 413,
        "not a post": 405,
    }
    assert set(found.values()) <= answers().keys()
    assert tries["taken"].get_json()["outcome"] in answers_of(200)
    for name in ("no JSON", "no tenant"):
        assert tries[name].get_json()["reason"] in answers()[400]


def answers_of(status: int) -> str:
    """All rows of one status."""
    return "\n".join(re.findall(rf"^\| {status} \| .+$", text(WEBHOOKS), re.MULTILINE))


@pytest.mark.parametrize("state", ["paused", "not_connected"])
def test_sleeping_connections_answer_as_documented(world: World, state: str) -> None:
    world.do("UPDATE rmm_integrations SET state = :state, config_version = config_version + 1", state=state)
    answer = world.post()
    assert answer.status_code == 200
    assert answer.get_json() == {"recorded": False, "reason": f"connection_{state}"}
    assert f"connection_{state}" in answers_of(200)


def test_a_delivery_can_be_sent_with_the_documented_curl(world: World) -> None:
    body = re.search(r"-d '(.+)'", text(WEBHOOKS))
    assert body
    answer = world.post(body[1].encode())
    assert answer.get_json()["recorded"] is True
