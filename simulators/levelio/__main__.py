"""Run the simulator: `python -m simulators.levelio --port 8913`."""

from __future__ import annotations

import argparse
import logging
import sys

from waitress import create_server  # type: ignore[import-untyped]

from simulators.levelio import keys
from simulators.levelio.app import create_app
from simulators.levelio.fleet import FleetOptions
from simulators.ninjaone.twins import twins


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators.levelio", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    add("--port", type=int, default=8913, help="port, 0 for any free one (default %(default)s)")
    add("--devices", type=int, default=120, help="number of devices (default %(default)s)")
    add("--companies", type=int, default=12, help="groups on top (default %(default)s)")
    add("--seed", type=int, default=7, help="seed of the fleet (default %(default)s)")
    add("--alerts", type=int, default=12, help="alerts at start (default %(default)s)")
    add("--twins", action="store_true", help="add machines of Tactical RMM's demonstration fleet")
    add("--threads", type=int, default=8, help="worker threads (default %(default)s)")
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until interrupted."""
    options = parse_arguments()
    logging.basicConfig(level=logging.WARNING)
    shared = twins() if options.twins else ()
    fleet = FleetOptions(options.devices, options.companies, options.seed, shared)
    app = create_app(fleet, alerts_at_start=options.alerts)
    server = create_server(app, host=options.host, port=options.port, threads=options.threads, ident="level")
    base = f"http://{options.host}:{server.effective_port}/"
    print(f"Level simulator on {base}")
    print(f"control page       {base}_control/")
    print(f"key, read/write    {keys.WRITE_KEY}")
    print(f"key, read-only     {keys.READONLY_KEY}")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
