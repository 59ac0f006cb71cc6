"""Remote access of an edition without the vendor; the pages' tests are in tests/blueprints."""

from __future__ import annotations

import pytest

from rmm_extension.domain.errors import Forbidden
from rmm_extension.host import Actor
from rmm_extension.services.remote_access import obstacles, open_remotely, with_connections
from tests.harness.world import World


def test_an_edition_without_the_vendor_has_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.do("""UPDATE rmm_integrations SET settings = '{"dashboard_url": "https://rmm.example.com"}'""")
    device = world.device()
    (row,) = world.rows("SELECT id, name FROM users WHERE email = 'tech@northbeam.example'")
    actor = Actor(id=row["id"], name=row["name"], tenant_id=world.tenant)
    with world.app.app_context():
        assert open_remotely(world.rmm, actor, device).url
    monkeypatch.setattr(type(world.rmm.host.entitlements), "provider_enabled", lambda *_: False)
    with world.app.app_context(), pytest.raises(Forbidden, match="not part of this tenant's edition"):
        open_remotely(world.rmm, actor, device)
    with world.unit() as session:
        found = obstacles(
            world.rmm, session, world.tenant, with_connections(session, world.tenant, [device])
        )[device]
    assert found is not None
    assert "not part of this tenant's edition" in found.reason
    assert world.one("SELECT count(*) FROM rmm_audit WHERE action = 'device.remote_access'") == 1
