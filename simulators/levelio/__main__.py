"""Run the simulator: `python -m simulators.levelio --port 8913`."""

from __future__ import annotations

import argparse

from simulators.common.command_line import options, serve
from simulators.levelio import keys
from simulators.levelio.app import create_app
from simulators.levelio.fleet import FleetOptions
from simulators.ninjaone.twins import twins


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = options("levelio", 8913, __doc__)
    add = parser.add_argument
    add("--devices", type=int, default=120, help="number of devices (default %(default)s)")
    add("--companies", type=int, default=12, help="groups on top (default %(default)s)")
    add("--alerts", type=int, default=12, help="alerts at start (default %(default)s)")
    add("--twins", action="store_true", help="add machines of Tactical RMM's demonstration fleet")
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until interrupted."""
    chosen = parse_arguments()
    shared = twins() if chosen.twins else ()
    fleet = FleetOptions(chosen.devices, chosen.companies, chosen.seed, shared)
    app = create_app(fleet, alerts_at_start=chosen.alerts)
    log_ins = [("key, read/write", keys.WRITE_KEY), ("key, read-only", keys.READONLY_KEY)]
    serve(app, chosen, "Level", log_ins, "level")


if __name__ == "__main__":
    main()
