"""``python -m benchmarks [NAME …]`` prints JSON lines: name, value, unit. The names are those of PARTS."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

PARTS = ("ingest", "sync", "ninjaone", "software", "patches", "reconcile", "pages")


def main(names: list[str]) -> int:
    """Run the parts that were named, or all."""
    unknown = sorted(set(names) - set(PARTS))
    if unknown:
        sentence = f"There is no benchmark named {', '.join(unknown)}; there are {', '.join(PARTS)}."
        print(sentence, file=sys.stderr)
        return 2
    for part in names or PARTS:
        run: Callable[[], Iterator[dict[str, Any]]] = import_module(f"benchmarks.{part}").run
        for figure in run():
            print(json.dumps(figure), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
