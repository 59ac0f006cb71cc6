"""Run the simulator: `python -m simulators.tacticalrmm --port 8911`."""

from __future__ import annotations

import argparse

from simulators.common.command_line import options, serve
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.app import create_app
from simulators.tacticalrmm.fleet import FleetOptions


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = options("tacticalrmm", 8911, __doc__)
    parser.add_argument("--agents", type=int, default=120, help="number of agents (default %(default)s)")
    parser.add_argument("--clients", type=int, default=12, help="number of clients (default %(default)s)")
    parser.add_argument(
        "--row-kb", type=int, default=6, help="size of a Windows row in KB (default %(default)s)"
    )
    parser.add_argument("--alerts", type=int, default=24, help="alerts at start (default %(default)s)")
    parser.add_argument("--no-beta", action="store_true", help="start with the beta API off")
    parser.add_argument("--webhook-url", default="", help="where alerts are sent")
    parser.add_argument("--webhook-secret", default="", help="value of the X-RMM-Webhook-Secret header")
    parser.add_argument("--time-scale", type=float, default=1.0, help="factor on the server's own waits")
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until interrupted."""
    chosen = parse_arguments()
    app = create_app(
        FleetOptions(chosen.agents, chosen.clients, chosen.seed, chosen.row_kb),
        beta_enabled=not chosen.no_beta,
        time_scale=chosen.time_scale,
        webhook_url=chosen.webhook_url or None,
        webhook_secret=chosen.webhook_secret,
        alerts_at_start=chosen.alerts,
    )
    log_ins = [
        *((f"API key {name}", key) for name, key in keys.ALL_KEYS.items()),
        (f"user {keys.PASSWORD_USER}", keys.PASSWORD),
        (f"user {keys.TOTP_USER}", f"{keys.PASSWORD} and TOTP seed {keys.TOTP_SECRET}"),
    ]
    serve(app, chosen, "Tactical RMM", log_ins, "nginx")


if __name__ == "__main__":
    main()
