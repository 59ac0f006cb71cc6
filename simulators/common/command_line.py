"""Running a simulator as a program: the options that each has, and serving until interrupted."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterable

from flask import Flask
from waitress import create_server  # type: ignore[import-untyped]


def options(vendor: str, port: int, about: str | None) -> argparse.ArgumentParser:
    """A parser of what every simulator can be told; a vendor adds its own."""
    parser = argparse.ArgumentParser(prog=f"python -m simulators.{vendor}", description=about)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    add("--port", type=int, default=port, help="port, 0 for any free one (default %(default)s)")
    add("--seed", type=int, default=7, help="seed of the fleet (default %(default)s)")
    add("--threads", type=int, default=8, help="worker threads (default %(default)s)")
    return parser


def serve(
    app: Flask, chosen: argparse.Namespace, vendor: str, log_ins: Iterable[tuple[str, str]], ident: str
) -> None:
    """Serve until interrupted. The first line printed ends with the base address, once it listens."""
    logging.basicConfig(level=logging.WARNING)
    server = create_server(app, host=chosen.host, port=chosen.port, threads=chosen.threads, ident=ident)
    base = f"http://{chosen.host}:{server.effective_port}/"
    print(f"{vendor} simulator on {base}")
    for name, value in [("control page", f"{base}_control/"), *log_ins]:
        print(f"{name:<22} {value}")
    sys.stdout.flush()
    server.run()
