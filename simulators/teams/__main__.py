"""Run the simulator: `python -m simulators.teams --port 8915`."""

from __future__ import annotations

import argparse

from simulators.common.command_line import options, serve
from simulators.teams import keys
from simulators.teams.app import create_app


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    return options("teams", 8915, __doc__).parse_args(arguments)


def main() -> None:
    """Serve until interrupted."""
    log_ins = [
        ("Directory ID", keys.DIRECTORY_ID),
        ("Microsoft App ID", keys.APP_ID),
        ("client secret", keys.CLIENT_SECRET),
    ]
    serve(create_app(), parse_arguments(), "Microsoft Teams", log_ins, "teams")


if __name__ == "__main__":
    main()
