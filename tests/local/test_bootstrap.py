"""The bootstrap script, without installing anything."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module that works on a project with a finished environment in `tmp_path`."""
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv, lock = tmp_path / ".venv", tmp_path / ".ci" / "requirements.txt"
    places = {"PROJECT": tmp_path, "VENV": venv, "LOCK": lock, "STAMP": venv / ".stamp"}
    for name, value in {**places, "UNFINISHED": venv / ".unfinished"}.items():
        monkeypatch.setattr(module, name, value)
    lock.parent.mkdir()
    lock.write_text("flask==3.1.3\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    (venv / "pyvenv.cfg").write_text("version = 3.11.7\n")
    (venv / ".stamp").write_text(module.fingerprint())
    return module


def executable(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_finished_environment_is_left_alone(bootstrap: ModuleType) -> None:
    assert bootstrap.ready()
    assert bootstrap.main() == 0


@pytest.mark.parametrize("changed", [".ci/requirements.txt", "pyproject.toml", ".venv/pyvenv.cfg"])
def test_any_change_asks_for_an_installation(bootstrap: ModuleType, changed: str) -> None:
    (bootstrap.PROJECT / changed).write_text("different")
    assert not bootstrap.ready()


def test_interrupted_installation_is_made_anew(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    bootstrap.UNFINISHED.touch()
    half = bootstrap.VENV / "lib"
    half.mkdir()
    monkeypatch.setattr(bootstrap, "create", lambda: done.append("create"))
    monkeypatch.setattr(bootstrap, "find_pip", lambda: ["pip"])
    monkeypatch.setattr(bootstrap, "fingerprint", lambda: "new")
    monkeypatch.setattr(bootstrap, "install", lambda pip, *words: done.append(words[-1]))
    assert not bootstrap.ready()
    assert bootstrap.main() == 0
    assert done == ["create", str(bootstrap.LOCK), str(bootstrap.PROJECT)]
    assert not half.exists()
    assert bootstrap.STAMP.read_text() == "new"
    assert not bootstrap.UNFINISHED.exists()


def test_second_bootstrap_waits_and_finds_the_work_done(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap.STAMP.unlink()
    source = (
        "import fcntl, sys, time; handle = open(sys.argv[1], 'w'); fcntl.flock(handle, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read(); open(sys.argv[2], 'w').write(sys.argv[3])"
    )
    arguments = [str(bootstrap.VENV / ".lock"), str(bootstrap.STAMP), bootstrap.fingerprint()]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", source, *arguments], **pipes) as other:  # type: ignore[call-overload]
        other.stdout.readline()
        heard: list[str] = []

        def say(text: str) -> None:
            heard.append(text)
            other.stdin.close()  # lets the other one finish

        monkeypatch.setattr(bootstrap, "say", say)
        assert bootstrap.main() == 0
    assert heard == ["another bootstrap is at work here; waiting for it"]


def test_supported_python_on_path_is_taken(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(tmp_path / "python3.13", "exit 127")  # a pyenv shim of a version that is not active
    executable(tmp_path / "python3.12", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bootstrap.find_interpreter() == str(tmp_path / "python3.12")


def test_old_python_is_refused_with_a_sentence(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.STAMP.unlink()
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 18))
    monkeypatch.setattr(bootstrap, "find_interpreter", lambda: None)
    assert bootstrap.main() == 1
    assert "needs Python 3.11, 3.12 or 3.13, and this is 3.9" in capsys.readouterr().err


def test_missing_pip_is_said(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.STAMP.unlink()
    monkeypatch.setattr(bootstrap, "usable", lambda: True)
    monkeypatch.setattr(bootstrap, "works", lambda pip: False)
    assert bootstrap.main() == 1
    assert "there is no pip" in capsys.readouterr().err


def test_old_interpreters_can_read_the_script() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_lock_names_no_index_and_hashes_everything() -> None:
    text = (SCRIPT.parent / "requirements.txt").read_text()
    assert "http" not in text
    pins = [line for line in text.splitlines() if line[:1].isalnum()]
    assert pins
    assert all("==" in line and line.endswith("\\") for line in pins)
