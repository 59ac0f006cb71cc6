"""What a provider is: a manifest, and the capabilities it implements (:mod:`.capabilities`).

A provider is made once per process with a :class:`Runtime` and is stateless between calls: everything about
an account comes in the :class:`~rmm_extension.domain.types.Connection`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from rmm_extension.domain.types import Severity

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the installation decides for every provider.

    ``allowed_networks`` are private networks the administrator opened; ``base_urls`` replaces a vendor's
    address (provider key to URL), set only for demos and tests.
    """

    allowed_networks: tuple[Network, ...] = ()
    base_urls: Mapping[str, str] = field(default_factory=dict)
    connect_timeout: float = 5.0
    read_timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the connection form. A ``secret`` is write-only and stored encrypted under ``name``.

    ``kind``: text, url, password, number, choice (then ``choices`` of (value, label)) or checkbox; a text or
    url offers its ``choices`` and takes anything. A password is taken to the letter, and no page shows its
    end; all else is taken without the blanks around it. A field that is not secret is stored in the
    connection's settings, except ``instance_url``. One that is asked ``once`` is for this one sign-in, never
    stored, and comes in ``Connection.once``. A session lasts while no secret and no required field of its
    sign-in changes.
    """

    name: str
    label: str
    kind: str = "text"
    secret: bool = False
    once: bool = False
    required: bool = True
    help: str = ""
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AuthMode:
    """One way to sign in, with its fields and the steps to take on the vendor's side, in words.

    ``ends_with`` names the secrets that ending a session takes beside its token, such as OAuth's client
    secret. Where it is ``in_browser`` the person is sent to the vendor with what was typed, and comes back.
    """

    key: str
    label: str
    description: str
    fields: tuple[Field, ...]
    vendor_steps: tuple[str, ...] = ()
    ends_with: tuple[str, ...] = ()
    in_browser: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a provider says of itself.

    ``editions`` are the host's editions that include it; ``organization_noun`` is the vendor's word for a
    customer ("client", "organization", "group"); ``docs_url`` the vendor's documentation;
    ``software_platforms`` are the only ones (windows, linux, darwin) whose agents tell their software, where
    these are not all; ``short_name`` stands before the id in the tag of an asset made for a device, the key
    where it is empty; ``tags_by_serial`` puts the serial number, where there is one, in the id's place, and
    shortens ids that nobody could read out. ``tells_patch_numbers``: its devices come with their numbers of
    patches; where they do not, the numbers are counted from the lists of patches. ``makes_assets``: a device
    that is no asset yet becomes one, unless the connection's settings say otherwise. ``matches_by_name``: a
    device is the client's asset of the same name, for vendors that tell of machines whose hardware somebody
    else reports.
    ``routed_severities``: the connection has a routing (boards, priorities, fallback client) that its rules
    use, and these are the severities that the vendor's alerts have, the worst first.
    ``category`` is where Settings › Integrations lists it: ``rmm`` or ``communication``.
    ``addon`` is the host's add-on that a tenant must have booked beside its edition, none where it is empty.
    ``lacks`` are facts of devices, by the names of their fields, that people look for and its API never
    tells: pages say so, where they leave out what is not known of one device.
    """

    key: str
    label: str
    description: str
    auth_modes: tuple[AuthMode, ...]
    editions: tuple[str, ...] = ("enterprise",)
    organization_noun: str = "organization"
    docs_url: str = ""
    software_platforms: tuple[str, ...] = ()
    short_name: str = ""
    tags_by_serial: bool = False
    tells_patch_numbers: bool = False
    makes_assets: bool = True
    matches_by_name: bool = False
    routed_severities: tuple[Severity, ...] = ()
    category: str = "rmm"
    addon: str = ""
    lacks: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """What tags of assets begin with."""
        return self.short_name or self.key

    @property
    def routes_alerts(self) -> bool:
        """Whether connections have a routing."""
        return bool(self.routed_severities)


class Provider:
    """Base of all providers. Subclass, set ``manifest``, implement the capabilities the vendor has."""

    manifest: ClassVar[Manifest]

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def normalize_url(self, value: str) -> str:
        """The instance URL in its one form; raises ``ConfigError`` with a sentence when it is no URL."""
        return value.strip()

    def check_settings(self, settings: dict[str, str]) -> dict[str, str]:
        """What was typed beside address and secrets, in its one form; raises ``ConfigError`` with a sentence
        that names the field that cannot be kept."""
        return settings
