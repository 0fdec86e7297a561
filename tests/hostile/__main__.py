"""Everything hostile: ``python -m tests.hostile [PART ...] [--only NAME]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence

from tests.hostile.builds import run_builds
from tests.hostile.running_files import run_files
from tests.hostile.running_jobs import run_jobs
from tests.hostile.secrets import run_secrets
from tests.hostile.surroundings import Surroundings, surroundings
from tests.tally import Case, Fate, Tally

PARTS: dict[str, tuple[str, Callable[[Surroundings, str], Iterable[Case]]]] = {
    "jobs": ("Hostile jobs in the sandbox", run_jobs),
    "builds": ("Builds with hostile code", run_builds),
    "files": ("Hostile files", run_files),
    "secrets": ("Secrets of the caller", run_secrets),
}


def main() -> int:
    """Run parts, print a table for each; the exit status is 1 if anything was lost or escaped."""
    options = read_command_line(sys.argv[1:])
    status = 0
    with surroundings() as around:
        for part in options.parts:
            title, run = PARTS[part]
            tally = Tally(title)
            for case in run(around, options.only):
                tally.add(case)
                if case.fate is not Fate.SURVIVED:
                    print(f"{case.kind}, {case.name}: {case.fate}", file=sys.stderr, flush=True)
            tally.print()
            status |= tally.status
    return status


def read_command_line(arguments: Sequence[str]) -> argparse.Namespace:
    """Read which parts to run; all if none is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--only", default="", help="part of the names of the cases to run")
    options = parser.parse_args(arguments)
    # argparse's own choices would refuse that none is named.
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    options.parts = options.parts or list(PARTS)
    return options


if __name__ == "__main__":
    sys.exit(main())
