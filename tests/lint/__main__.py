"""`make lint`: the same checks as the tests, with their output as it comes."""

import subprocess
import sys

from tests.lint.tools import PROJECT, TOOLS


def main() -> int:
    """Run all; 1 when one of them finds something."""
    failed = [tool.name for tool in TOOLS if subprocess.run(tool.argv(), cwd=PROJECT, check=False).returncode]
    print(f"lint: {', '.join(failed)} found something" if failed else "lint: nothing found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
