"""Pin our own dependencies by version and hash, without an address of any package index.

Writes ``requirements.txt`` (to run), ``requirements-dev.txt`` (to test) and, for each
``tests/pinned/NAME.in``, what is too heavy to live beside our own code, ``NAME.txt``; all
hash-locked. With names as arguments, only those of ``tests/pinned``. Needs pip-tools, which asks the index that this machine's pip is configured for.
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
)
OURS = ("--build-deps-for=editable",)
HEADER = "# Made by `make requirements`. Versions and hashes only: pip knows where to look.\n"


def main(names: list[str]) -> int:
    """Write the files."""
    pinned = TOP / "tests" / "pinned"
    chosen = names or sorted(path.stem for path in pinned.glob("*.in"))
    if not names:
        _pin("requirements.txt", "pyproject.toml", *OURS)
        _pin("requirements-dev.txt", "pyproject.toml", *OURS, "--extra=dev")
    for name in chosen:
        _pin(f"tests/pinned/{name}.txt", f"tests/pinned/{name}.in")
    return 0


def _pin(target: str, wanted: str, *options: str) -> None:
    command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *options]
    subprocess.run([*command, f"--output-file={target}", wanted], cwd=TOP, check=True)
    path = TOP / target
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    path.write_text(HEADER + "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
