"""Run the simulator: `python -m simulators.huntress --port 8914`."""

from __future__ import annotations

import argparse
import logging
import sys

from waitress import create_server  # type: ignore[import-untyped]

from simulators.huntress import keys
from simulators.huntress.app import create_app
from simulators.huntress.fleet import FleetOptions
from simulators.ninjaone.twins import twins


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators.huntress", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8914, help="port, 0 for any free one (default %(default)s)"
    )
    parser.add_argument("--agents", type=int, default=90, help="number of agents (default %(default)s)")
    parser.add_argument(
        "--organizations", type=int, default=12, help="number of organizations (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=7, help="seed of the fleet (default %(default)s)")
    parser.add_argument("--incidents", type=int, default=12, help="incidents at start (default %(default)s)")
    parser.add_argument(
        "--escalations", type=int, default=3, help="escalations at start (default %(default)s)"
    )
    parser.add_argument(
        "--twins", action="store_true", help="add machines of Tactical RMM's demonstration fleet"
    )
    parser.add_argument(
        "--retry-scale", type=float, default=1.0, help="factor on the gaps between tries of a webhook"
    )
    parser.add_argument("--threads", type=int, default=8, help="worker threads (default %(default)s)")
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until interrupted."""
    options = parse_arguments()
    logging.basicConfig(level=logging.WARNING)
    shared = twins() if options.twins else ()
    app = create_app(
        FleetOptions(options.agents, options.organizations, options.seed, shared),
        incidents_at_start=options.incidents,
        escalations_at_start=options.escalations,
        retry_scale=options.retry_scale,
    )
    server = create_server(app, host=options.host, port=options.port, threads=options.threads, ident="nginx")
    base = f"http://{options.host}:{server.effective_port}/"
    print(f"Huntress simulator on {base}")
    print(f"control page          {base}_control/")
    print(f"key of a user         {keys.API_KEY} {keys.API_SECRET}")
    print(f"key of the account    {keys.READER_KEY} {keys.READER_SECRET}")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
