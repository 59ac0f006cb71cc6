"""A vendor made up for these tests; what is typed as its address decides how the test of it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from rmm_extension.domain.errors import AuthFailed, ConfigError, Unavailable
from rmm_extension.domain.patches import PatchesOfDevice, PatchPage
from rmm_extension.domain.signals import ActivityPage
from rmm_extension.domain.types import (
    AlertChanges,
    AlertEvent,
    Check,
    Connection,
    DevicePage,
    Organization,
    PermissionLine,
    Severity,
    SoftwareOfDevice,
    SoftwarePage,
    WebhookRequest,
)
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.contract import AuthMode, Field, Manifest, Provider

KEY = "acme"
SECRET = "acme-secret-0123456789"
ADDRESS = Field("instance_url", "Address", kind="url")
KEY_MODE = AuthMode(
    key="api_key",
    label="API key",
    description="A key of your own.",
    fields=(
        ADDRESS,
        Field("api_key", "API key", secret=True),
        Field("region", "Region", kind="choice", required=False, default="eu", choices=(("eu", "EU"),)),
        Field("verbose", "Verbose", kind="checkbox", required=False),
    ),
    vendor_steps=("Make a key in <Settings>.",),
)
PASSWORD_MODE = AuthMode(
    key="password",
    label="User and password",
    description="A user without a second factor.",
    fields=(ADDRESS, Field("user", "User"), Field("password", "Password", kind="password", secret=True)),
)


class AcmeProvider(Provider):
    """Answers without a network. ``before_check`` is called first, so that a test can look around."""

    manifest = Manifest(
        key=KEY,
        label="Acme RMM",
        description="A vendor that <script>does not exist</script>.",
        auth_modes=(KEY_MODE, PASSWORD_MODE),
        editions=("enterprise",),
    )
    before_check: ClassVar[Callable[[], None]] = staticmethod(lambda: None)

    def normalize_url(self, value: str) -> str:
        """Needs a dot."""
        url = value.strip().rstrip("/")
        if url and "." not in url:
            raise ConfigError("The address is not an address.")
        return url if "://" in url or not url else f"https://{url}"

    def check(self, connection: Connection) -> Iterator[Check]:
        """By the address: unreachable, a refused key, a warning, or well."""
        type(self).before_check()
        if "unreachable" in connection.instance_url:
            raise Unavailable("Acme RMM does not answer.", provider=KEY)
        if "refused" in connection.instance_url:
            yield Check(name="Key", state="failed", message="The key is unknown.", remedy="Make a new key.")
            yield Check(name="Devices", state="not_checked", message="Not checked.")
            return
        yield Check(name="Key", state="ok", message="The key is known.")
        if "warning" in connection.instance_url:
            yield Check(name="Beta", state="warning", message="Beta is off.", remedy="Switch it on.")

    def permissions(self, connection: Connection) -> Iterator[PermissionLine]:
        """One of each state, or refused credentials."""
        if connection.secrets["api_key"] != SECRET:
            raise AuthFailed("The key is unknown.", provider=KEY)
        for state in ("ok", "missing", "not_checked", "warning"):
            yield PermissionLine(
                feature=f"Feature <{state}>",
                switches=(f"can_{state}",),
                state=state,
                message=f"It is {state}.",
            )

    def organizations(self, connection: Connection) -> Sequence[Organization]:
        """One."""
        return [Organization(external_id="1", name="Alpha")]

    def software(self, connection: Connection) -> Iterator[SoftwarePage]:
        """Nothing installed anywhere."""
        return iter(())

    def device_software(self, connection: Connection, external_id: str) -> SoftwareOfDevice | None:
        """No such device."""
        return None

    def patches(self, connection: Connection) -> Iterator[PatchPage]:
        """Nothing waited for anywhere."""
        return iter(())

    def device_patches(self, connection: Connection, external_id: str) -> PatchesOfDevice | None:
        """No such device."""
        return None

    def devices(
        self, connection: Connection, organization_ids: Sequence[str], *, full: bool
    ) -> Iterator[DevicePage]:
        """None."""
        yield DevicePage(devices=(), completed_organizations=tuple(organization_ids))

    def active_alerts(self, connection: Connection) -> Sequence[AlertEvent]:
        """None."""
        return ()

    def activity(self, connection: Connection, after: str | None) -> Iterator[ActivityPage]:
        """Nothing happened."""
        return iter(())

    def verify_webhook(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """By the secret in a header."""
        return request.headers.get("x-secret") in secrets

    def parse_webhook(self, request: WebhookRequest) -> Sequence[AlertEvent]:
        """Nothing we use."""
        return ()

    def webhook_steps(self, url: str, secret: str) -> Sequence[WebhookStep]:
        """An address and a header to paste."""
        return [
            WebhookStep("Address", "Paste it.", url),
            WebhookStep("Header", "Paste it.", f"X-Secret: {secret}", is_secret=True),
        ]


class SingleProvider(AcmeProvider):
    """The same with one way to sign in, and without alerts, activity log, software, patches and a word on
    permissions."""

    active_alerts = None  # type: ignore[assignment]
    activity = None  # type: ignore[assignment]
    permissions = None  # type: ignore[assignment]
    software = None  # type: ignore[assignment]
    device_software = None  # type: ignore[assignment]
    patches = None  # type: ignore[assignment]
    device_patches = None  # type: ignore[assignment]

    manifest = Manifest(
        key="single",
        label="Single RMM",
        description="One way in.",
        auth_modes=(KEY_MODE,),
        editions=("community", "enterprise"),
    )


class SealedProvider(SingleProvider):
    """The same, and it makes the secret of its webhook itself."""

    manifest = replace(SingleProvider.manifest, key="sealed", label="Sealed RMM")

    def check_webhook_secret(self, value: str) -> str:
        """Begins with whsec_."""
        if not (cleaned := value.strip()).startswith("whsec_"):
            raise ConfigError("Sealed RMM's secrets begin with whsec_.")
        return cleaned

    def webhook_steps(self, url: str, secret: str) -> Sequence[WebhookStep]:
        """An address to paste, and where the secret is found."""
        return [
            WebhookStep("Address", "Paste it.", url),
            WebhookStep("Secret", f"Copy the one that is shown{secret} and paste it below."),
        ]


class RoutedProvider(SingleProvider):
    """The same, and its connections route their alerts; it makes no assets of its devices."""

    manifest = replace(
        SingleProvider.manifest,
        key="routed",
        label="Routed RMM",
        routed_severities=(Severity.CRITICAL, Severity.MAJOR, Severity.MINOR),
        makes_assets=False,
        lacks=("agent_version", "needs_reboot"),
    )


class StockProvider(SingleProvider):
    """Devices and their organizations, and no alerts from anywhere."""

    verify_webhook = None  # type: ignore[assignment]
    parse_webhook = None  # type: ignore[assignment]
    webhook_steps = None  # type: ignore[assignment]

    manifest = replace(SingleProvider.manifest, key="stock", label="Stock RMM")


class FollowedProvider(SingleProvider):
    """The same, and it tells what changed of its alerts."""

    manifest = replace(SingleProvider.manifest, key="followed", label="Followed RMM")

    def alert_changes(self, connection: Connection, since: datetime) -> AlertChanges:
        """Nothing did."""
        return AlertChanges(events=())

    def alert(self, connection: Connection, external_id: str) -> AlertEvent | None:
        """No such alert."""
        return None


class BareProvider(StockProvider):
    """A connection that can be tested, and nothing else."""

    organizations = None  # type: ignore[assignment]
    devices = None  # type: ignore[assignment]

    manifest = replace(SingleProvider.manifest, key="bare", label="Bare RMM")


def sources() -> list[tuple[str, Callable[[], object]]]:
    """For the registry: six that work and one that does not."""

    def broken() -> object:
        raise RuntimeError("cannot be imported")

    able = (
        AcmeProvider,
        SingleProvider,
        SealedProvider,
        RoutedProvider,
        FollowedProvider,
        StockProvider,
        BareProvider,
    )
    return [*((one.manifest.key, lambda one=one: one) for one in able), ("wrecked", broken)]
