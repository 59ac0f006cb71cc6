"""Wheels without a network: built from source, and made again of what is installed here."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[2]


def build(source: Path, target: Path) -> Path:
    """The wheel of a project's folder; built with the packages that are here."""
    argv = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(source)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = target.glob("*.whl")
    return wheel


def needed(requirements: Iterable[str]) -> dict[str, Distribution]:
    """The installed distributions that these requirements lead to, by name."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(line), "") for line in requirements]
    while waiting:
        wanted, extra = waiting.pop()
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        found[name] = distribution(name)
        lines = [Requirement(line) for line in found[name].requires or ()]
        for taken in {"", *wanted.extras} - {extra for known, extra in seen if known == name}:
            seen.add((name, taken))
            waiting += [(line, taken) for line in lines]
    return found


def repack(installed: Distribution, target: Path) -> Path:
    """The wheel of an installed distribution: pip wants the same files and a list of them.

    What pip makes itself (programs, compiled modules) is left out, and made anew from it.
    """
    folder = next(path for path in installed.files or () if path.name == "WHEEL").parent
    told = (installed.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag:").strip().split("-") for line in told if line.startswith("Tag:")]
    together = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    wheel = target / f"{str(folder).removesuffix('.dist-info')}-{together}.whl"
    record = []
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in installed.files or ():
            if path.parts[0] == ".." or path.suffix == ".pyc" or path.name in ("RECORD", "INSTALLER"):
                continue
            data = Path(str(path.locate())).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            archive.writestr(str(path), data)
            record.append(f"{path},sha256={digest},{len(data)}")
        archive.writestr(f"{folder}/RECORD", "\n".join([*record, f"{folder}/RECORD,,", ""]))
    return wheel
