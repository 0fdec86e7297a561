"""Bounds on the time a web server may take, also where it keeps every single read short.

A server that sends a byte now and then never meets a timeout on silence. Where reads do not come
back before something is whole (the head of an answer, the length of a chunk), only another thread
can end the waiting.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType

import requests


def within(seconds: float, ask: Callable[[], requests.Response]) -> requests.Response:
    """Ask for an answer, and wait no longer than that for its head.

    Args:
        seconds: How long.
        ask: Asks; left to itself when the time is over.

    Raises:
        TimeoutError: if the head is not whole by then.
    """
    answers: queue.SimpleQueue[requests.Response | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(ask())
        except Exception as error:  # noqa: BLE001 - raised again by who waits
            answers.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"the head of the answer was not whole after {seconds:g} s") from None
    if isinstance(found, Exception):
        raise found
    return found


class Watchdog:
    """Cuts a connection over which too little comes, while it is entered.

    Args:
        response: The answer that is being read.
        written: Says how many bytes of it have been read.
        window_s: How long there may be too little, in seconds.
        least_bytes: What must come in that time.

    Attributes:
        has_cut: Whether it has.
    """

    def __init__(
        self,
        response: requests.Response,
        written: Callable[[], int],
        window_s: float,
        least_bytes: float,
    ) -> None:
        self._response = response
        self._written = written
        self._window_s = window_s
        self._least_bytes = least_bytes
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.has_cut = False

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        before = self._written()
        while not self._over.wait(self._window_s):
            now = self._written()
            if now - before < self._least_bytes:
                self.has_cut = True
                try:
                    self._response.raw.shutdown()
                except (OSError, ValueError):
                    return  # it has just ended by itself
                return
            before = now
