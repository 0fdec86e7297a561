"""What a sandbox is asked to run, and what it answers. The contract is ``d4c.sandbox/1``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from d4cbuild.base.sameness import SANDBOX_HOSTNAME
from d4cbuild.sandbox.circumstances import USUAL, Circumstances
from d4cbuild.sandbox.console import Console
from d4cbuild.sandbox.image import Image

SOURCES = "/d4c/sources"
CODE = "/d4c/code"
PARAMETERS = "/d4c/parameters.json"
OUT = "/d4c/out"
LIB = "/d4c/lib"
TEMPORARY = "/tmp"  # noqa: S108 - in the sandbox

# Features above x86-64-v3 by the names each library knows them. With them, log, exp or tan may
# give other last bits.
GLIBC_ABOVE_FLOOR = tuple(f"AVX512{part}" for part in ("F", "BW", "CD", "DQ", "ER", "PF", "VL"))
NUMPY_ABOVE_FLOOR = ("X86_V4", "AVX512_ICL", "AVX512_SPR")

# What the kernel shows of the host, to be empty inside. A machine that lacks one shows nothing.
# Among them all that only root may read: where root runs bubblewrap, a job is to the kernel root.
HIDDEN = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/config.gz",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/kmsg",
    "/proc/kpagecgroup",
    "/proc/kpagecount",
    "/proc/kpageflags",
    "/proc/latency_stats",
    "/proc/pagetypeinfo",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/slabinfo",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/vmallocinfo",
    "/sys",
)
_MIB = 1 << 20

# Exit statuses, as a shell gives them.
CANNOT_START = 126
NOT_FOUND = 127
KILLED = 137


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may use.

    Attributes:
        cpus: CPUs it may run on.
        memory: Bytes of memory of all its processes together.
        disk: Bytes of ``/tmp`` and ``/d4c/out`` together.
        time_s: Seconds of wall-clock time.
        processes: Processes and threads at once.
    """

    cpus: int = 2
    memory: int = 2 << 30
    disk: int = 4 << 30
    time_s: float = 600
    processes: int = 512

    @property
    def per_process(self) -> dict[str, int]:
        """Limits the kernel keeps for each process, by the names of ``ulimit``, soft and hard.

        A core dump of no more than one byte is one that is neither written nor handed to a program
        of the host, which a limit of zero would not stop.
        """
        return {"core": 1, "fsize": self.disk + _MIB, "nofile": 1024, "stack": 8 * _MIB}


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of the host, read-only in the sandbox.

    Attributes:
        source: Where it is on the host.
        target: Absolute path in the sandbox.
    """

    source: Path
    target: str


@dataclass(frozen=True, slots=True)
class Job:
    """One run.

    Attributes:
        image: The root filesystem.
        command: Program and arguments.
        sources: Files by their names under ``/d4c/sources``.
        code: Folder that becomes ``/d4c/code``.
        parameters: File that becomes ``/d4c/parameters.json``.
        lib: Folder that becomes ``/d4c/lib``.
        scratch: Folder on the host that holds ``out`` and ``tmp``, both empty at first.
        limits: What it may use.
        source_date_epoch: Seconds since 1970.
        circumstances: What is other than usual around it, in a rebuild that is to show that it
            makes no difference.
    """

    image: Image
    command: tuple[str, ...]
    sources: tuple[tuple[str, Path], ...]
    code: Path
    parameters: Path
    lib: Path
    scratch: Path
    limits: Limits
    source_date_epoch: int
    circumstances: Circumstances = USUAL

    @property
    def out(self) -> Path:
        """The host folder that is ``/d4c/out``."""
        return self.scratch / "out"

    @property
    def temporary(self) -> Path:
        """The host folder that is ``/tmp``."""
        return self.scratch / "tmp"

    @property
    def granted(self) -> Limits:
        """What the kernel is to grant: files in memory count as the job's memory."""
        if not self.circumstances.temporary_in_memory:
            return self.limits
        return replace(self.limits, memory=self.limits.memory + self.limits.disk)

    @property
    def shown(self) -> Path:
        """The host folder of files that are shown instead of others; mostly not there."""
        return self.scratch / "shown"

    @property
    def mounts(self) -> Sequence[Mount]:
        """Everything read-only besides the sources."""
        return (
            Mount(self.code, CODE),
            Mount(self.parameters, PARAMETERS),
            Mount(self.lib, LIB),
        )

    @property
    def environment(self) -> dict[str, str]:
        """All environment variables of the job; nothing of the caller's is among them."""
        usual = contract_environment(self.limits.cpus, self.source_date_epoch)
        return {**usual, **dict(self.circumstances.variables)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: Exit status; 128 and its number where a signal ended it; 127 where the command was
            not found in the sandbox, 126 where it could not be started.
        stopped_by: The limit it went beyond: ``time``, ``memory``, ``disk``, ``processes``; or
            ``None``.
        seconds: How long it ran.
        not_enforced: Limits this machine could not enforce, each with the reason.
    """

    status: int
    stopped_by: str | None
    seconds: float
    not_enforced: tuple[str, ...] = field(default=())

    @property
    def succeeded(self) -> bool:
        """Whether it ended by itself, with status 0."""
        return self.status == 0 and self.stopped_by is None


class Runner(Protocol):
    """Something that can run a job by the contract."""

    name: str

    def version(self) -> str:
        """The name and version of what does the work, for build logs.

        Raises:
            Unavailable: if it cannot be used on this machine, with what would help.
        """

    def run(self, job: Job, log: BinaryIO) -> Outcome:
        """Run a job to its end, and leave nothing of it behind but ``job.scratch``.

        Args:
            job: What to run.
            log: Receives what the job prints.

        Raises:
            Unavailable: if the sandbox could not be set up.
        """

    def attend(self, job: Job, console: Console) -> Outcome:
        """Run a job with somebody before it, by the same contract otherwise.

        Its command is not process 1, but a child of that, and no log is kept.

        Args:
            job: What to run.
            console: Where its input comes from and its output goes.

        Raises:
            Unavailable: if the sandbox could not be set up.
            KeyboardInterrupt: if the terminal has gone.
        """


def contract_environment(cpus: int, source_date_epoch: int) -> dict[str, str]:
    """The environment variables of the contract.

    Args:
        cpus: Threads the libraries may use.
        source_date_epoch: Seconds since 1970.
    """
    threads = str(cpus)
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": TEMPORARY,
        "TMPDIR": TEMPORARY,
        "PWD": CODE,
        "HOSTNAME": SANDBOX_HOSTNAME,
        "D4C_SOURCES": SOURCES,
        "D4C_CODE": CODE,
        "D4C_PARAMETERS": PARAMETERS,
        "D4C_OUT": OUT,
        "PYTHONPATH": LIB,
        "SOURCE_DATE_EPOCH": str(source_date_epoch),
        "OGR_CURRENT_DATE": _iso_date(source_date_epoch),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "PROJ_NETWORK": "OFF",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "ARROW_DEFAULT_NUM_THREADS": threads,
        "GDAL_NUM_THREADS": threads,
        "OPENBLAS_CORETYPE": "Haswell",
        "ARROW_USER_SIMD_LEVEL": "AVX2",
        "NPY_DISABLE_CPU_FEATURES": " ".join(NUMPY_ABOVE_FLOOR),
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=" + ",".join(f"-{f}" for f in GLIBC_ABOVE_FLOOR),
    }


def _iso_date(epoch_s: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
