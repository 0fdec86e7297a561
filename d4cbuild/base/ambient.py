"""The only place that reads what differs between machines and moments.

Clock, randomness, environment variables, host and user enter the program here and nowhere else,
so that a reader can see at a glance that none of them reaches an output.
"""

import os
import platform
import secrets
import socket
import time
from datetime import UTC, datetime
from pathlib import Path


def now_utc() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def monotonic_s() -> float:
    """A clock that only goes forward, in seconds."""
    return time.monotonic()


def sleep_s(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def random_token() -> str:
    """Sixteen random hex digits, for temporary names."""
    return secrets.token_hex(8)


def secret_bytes(count: int) -> bytes:
    """Random bytes that nobody can guess, for a new key."""
    return secrets.token_bytes(count)


def variable(name: str) -> str | None:
    """An environment variable of the caller; an empty one counts as unset."""
    return os.environ.get(name) or None


def environment_for_tools() -> dict[str, str]:
    """The caller's environment in the C locale, for host tools whose output is parsed."""
    return {**os.environ, "LC_ALL": "C", "LANGUAGE": ""}


def caller_environment() -> dict[str, str]:
    """All environment variables of the caller, for a process that is to have most of them."""
    return dict(os.environ)


def host_facts() -> dict[str, str]:
    """What a build log says of the machine. Never part of a manifest."""
    return {
        "host": socket.gethostname(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "user_id": str(os.getuid()),
    }


def addresses_of(host: str) -> tuple[str, ...]:
    """The network addresses that this machine finds for a host's name; none if it finds none."""
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        return ()
    return tuple(str(each[4][0]) for each in found)


def process_id() -> int:
    """This process."""
    return os.getpid()


def parent_process_id() -> int:
    """The process that started this one; another as soon as that has died."""
    return os.getppid()


def is_alive(process: int) -> bool:
    """Whether a process of this name space of processes still runs."""
    return Path(f"/proc/{process}").exists()


def process_space() -> str:
    """A name for the space in which this process's number is its own, on this boot."""
    return f"{boot_id()}/{Path('/proc/self/ns/pid').readlink()}"


def user_id() -> int:
    """The effective user."""
    return os.geteuid()


def boot_id() -> str:
    """A name for this boot of the machine, so that process ids can be told from reused ones."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else "unknown"


def available_memory() -> int:
    """Bytes of memory that could be used without swapping; 0 where Linux does not say."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) << 10
    return 0


def machine_cpus() -> int:
    """How many CPUs this machine has, whether this process may use them or not."""
    return os.cpu_count() or 1


def usable_cpus() -> tuple[int, ...]:
    """The CPUs this process may run on, in order."""
    return tuple(sorted(os.sched_getaffinity(0)))


def cpu_flags() -> frozenset[str]:
    """What this machine's CPU can do, by Linux's names; empty where Linux does not say."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


def cpu_vendor() -> str:
    """Who made this machine's CPU, as the CPU says (``GenuineIntel``); else ``unknown``."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "vendor_id" and value.strip():
            return value.strip()
    return "unknown"


def data_directory() -> Path:
    """Where the store lies: ``$D4CBUILD_STORE``, else the platform's data directory."""
    chosen = variable("D4CBUILD_STORE")
    if chosen is not None:
        return Path(chosen).absolute()
    base = variable("XDG_DATA_HOME")
    root = Path(base) if base is not None else Path.home() / ".local" / "share"
    return root / "d4cbuild"


def settings_file() -> tuple[Path, bool]:
    """Where the user's settings are: ``$D4CBUILD_SETTINGS``, else the platform's place for them.

    Returns:
        The file, and whether the user named it, so that it must be there.
    """
    chosen = variable("D4CBUILD_SETTINGS")
    if chosen is not None:
        return Path(chosen).absolute(), True
    base = variable("XDG_CONFIG_HOME")
    root = Path(base) if base is not None else Path.home() / ".config"
    return root / "d4cbuild" / "settings.toml", False
