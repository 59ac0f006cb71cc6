"""A process that brings deliveries: ``python -m tests.harness.sender URL SECRET``, one JSON body a line.

It prints the status codes as one JSON list. Nothing of the product is imported, so that many start quickly.
"""

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit


def main(url: str, secret: str) -> None:
    """Send every line of the standard input, in its order."""
    place = urlsplit(url)
    headers = {"X-RMM-Webhook-Secret": secret, "Content-Type": "application/json"}
    statuses = []
    for line in sys.stdin:
        connection = HTTPConnection(str(place.hostname), place.port, timeout=120)
        connection.request("POST", place.path, line.strip(), headers)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
        connection.close()
    print(json.dumps(statuses))


if __name__ == "__main__":
    main(*sys.argv[1:])
