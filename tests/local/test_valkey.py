"""The embedded Valkey: same port after a restart, data kept or not, password out of sight."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from reference_psa.local.errors import InUse
from reference_psa.local.valkey import ValkeyServer
from tests.harness.wait import until
from tests.local.helpers import alive, script

pytestmark = pytest.mark.faults

OWNER = """
    import json, pathlib, sys, time
    from reference_psa.local.valkey import ValkeyServer
    server = ValkeyServer(pathlib.Path(sys.argv[1]))
    server.start()
    print(json.dumps({"pid": server.pid}), flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("keep", [False, True])
def test_restart_on_the_same_port(tmp_path: Path, keep: bool) -> None:
    with ValkeyServer(tmp_path, keep=keep) as server, redis.Redis.from_url(server.url(3)) as client:
        url = server.url(3)
        client.set("key", "value")
        server.stop()
        with pytest.raises(redis.ConnectionError):
            client.get("key")
        server.start()
        assert server.url(3) == url
        assert client.get("key") == (b"value" if keep else None)
        server.kill()
        server.start()
        assert client.ping()


def test_password_is_needed_and_not_in_the_command_line(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path) as server:
        password = server.url().split(":")[2].split("@")[0]
        client = redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0))
        with client, pytest.raises(redis.AuthenticationError):
            client.ping()
        command = Path(f"/proc/{server.pid}/cmdline")
        if command.exists():
            assert password not in command.read_text()


def test_dies_with_its_owner(tmp_path: Path) -> None:
    with script(OWNER, tmp_path) as owner:
        assert owner.stdout is not None
        told = json.loads(owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)
        until(lambda: not alive(told["pid"]), "the end of the server after its owner's")
    with ValkeyServer(tmp_path) as server:
        assert server.running


def test_folder_in_use_is_refused_with_the_holder(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path), pytest.raises(InUse, match=f"in use by process {os.getpid()}"):
        ValkeyServer(tmp_path).start()
