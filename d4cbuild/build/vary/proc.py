"""Files of ``/proc`` as another machine would show them."""

from __future__ import annotations

_KIB = 1 << 10


def cpu_files(count: int) -> tuple[tuple[str, bytes], ...]:
    """What a machine with some number of CPUs shows.

    Args:
        count: CPUs. The C library counts those of ``/proc/stat``, as ``/sys`` is empty.
    """
    times = " ".join(["1000"] * 10)
    lines = [f"cpu  {times}", *(f"cpu{number} {times}" for number in range(count))]
    lines += ["intr 1000", "ctxt 1000", "btime 1600000000", "processes 1000", "procs_running 1"]
    blocks = [
        f"processor\t: {number}\nvendor_id\t: AnotherMaker\nmodel name\t: another CPU\n"
        f"cpu MHz\t\t: 2000.000\nsiblings\t: {count}\ncore id\t\t: {number}\n"
        f"cpu cores\t: {count}\n\n"
        for number in range(count)
    ]
    stat = "\n".join([*lines, "procs_blocked 0", ""])
    return ("/proc/stat", stat.encode()), ("/proc/cpuinfo", "".join(blocks).encode())


def memory_files(size: int) -> tuple[tuple[str, bytes], ...]:
    """What a machine with some memory shows.

    Args:
        size: Bytes.
    """
    total, free = size // _KIB, size // _KIB * 3 // 4
    amounts = {
        "MemTotal": total,
        "MemFree": free,
        "MemAvailable": free,
        "Buffers": 0,
        "Cached": 0,
        "SwapCached": 0,
        "Active": total - free,
        "Inactive": 0,
        "SwapTotal": 0,
        "SwapFree": 0,
        "Shmem": 0,
        "Slab": 0,
    }
    text = "".join(f"{name + ':':<16}{amount:>8} kB\n" for name, amount in amounts.items())
    return (("/proc/meminfo", text.encode()),)


def kernel_files() -> tuple[tuple[str, bytes], ...]:
    """What another kernel says of itself, where it does not go through ``uname``."""
    release, version = "2.6.60-elsewhere", "#7 SMP Wed Jan 1 00:00:00 UTC 2020"
    return (
        ("/proc/version", f"Linux version {release} (someone@elsewhere) {version}\n".encode()),
        ("/proc/sys/kernel/osrelease", f"{release}\n".encode()),
        ("/proc/sys/kernel/version", f"{version}\n".encode()),
    )
