"""What makes a second click on a form the first one."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from flask import request

from rmm_extension.domain.values import storable

_LONGEST_KEY = 100


def form_key() -> str:
    """What the form's page is known by: kept while the form is mended."""
    return storable(request.form.get("key", ""))[:_LONGEST_KEY] or secrets.token_urlsafe(16)


def wish(what: str, value: Mapping[str, Any]) -> str:
    """The page's key and what was sent with it: who goes back and changes something wishes something else.

    The key itself is kept nowhere, so that nobody can guess at the inputs behind the digest.
    """
    sent = json.dumps([form_key(), what, value], sort_keys=True)
    return hashlib.sha256(sent.encode("utf-8", "surrogatepass")).hexdigest()
