"""``make bench``: measures and prints tables; asserts nothing."""

import os
from pathlib import Path

from tests.bench import bundling, difference, digests, main_job, normalform
from tests.bench.measure import machine


def main() -> None:
    """Run every benchmark."""
    chosen = os.environ.get("D4CBUILD_TEST_SOURCES")
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(chosen) if chosen else beside
    print(machine())
    main_job.run(folder if folder.is_dir() else None)
    normalform.run(many=normalform.MANY_ROWS)
    digests.run()
    difference.run()
    bundling.run(folder if folder.is_dir() else None)


if __name__ == "__main__":
    main()
