"""Programs that run beside a test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

PATIENCE_S = 60.0
"""On a machine whose disk is busy, an engine may take half a minute to make a container."""


def until(holds: Callable[[], bool]) -> bool:
    """Wait until something holds; returns whether it did before the patience was over."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


@contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a program, and wait until it has ended; a test that fails does not wait, but ends it.

    Args:
        command: Program and arguments.
        options: As :class:`subprocess.Popen` takes them.
    """
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise
