"""Pin our own dependencies by version and hash, without an address of any package index.

Writes ``requirements.txt`` (to run) and ``requirements-dev.txt`` (to test), both hash-locked.
Needs pip-tools, which asks the index that this machine's pip is configured for.
"""

import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parent.parent
OPTIONS = (
    "--quiet",
    "--generate-hashes",
    "--strip-extras",
    "--allow-unsafe",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
    "--no-emit-options",
    "--build-deps-for=editable",
)
HEADER = "# Made by `make requirements`. Versions and hashes only: pip knows where to look.\n"


def main() -> int:
    """Write both files."""
    for target, extras in (("requirements.txt", ()), ("requirements-dev.txt", ("--extra=dev",))):
        command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *extras]
        subprocess.run([*command, f"--output-file={target}", "pyproject.toml"], cwd=TOP, check=True)
        path = TOP / target
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        path.write_text(HEADER + "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
