"""The address of a device's dashboard in NinjaOne's own pages."""

from __future__ import annotations

import pytest

from rmm_extension.providers.ninjaone import remote


@pytest.mark.parametrize(
    "external_id, path",
    [("7", "7"), ("7/../../logout", "7%2F..%2F..%2Flogout"), ("7#x?y", "7%23x%3Fy")],
)
def test_a_devices_page(external_id: str, path: str) -> None:
    url = remote.page("https://eu.ninjarmm.com", external_id)
    assert url == f"https://eu.ninjarmm.com/#/deviceDashboard/{path}/overview"
