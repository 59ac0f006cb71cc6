"""Run the simulator: `python -m simulators.ninjaone --port 8912`."""

from __future__ import annotations

import argparse
import logging
import sys

from waitress import create_server  # type: ignore[import-untyped]

from simulators.ninjaone import keys
from simulators.ninjaone.app import create_app
from simulators.ninjaone.fleet import FleetOptions
from simulators.ninjaone.twins import twins


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators.ninjaone", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8912, help="port, 0 for any free one (default %(default)s)"
    )
    parser.add_argument("--devices", type=int, default=140, help="number of devices (default %(default)s)")
    parser.add_argument(
        "--organizations", type=int, default=12, help="number of organizations (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=7, help="seed of the fleet (default %(default)s)")
    parser.add_argument("--alerts", type=int, default=18, help="alerts at start (default %(default)s)")
    parser.add_argument(
        "--twins", action="store_true", help="add machines of Tactical RMM's demonstration fleet"
    )
    parser.add_argument(
        "--redirect-uri", action="append", help="where the web application may be led back to; repeatable"
    )
    parser.add_argument("--threads", type=int, default=8, help="worker threads (default %(default)s)")
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until interrupted."""
    options = parse_arguments()
    logging.basicConfig(level=logging.WARNING)
    shared = twins() if options.twins else ()
    app = create_app(
        FleetOptions(options.devices, options.organizations, options.seed, shared),
        redirect_uris=tuple(options.redirect_uri or keys.REDIRECT_URIS),
        alerts_at_start=options.alerts,
    )
    server = create_server(app, host=options.host, port=options.port, threads=options.threads, ident="nginx")
    base = f"http://{options.host}:{server.effective_port}/"
    print(f"NinjaOne simulator on {base}")
    print(f"control page          {base}_control/")
    print(f"web application       {keys.WEB_CLIENT_ID} {keys.WEB_CLIENT_SECRET}")
    print(f"services application  {keys.MACHINE_CLIENT_ID} {keys.MACHINE_CLIENT_SECRET}")
    print(f"user                  {keys.ADMIN_USER} {keys.PASSWORD}")
    print(f"user                  {keys.TECHNICIAN_USER} {keys.PASSWORD}")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
