"""A program that runs one endless job, as ``d4cbuild build`` would, until it is stopped.

Run by the tests as a process of its own: ``python -m tests.sandbox.endless RUNNER FOLDER``.
"""

import sys
from pathlib import Path

from d4cbuild.base.interruption import stop_on_signals

# Before anything large is imported, as the command line does it: a request that comes while a
# module is loaded must not be lost.
stop_on_signals()

from d4cbuild.base.progress import Silence  # noqa: E402
from d4cbuild.environment.definition import EnvironmentFolder  # noqa: E402
from d4cbuild.environment.images import ensure_image  # noqa: E402
from d4cbuild.sandbox.choose import choose_runner  # noqa: E402
from d4cbuild.store import Store  # noqa: E402

from .conftest import REPOSITORY  # noqa: E402
from .jobs import make_job  # noqa: E402

ENDLESS = """
import os, signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
while True:
    with open("/d4c/out/beat", "a") as beat: beat.write("x")
    time.sleep(0.02)
"""


def main() -> None:
    """Run, and end as the command line does."""
    runner, folder = choose_runner(sys.argv[1]), Path(sys.argv[2])
    environment = EnvironmentFolder(REPOSITORY / "environments" / "geo")
    image = ensure_image(environment, Store(REPOSITORY / ".cache" / "store"), Silence())
    store = Store(folder / "store")
    try:
        with store.workspace() as workspace:
            job = make_job(image, workspace / "job", ENDLESS, {"time_s": 1000})
            runner.run(job, sys.stdout.buffer)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
