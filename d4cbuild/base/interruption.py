"""Being told to stop: Ctrl-C, SIGTERM, a closed terminal, and making sure that none is lost.

Python raises ``KeyboardInterrupt`` wherever the program happens to be; in a callback of the
interpreter (a finaliser, say) the exception is printed and forgotten. So that a request to stop is
also remembered, and whoever waits for something long looks at it now and then.
"""

import signal
import threading
from types import FrameType

_requested = threading.Event()


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


def _request(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    _requested.set()
    raise KeyboardInterrupt
