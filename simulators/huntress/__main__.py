"""Run the simulator: `python -m simulators.huntress --port 8914`."""

from __future__ import annotations

import argparse

from simulators.common.command_line import options, serve
from simulators.huntress import keys
from simulators.huntress.app import create_app
from simulators.huntress.fleet import FleetOptions
from simulators.ninjaone.twins import twins


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = options("huntress", 8914, __doc__)
    parser.add_argument("--agents", type=int, default=90, help="number of agents (default %(default)s)")
    parser.add_argument(
        "--organizations", type=int, default=12, help="number of organizations (default %(default)s)"
    )
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
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until interrupted."""
    chosen = parse_arguments()
    shared = twins() if chosen.twins else ()
    app = create_app(
        FleetOptions(chosen.agents, chosen.organizations, chosen.seed, shared),
        incidents_at_start=chosen.incidents,
        escalations_at_start=chosen.escalations,
        retry_scale=chosen.retry_scale,
    )
    log_ins = [
        ("key of a user", f"{keys.API_KEY} {keys.API_SECRET}"),
        ("key of the account", f"{keys.READER_KEY} {keys.READER_SECRET}"),
    ]
    serve(app, chosen, "Huntress", log_ins, "nginx")


if __name__ == "__main__":
    main()
