"""Free TCP ports on the loopback address."""

from __future__ import annotations

import socket


def free_port(preferred: int = 0, tries: int = 200) -> int:
    """The preferred port or the next free one above it; any free port for 0."""
    candidates = range(preferred, preferred + tries) if preferred else [0]
    for port in candidates:
        with socket.socket() as probe:
            # As servers do: a port in TIME_WAIT counts as free, one that somebody listens on does not.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free port from {preferred} to {preferred + tries - 1}")
