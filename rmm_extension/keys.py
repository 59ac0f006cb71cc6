"""``python -m rmm_extension.keys`` prints a new key for ``RMM_SECRET_KEYS``."""

from __future__ import annotations

import base64
import secrets
import sys


def new_key() -> str:
    """A key as the setting takes it: an id and 32 random bytes."""
    return f"k{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


if __name__ == "__main__":
    sys.stdout.write(new_key() + "\n")
