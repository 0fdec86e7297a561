"""Another wall clock in the sandbox: libfaketime, from the environment's own packages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
# What it would do to sleeping fails while the steady clock is left alone (Python's time.sleep
# gives EINVAL), and a faked steady clock hangs whoever waits by one that is not. Under another
# name nobody finds its function, and the C library's own is called.
_FAULTY, _OUT_OF_REACH = b"\0clock_nanosleep\0", b"\0-lock_nanosleep\0"
_DST_HOUR, _SUNDAY = 7, 6


def clock_library(root: Path) -> bytes | None:
    """The library as it is put over the environment's; ``None`` where that has none.

    Args:
        root: The environment's unpacked root.
    """
    path = root / LIBRARY.lstrip("/")
    return path.read_bytes().replace(_FAULTY, _OUT_OF_REACH) if path.is_file() else None


def clock_variables(start: datetime) -> tuple[tuple[str, str], ...]:
    """The variables that let a job begin at another moment.

    Args:
        start: The moment, in UTC.
    """
    return (
        ("LD_PRELOAD", LIBRARY),
        ("FAKETIME", start.strftime("@%Y-%m-%d %H:%M:%S")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        # Its workaround for an older C library ends every wait by the steady clock at once, and
        # whoever waits (Python's threads, for their lock) asks again and again instead.
        ("FAKETIME_FORCE_MONOTONIC_FIX", "0"),
    )


def months_ahead(now: datetime) -> datetime:
    """About seven months later, at another time of day."""
    return now + timedelta(days=213, hours=9, minutes=31)


def before_new_year(now: datetime) -> datetime:
    """A second before the next year begins."""
    return datetime(now.year + 1, 1, 1, tzinfo=UTC) - timedelta(seconds=1)


def before_summer_time(now: datetime) -> datetime:
    """A second before clocks go forward in eastern Canada next spring (2:00 EST, 7:00 UTC)."""
    march = datetime(now.year + 1, 3, 8, _DST_HOUR, tzinfo=UTC)
    sunday = march + timedelta(days=(_SUNDAY - march.weekday()) % 7)
    return sunday - timedelta(seconds=1)
