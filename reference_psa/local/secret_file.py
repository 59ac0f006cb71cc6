"""The keys of a local installation: made once, kept in a file that only its owner can read."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path


def local_secrets(path: Path, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """SECRET_KEY and RMM_SECRET_KEYS: from the environment, else from the file, which is made when missing.

    RMM_SECRET_KEYS is a comma-separated list of `<key id>:<base64 of 32 bytes>`; the first one is active.
    """
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    wanted = {**new_secrets(), **kept}
    if wanted != kept:
        write_private(path, json.dumps(wanted, indent=1))
    return {name: given.get(name) or value for name, value in wanted.items()}


def new_secrets() -> dict[str, str]:
    """Fresh random keys."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {"SECRET_KEY": secrets.token_urlsafe(48), "RMM_SECRET_KEYS": f"k1:{key}"}


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 in one step: a reader sees the old file or the whole new one."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(text)
    unfinished.replace(path)
