"""Run the simulator: `python -m simulators.ninjaone --port 8912`."""

from __future__ import annotations

import argparse

from simulators.common.command_line import options, serve
from simulators.ninjaone import keys
from simulators.ninjaone.app import create_app
from simulators.ninjaone.fleet import FleetOptions
from simulators.ninjaone.twins import twins


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = options("ninjaone", 8912, __doc__)
    parser.add_argument("--devices", type=int, default=140, help="number of devices (default %(default)s)")
    parser.add_argument(
        "--organizations", type=int, default=12, help="number of organizations (default %(default)s)"
    )
    parser.add_argument("--alerts", type=int, default=18, help="alerts at start (default %(default)s)")
    parser.add_argument(
        "--twins", action="store_true", help="add machines of Tactical RMM's demonstration fleet"
    )
    parser.add_argument(
        "--redirect-uri", action="append", help="where the web application may be led back to; repeatable"
    )
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until interrupted."""
    chosen = parse_arguments()
    shared = twins() if chosen.twins else ()
    app = create_app(
        FleetOptions(chosen.devices, chosen.organizations, chosen.seed, shared),
        redirect_uris=tuple(chosen.redirect_uri or keys.REDIRECT_URIS),
        alerts_at_start=chosen.alerts,
    )
    log_ins = [
        ("web application", f"{keys.WEB_CLIENT_ID} {keys.WEB_CLIENT_SECRET}"),
        ("services application", f"{keys.MACHINE_CLIENT_ID} {keys.MACHINE_CLIENT_SECRET}"),
        ("user", f"{keys.ADMIN_USER} {keys.PASSWORD}"),
        ("user", f"{keys.TECHNICIAN_USER} {keys.PASSWORD}"),
    ]
    serve(app, chosen, "NinjaOne", log_ins, "nginx")


if __name__ == "__main__":
    main()
