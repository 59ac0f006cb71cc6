"""Run the simulator: `python -m simulators.tacticalrmm --port 8911`."""

from __future__ import annotations

import argparse
import logging
import sys

from waitress import create_server  # type: ignore[import-untyped]

from simulators.tacticalrmm import keys
from simulators.tacticalrmm.app import create_app
from simulators.tacticalrmm.fleet import FleetOptions


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators.tacticalrmm", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8911, help="port, 0 for any free one (default %(default)s)"
    )
    parser.add_argument("--agents", type=int, default=120, help="number of agents (default %(default)s)")
    parser.add_argument("--clients", type=int, default=12, help="number of clients (default %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="seed of the fleet (default %(default)s)")
    parser.add_argument(
        "--row-kb", type=int, default=6, help="size of a Windows row in KB (default %(default)s)"
    )
    parser.add_argument("--alerts", type=int, default=24, help="alerts at start (default %(default)s)")
    parser.add_argument("--no-beta", action="store_true", help="start with the beta API off")
    parser.add_argument("--webhook-url", default="", help="where alerts are sent")
    parser.add_argument("--webhook-secret", default="", help="value of the X-RMM-Webhook-Secret header")
    parser.add_argument("--time-scale", type=float, default=1.0, help="factor on the server's own waits")
    parser.add_argument("--threads", type=int, default=8, help="worker threads (default %(default)s)")
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until interrupted."""
    options = parse_arguments()
    logging.basicConfig(level=logging.WARNING)
    app = create_app(
        FleetOptions(options.agents, options.clients, options.seed, options.row_kb),
        beta_enabled=not options.no_beta,
        time_scale=options.time_scale,
        webhook_url=options.webhook_url or None,
        webhook_secret=options.webhook_secret,
        alerts_at_start=options.alerts,
    )
    server = create_server(app, host=options.host, port=options.port, threads=options.threads, ident="nginx")
    base = f"http://{options.host}:{server.effective_port}/"
    print(f"Tactical RMM simulator on {base}")
    print(f"control page           {base}_control/")
    for name, key in keys.ALL_KEYS.items():
        print(f"API key {name:<12}   {key}")
    print(f"user {keys.PASSWORD_USER:<15}   {keys.PASSWORD}")
    print(f"user {keys.TOTP_USER:<15}   {keys.PASSWORD} and TOTP seed {keys.TOTP_SECRET}")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
