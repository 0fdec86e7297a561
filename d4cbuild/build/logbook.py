"""Build logs: what was printed, when, where and by whom. Kept in the store, never in a manifest."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from d4cbuild.base.ambient import host_facts, now_utc, random_token
from d4cbuild.base.digest import Digest
from d4cbuild.sandbox.job import Outcome
from d4cbuild.store import Store

TAIL_LINES = 30
TAIL_BYTES = 1 << 16


class BuildLog:
    """One build's log.

    Args:
        path: The file.
        stream: It, opened for writing.
        mark: What begins our own lines. No job knows it, so that none can write in our name.
    """

    def __init__(self, path: Path, stream: BinaryIO, mark: str) -> None:
        self.path = path
        self.stream = stream
        self._mark = mark

    def note(self, line: str) -> None:
        """Add a line of our own, told from the job's by its mark."""
        self.stream.write(f"[d4cbuild {self._mark}] {line}\n".encode())

    def outcome(self, what: str, outcome: Outcome) -> None:
        """Note how a run ended."""
        self.note(f"{what}: status {outcome.status} after {outcome.seconds:.3f} s")
        if outcome.stopped_by is not None:
            self.note(f"{what}: stopped, it went beyond its limit of {outcome.stopped_by}")
        for line in outcome.not_enforced:
            self.note(f"not enforced here: {line}")

    def tail(self) -> str:
        """The last lines, with what a terminal would act upon made visible."""
        self.stream.flush()
        with self.path.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - TAIL_BYTES))
            text = stream.read().decode("utf-8", "backslashreplace")
        lines = deque(text.splitlines(), maxlen=TAIL_LINES)
        return "\n".join(printable(line) for line in lines)


def printable(text: str) -> str:
    """Replace what a terminal would act upon: escape codes and other control characters."""
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)


@contextmanager
def build_log(store: Store, key: Digest, runner: str) -> Iterator[BuildLog]:
    """Open a new log for a build.

    Args:
        store: Where it is kept.
        key: The build key.
        runner: What runs the build.
    """
    folder = store.logs / key.hex
    folder.mkdir(parents=True, exist_ok=True)
    began = now_utc()
    mark = random_token()[:8]
    path = folder / f"{began.strftime('%Y%m%dT%H%M%SZ')}-{mark}.log"
    with path.open("xb") as stream:
        log = BuildLog(path, stream, mark)
        log.note(f"build {key}")
        log.note(f"began {began.isoformat()}, runner {runner}")
        for name, value in host_facts().items():
            log.note(f"{name}: {value}")
        yield log
        log.note(f"ended {now_utc().isoformat()}")
