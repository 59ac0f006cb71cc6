"""Microsoft's hosts, and which service URLs the bot's token is sent to.

Bot Connector tells in each message at which address it is answered (``serviceUrl``), and whoever gets the
bot's token there may post as the bot. So only the hosts that Microsoft names for Teams are trusted, and names
below ``botframework.com``: anybody can own a name below ``trafficmanager.net``.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from rmm_extension.domain.errors import ConfigError
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.teams.errors import KEY

LOGIN = "https://login.microsoftonline.com"
GRAPH = "https://graph.microsoft.com"
OPENID = "https://login.botframework.com"
SERVICE_HOSTS = frozenset(
    {
        "smba.trafficmanager.net",
        "smba.infra.gcc.teams.microsoft.com",
        "smba.infra.gov.teams.microsoft.us",
        "smba.infra.dod.teams.microsoft.us",
    }
)
_BELOW = ".botframework.com"


def base_of(runtime: Runtime, usual: str) -> str:
    """The host that is called in the place of Microsoft's ``usual`` one: it, outside of demos and tests."""
    return runtime.base_urls.get(KEY) or usual


def is_trusted(url: str, runtime: Runtime) -> bool:
    """Whether the bot's token may be sent to this service URL."""
    parts = _parts(url)
    if parts is None:
        return False
    stand_in = _parts(runtime.base_urls.get(KEY, ""))
    if stand_in is not None and _origin(parts) == _origin(stand_in):
        return parts.path.startswith(stand_in.path)
    host = parts.hostname or ""
    is_usual = parts.scheme == "https" and parts.port in (None, 443)
    return is_usual and (host in SERVICE_HOSTS or host.endswith(_BELOW))


def service_base(url: str, runtime: Runtime) -> str:
    """The service URL without a slash at its end; raises ``ConfigError`` where it is not trusted."""
    if not is_trusted(url, runtime):
        raise ConfigError(
            "The address at which Microsoft Teams is answered is none of Microsoft's, so the bot's token is"
            " not sent there. Take the app out of Teams and install it anew."
        )
    return url.rstrip("/")


def _parts(url: str) -> SplitResult | None:
    """The parts of a plain address of a server; ``None`` for anything else."""
    if not url.isascii() or not url.isprintable() or any(sign in url for sign in " \\?#@"):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("https", "http") and parts.hostname else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port
