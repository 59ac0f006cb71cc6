"""Walking the fleet of NinjaOne: the reports first, then every device, page by page.

A routine run lists everything, as a full one does. Ten thousand devices are ten pages and forty of reports,
and a filter by time would not name the devices that went silent: those are what a sync is asked for. What
has not changed costs no write. The list goes on after the id of its last row, so that a device which comes
or goes meanwhile shifts none of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

import msgspec

from rmm_extension.domain.errors import BadResponse, NotFound, PermissionMissing
from rmm_extension.domain.types import Device, DevicePage
from rmm_extension.providers.device_pages import Batch, Unreadable
from rmm_extension.providers.ninjaone import rows
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.errors import KEY, WrongHost
from rmm_extension.providers.ninjaone.mapping import Context, device_alone, device_from_list
from rmm_extension.providers.ninjaone.reports import ANTIVIRUS, Reports
from rmm_extension.providers.prefetch import prefetch
from rmm_extension.providers.values import identifier, text

DEVICES = "/v2/devices-detailed"
ORGANIZATIONS = "/v2/organizations"
LOCATIONS = "/v2/locations"
_NO_ORGANIZATION = "The organization with id {} does not exist at NinjaOne, or the sign-in may not see it."
_NO_DEVICES = "NinjaOne lists no devices at all, though its reports name some: nothing is taken for gone."
_node = msgspec.json.Decoder(rows.Node).decode
_node_id = msgspec.json.Decoder(rows.NodeId).decode


class Walk:
    """One run over the devices of some organizations."""

    def __init__(self, client: NinjaOneClient, *, full: bool) -> None:
        self.client = client
        self.full = full

    def pages(self, organization_ids: Sequence[str]) -> Iterator[DevicePage]:
        """All pages; the organizations are complete with the last one, and only with a list that ended well.

        A row that cannot be read still proves that its device is there. One that does not even tell its id
        leaves every organization incomplete.
        """
        wanted = dict.fromkeys(organization_ids)
        there = wanted.keys() & self._names(ORGANIZATIONS).keys()
        context, reports = self._read_reports()
        warnings = [_NO_ORGANIZATION.format(key[:50]) for key in wanted if key not in there]
        warnings += reports.warnings
        is_sound, is_empty = True, True
        for raws in prefetch(self.client.watermark(DEVICES, msgspec.Raw, errors=[])):
            batch = self._batch(raws, there, reports, context)
            is_sound, is_empty = is_sound and batch.is_sound, False
            yield batch.page(warnings)
            warnings = []
        if is_empty and reports.names_any:
            is_sound = False
            warnings.append(_NO_DEVICES)
        yield DevicePage(
            devices=(), errors=tuple(warnings), completed_organizations=tuple(there if is_sound else ())
        )

    def _read_reports(self) -> tuple[Context, Reports]:
        reports = Reports.read(self.client, full=self.full)
        try:
            locations = self._names(LOCATIONS)
        except WrongHost:
            raise
        except (PermissionMissing, NotFound) as error:
            locations = {}
            reports.warnings.append(f"Names of locations are left out: {error}")
        return Context(locations, lists_antivirus=reports.has(ANTIVIRUS), full=self.full), reports

    def _names(self, path: str) -> dict[str, str]:
        """Names by id of a list; rows without an id are passed over."""
        found: dict[str, str] = {}
        for page in self.client.watermark(path, rows.Named, errors=[]):
            for row in page:
                if (key := identifier(row.id)) is not None:
                    found[key] = text(row.name) or ""
        return found

    def _batch(
        self, raws: Sequence[msgspec.Raw], wanted: Set[str], reports: Reports, context: Context
    ) -> Batch:
        batch = Batch()
        for raw in raws:
            try:
                node = _node(raw)
                device = device_from_list(node, reports.of(identifier(node.id) or ""), context)
            except (msgspec.ValidationError, Unreadable) as error:
                _leave_out(batch, raw, error)
                continue
            batch.take(device, wanted)
        return batch


def fetch(client: NinjaOneClient, external_id: str) -> Device | None:
    """One device now; ``None`` when NinjaOne does not know it. An unreadable one is a ``BadResponse``."""
    if not external_id.isdecimal():
        return None
    try:
        reply = client.read(f"/v2/device/{external_id}")
    except WrongHost as error:
        # Not an answer about this device: it must not be taken for gone.
        raise BadResponse(
            str(error), provider=KEY, status=error.status, request_id=error.request_id
        ) from None
    except NotFound:
        return None
    try:
        found = device_alone(reply.decode(rows.Node))
    except Unreadable as error:
        raise reply.misshapen(f"{error} - at `$`") from None
    if found.external_id != external_id:
        raise reply.misshapen("another device - at `$.id`")
    return found


def _leave_out(batch: Batch, raw: msgspec.Raw, error: Exception) -> None:
    """Note why, and that the device is there."""
    try:
        found = _node_id(raw)
    except msgspec.ValidationError:
        found = rows.NodeId()
    batch.leave_out("Device", identifier(found.id), text(found.display_name), error)
