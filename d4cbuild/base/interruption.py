"""Being told to stop: Ctrl-C, SIGTERM, a closed terminal, and making sure that none is lost.

Python raises ``KeyboardInterrupt`` wherever the program happens to be; in a callback of the
interpreter (a finaliser, say) the exception is printed and forgotten. So that a request to stop is
also remembered, and whoever waits for something long looks at it now and then.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_requested = threading.Event()
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stop_on_signals() -> None:
    """From now on, SIGINT, SIGTERM and SIGHUP raise ``KeyboardInterrupt``, and are remembered.

    SIGHUP does not where it is ignored, as with ``nohup``.
    """
    signal.signal(signal.SIGINT, _request)
    signal.signal(signal.SIGTERM, _request)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _request)


def check_interruption() -> None:
    """Stop here, if that was asked for.

    Raises:
        KeyboardInterrupt: if a signal has come, even one whose exception was lost.
    """
    if _requested.is_set():
        raise KeyboardInterrupt


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a request to stop wait until the end of this block, where it is then met.

    For the few steps between which something would be left behind that nobody knows of. Whoever
    asks again does not want to wait: a second request is met at once. Only the main thread is ever
    interrupted, so in other threads there is nothing to hold back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    handlers: dict[int, Callable[[int, FrameType | None], object]] = {}
    holding = True

    def hold(number: int, frame: FrameType | None) -> None:
        if holding and not came:
            came.append((number, frame))
        else:  # at the end, where another request may keep this handler from being taken away
            handlers[number](number, frame)

    try:
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):  # neither ignored nor left to the system
                handlers[number] = handler
                signal.signal(number, hold)
        yield
    finally:
        holding = False
        for held, handler in handlers.items():
            signal.signal(held, handler)
        for held, frame in came:
            handlers[held](held, frame)


def _request(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    _requested.set()
    raise KeyboardInterrupt
