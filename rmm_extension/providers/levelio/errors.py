"""What error answers of Level's API mean, in words.

Its 401 has the body ``{"error": "Access denied"}``; the other bodies are not published and read as they come.
"""

from __future__ import annotations

from rmm_extension.domain.errors import (
    AuthFailed,
    InvalidRequest,
    NotFound,
    PermissionMissing,
    ProviderError,
    Unavailable,
)
from rmm_extension.providers.reply import HtmlInsteadOfJson, Reply

KEY = "levelio"
WRITE_KEY = "Make a key that may read and write in Level under Settings › API Keys, and enter it here."
_KEYS = ("error", "message", "detail", "title")


def said(reply: Reply) -> str:
    """The sentence of an error body as it came, empty where it has none."""
    found = reply.texts
    return next((found[key] for key in _KEYS if found.get(key)), "")


def explained(reply: Reply, shown: str) -> ProviderError | None:
    """The error of the answer; ``shown`` is what it said, redacted. ``None`` leaves it to its status."""
    found = _reading(reply, f" (it says: {shown.rstrip('.')})" if shown else "")
    if found is not None:
        found.provider, found.status, found.request_id = KEY, reply.status, reply.request_id
    return found


def _reading(reply: Reply, behind: str) -> ProviderError | None:
    status = reply.status
    if status == 429:
        return None
    if status >= 500 or status == 408:
        return Unavailable(f"Level is temporarily unavailable (status {status}){behind}.")
    if reply.is_html:
        # Something on the way answered, not Level's API: it must be taken for no word about key or object.
        return HtmlInsteadOfJson(
            f"The answer to {reply.path} is a web page with status {status} instead of Level's API."
        )
    if status == 401:
        return AuthFailed(
            "Level does not accept the API key: it is mistyped, was deleted, or was regenerated, which ends"
            " the old one at once."
        )
    if status == 403:
        return _forbidden(reply, behind)
    if status == 404:
        return NotFound(f"Level does not know this: it was deleted, or is of another account{behind}.")
    return InvalidRequest(f"Level refused the request to {reply.path} with status {status}{behind}.")


def _forbidden(reply: Reply, behind: str) -> ProviderError:
    if is_write(reply.path):
        return PermissionMissing(
            f"The API key may only read, or this is of another account of Level{behind}. {WRITE_KEY}"
        )
    return PermissionMissing(f"The API key may not read {reply.path} at Level{behind}.")


def is_write(path: str) -> bool:
    """Whether the path is one of those that change something."""
    return path.endswith("/resolve") or path.startswith("/v2/automations/webhooks/")
