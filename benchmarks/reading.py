"""What a sync cannot do without: download the pages and decode them, by the usual means.

A process of its own (``python -m benchmarks.reading ADDRESS CLIENTS``), which prints the seconds it took:
neither the objects of an application nor what a worker is spared weigh on it.
"""

from __future__ import annotations

import subprocess
import sys
import time

import orjson
import requests

from benchmarks.tactical import AGENTS


def seconds(address: str, clients: int) -> float:
    """How long a plain process needs to read these clients' agents."""
    argv = [sys.executable, "-m", "benchmarks.reading", address, str(clients)]
    return float(subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout)


def _read(address: str, clients: int) -> None:
    with requests.Session() as session:
        for number in range(1, clients + 1):
            answer = session.get(f"{address}/agents/", params={"client": number})
            assert len(orjson.loads(answer.content)) == AGENTS


if __name__ == "__main__":
    start = time.perf_counter()
    _read(sys.argv[1], int(sys.argv[2]))
    print(time.perf_counter() - start)
