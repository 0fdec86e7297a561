"""The variations: named things that are done to a rebuild. ``spec/variations.md`` tells of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from d4cbuild.base.digest import blake3_of
from d4cbuild.build.vary.clock import (
    LIBRARY,
    before_new_year,
    before_summer_time,
    clock_variables,
    months_ahead,
)
from d4cbuild.build.vary.proc import cpu_files, kernel_files, memory_files
from d4cbuild.build.vary.surroundings import Surroundings
from d4cbuild.sandbox.circumstances import ADDR_NO_RANDOMIZE, UNAME26, Order
from d4cbuild.sandbox.job import GLIBC_ABOVE_FLOOR, NUMPY_ABOVE_FLOOR

_CPU_COUNTS = (1, 2, 4)
_ONLY_BUBBLEWRAP = "the engine, not d4cbuild, starts the job; --runner bubblewrap can"
_GLIBC_OF_FLOOR = ("AVX", "AVX2", "FMA", "BMI1", "BMI2", "LZCNT", "MOVBE", "F16C")
NEEDS_FLOOR: Final = "needs x86-64-v3"


@dataclass(frozen=True, slots=True)
class Here:
    """What this machine, this recipe and this runner allow.

    Attributes:
        runner: What rebuilds.
        other_runner: Another that works here too, or ``None``.
        no_other: Why there is none.
        cpus: What the recipe asks for.
        machine_cpus: What a job sees of this machine.
        room: Whether ``/tmp`` fits into memory.
        no_namespaces: Why a process cannot have another host name or user here, or ``None``.
        clock: The library that changes the clock, or ``None`` where the environment has none.
        now: The moment from which other moments are reckoned.
        seed: What chance is made of.
    """

    runner: str
    other_runner: str | None
    no_other: str
    cpus: int
    machine_cpus: int
    room: bool
    no_namespaces: str | None
    clock: bytes | None
    now: datetime
    seed: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to do it.

    Attributes:
        says: What is other, in words.
        change: Makes it so.
    """

    says: str
    change: Callable[[Surroundings], Surroundings]


def _nothing(here: Here) -> str | None:  # noqa: ARG001
    return None


@dataclass(frozen=True, slots=True)
class Variation:
    """A named thing that is done to a rebuild.

    Attributes:
        name: What ``--vary`` calls it.
        does: What is other.
        catches: What it finds.
        choices: The ways to do it.
        obstacle: Why it cannot be done, or ``None``.
        alone: Whether it needs a rebuild of its own, since others cannot be done with it.
        warning: What is said, as a warning, of an output that depends on it.
    """

    name: str
    does: str
    catches: str
    choices: Callable[[Here], tuple[Choice, ...]]
    obstacle: Callable[[Here], str | None] = _nothing
    alone: bool = False
    warning: str | None = None


def _cpu_choice(count: int) -> Choice:
    says = "1 CPU is seen" if count == 1 else f"{count} CPUs are seen"
    return Choice(says, lambda s: replace(s, cpus=count).with_files(*cpu_files(count)))


def _cpus(here: Here) -> tuple[Choice, ...]:
    usual = {here.cpus, here.machine_cpus}
    counts = [count for count in _CPU_COUNTS if count not in usual]
    return tuple(_cpu_choice(count) for count in counts)


def _order(here: Here) -> tuple[Choice, ...]:
    def choice(order: Order, how: str) -> Choice:
        def change(s: Surroundings) -> Surroundings:
            inside = replace(s.inside, order=order, temporary_in_memory=here.room)
            return replace(s, inside=inside)

        place = ", /tmp in memory" if here.room else ""
        return Choice(f"sources and code are listed {how}{place}", change)

    return choice("backwards", "backwards"), choice("shifted", "from the second on")


def _clock(here: Here) -> tuple[Choice, ...]:
    def choice(what: str, start: datetime) -> Choice:
        def change(s: Surroundings) -> Surroundings:
            dated = replace(s, modified_s=int(start.timestamp()))
            library = (LIBRARY, here.clock or b"")
            return dated.with_files(library).with_job_variables(*clock_variables(start))

        return Choice(f"it begins {start:%Y-%m-%d %H:%M:%S} UTC ({what})", change)

    return (
        choice("months ahead", months_ahead(here.now)),
        choice("across a new year", before_new_year(here.now)),
        choice("across a change to summer time", before_summer_time(here.now)),
    )


def _no_clock(here: Here) -> str | None:
    return None if here.clock else "the environment has no libfaketime"


def _variables(*sets: tuple[tuple[str, str | None], ...]) -> Callable[[Here], tuple[Choice, ...]]:
    def choice(variables: tuple[tuple[str, str | None], ...]) -> Choice:
        says = " ".join(f"{name}={value}" for name, value in variables)
        return Choice(says, lambda s: s.with_variables(*variables))

    made = tuple(choice(variables) for variables in sets)
    return lambda here: made  # noqa: ARG005


def _noise(here: Here) -> tuple[Choice, ...]:
    token = blake3_of(f"{here.seed} variables".encode()).hex[:12].upper()
    variables = (
        (f"D4C_{token}", token),
        ("SOURCE_DATE_EPOCH", "1"),
        ("PYTHONHASHSEED", "12345"),
        ("OMP_NUM_THREADS", "3"),
        ("GDAL_DATA", "/nowhere"),
        ("PROJ_LIB", "/nowhere"),
        ("D4C_SOURCES", "/nowhere"),
        ("LOGNAME", "someone"),
        ("USER", "someone"),
        ("EDITOR", None),
        ("PAGER", None),
    )
    says = f"D4C_{token}, SOURCE_DATE_EPOCH, PYTHONHASHSEED, GDAL_DATA and others are set"
    return (Choice(says, lambda s: s.with_variables(*variables)),)


def _locale(name: str) -> tuple[tuple[str, str | None], ...]:
    return (("LC_ALL", name), ("LANG", name), ("LANGUAGE", name.partition("_")[0]))


def _one(says: str, **changes: object) -> Callable[[Here], tuple[Choice, ...]]:
    made = Choice(says, lambda s: replace(s, **changes))  # type: ignore[arg-type]
    return lambda here: (made,)  # noqa: ARG005


def _user(here: Here) -> tuple[Choice, ...]:
    number = 2000 + int(blake3_of(f"{here.seed} user".encode()).hex[:8], 16) % 50_000
    return (Choice(f"user and group {number}", lambda s: replace(s, user=number)),)


def _memory(here: Here) -> tuple[Choice, ...]:  # noqa: ARG001
    def choice(times: int, gibibytes: int) -> Choice:
        says = f"{times} times the memory, on a machine that seems to have {gibibytes} GiB"
        files = memory_files(gibibytes << 30)
        return Choice(says, lambda s: replace(s, memory_times=times).with_files(*files))

    return choice(2, 6), choice(4, 192)


def _personality(s: Surroundings, flag: int) -> Surroundings:
    return replace(s, inside=replace(s.inside, personality=s.inside.personality | flag))


def _kernel(here: Here) -> tuple[Choice, ...]:  # noqa: ARG001
    def change(s: Surroundings) -> Surroundings:
        return _personality(s, UNAME26).with_files(*kernel_files())

    return (Choice("the kernel calls itself 2.6", change),)


def _addresses(here: Here) -> tuple[Choice, ...]:  # noqa: ARG001
    return (Choice("addresses are not random", lambda s: _personality(s, ADDR_NO_RANDOMIZE)),)


def _features(here: Here) -> tuple[Choice, ...]:  # noqa: ARG001
    without = ",".join(f"-{name}" for name in (*GLIBC_ABOVE_FLOOR, *_GLIBC_OF_FLOOR))
    variables = (
        ("NPY_DISABLE_CPU_FEATURES", " ".join(("X86_V3", *NUMPY_ABOVE_FLOOR))),
        ("GLIBC_TUNABLES", f"glibc.cpu.hwcaps={without}"),
        ("ARROW_USER_SIMD_LEVEL", "SSE4_2"),
        ("OPENBLAS_CORETYPE", "Nehalem"),
    )
    return (Choice("libraries use x86-64-v2 at most", lambda s: s.with_job_variables(*variables)),)


def _runner(here: Here) -> tuple[Choice, ...]:
    return (Choice(f"{here.other_runner} instead of {here.runner}", lambda s: s),)


def _no_runner(here: Here) -> str | None:
    return None if here.other_runner else here.no_other


def _no_namespaces(here: Here) -> str | None:
    return here.no_namespaces


def _not_by_an_engine(here: Here) -> str | None:
    return None if here.runner == "bubblewrap" else _ONLY_BUBBLEWRAP


def _no_user(here: Here) -> str | None:
    return _not_by_an_engine(here) or here.no_namespaces


# Those that a recipe can see come first: they are the likelier causes, and told apart sooner.
VARIATIONS: Final = (
    Variation(
        "cpus",
        "1, 2 or 4 CPUs are seen, and as many threads are started; neither the recipe's number nor"
        " the machine's",
        "work split by the number of CPUs; results in the order in which threads end",
        _cpus,
    ),
    Variation(
        "directory-order",
        "the folders of sources and code list their files backwards, or from the second on; `/tmp`"
        " is in memory, where a folder lists what was made last first",
        "`glob`, `listdir` and `iterdir` without `sorted`",
        _order,
        _not_by_an_engine,
    ),
    Variation(
        "clock",
        "the wall clock begins months ahead, a second before a new year, or a second before a"
        " change to summer time; sources and code were modified then",
        "today's date in the data, times of files, years and hours reckoned from now",
        _clock,
        _no_clock,
    ),
    Variation(
        "memory",
        "2 or 4 times the recipe's memory, and another size of the machine in `/proc/meminfo`",
        "chunks and batches sized by the memory there is",
        _memory,
    ),
    Variation(
        "address-space",
        "addresses in memory are not random",
        "sorting by `id()` or pointer, sets of objects without a hash of their own",
        _addresses,
        _not_by_an_engine,
    ),
    Variation(
        "kernel",
        "`uname` and `/proc` give another version of the kernel",
        "the machine's description in the data",
        _kernel,
        _not_by_an_engine,
    ),
    Variation(
        "cpu-features",
        "libraries are told to use less than the CPU floor",
        "last bits that come out right only with the floor; a warning, since the floor is required",
        _features,
        warning=NEEDS_FLOOR,
    ),
    Variation(
        "paths",
        "recipe and store lie in other folders, with spaces and accents in their names",
        "the host's paths in the data, such as those of `/proc/self/mountinfo`",
        _one("recipe and store are elsewhere", elsewhere=True),
    ),
    Variation(
        "umask",
        "the umask of the process that rebuilds",
        "modes of files in archives",
        lambda here: (*_one("077", umask=0o077)(here), *_one("000", umask=0)(here)),
    ),
    Variation(
        "time-zone",
        "`TZ` of the process that rebuilds",
        "the host's time zone let into the sandbox",
        _variables(
            (("TZ", "Pacific/Kiritimati"),),
            (("TZ", "America/St_Johns"),),
            (("TZ", "Asia/Kathmandu"),),
        ),
    ),
    Variation(
        "locale",
        "`LC_ALL`, `LANG` and `LANGUAGE` of the process that rebuilds",
        "the host's language let into the sandbox, or messages of tools that are read",
        _variables(_locale("fr_CA.UTF-8"), _locale("tr_TR.UTF-8"), _locale("POSIX")),
    ),
    Variation(
        "variables",
        "environment variables of the caller: some set that libraries heed, some taken away",
        "the caller's environment let into the sandbox",
        _noise,
    ),
    Variation(
        "host-name",
        "the host's name, as the process that rebuilds sees it",
        "the machine's name in the data",
        _one("the host is called d4c-elsewhere", host_name="d4c-elsewhere"),
        _no_namespaces,
    ),
    Variation(
        "user-id",
        "user and group of the process that rebuilds, in a user namespace",
        "the caller's identity let into the sandbox",
        _user,
        _no_user,
    ),
    Variation(
        "runner",
        "the other runner, in a rebuild of its own",
        "what one runner does otherwise than the other",
        _runner,
        _no_runner,
        alone=True,
    ),
)


def steadying(here: Here) -> tuple[tuple[str, Choice, str], ...]:
    """What may make an output steady that comes out otherwise by chance, and so tells its cause.

    Returns:
        The variation's name, the choice, and when the output is then the same; first the one that
        chance may less easily feign: threads sometimes take turns alike, addresses hardly ever are.
    """
    (addresses,) = _addresses(here)
    single = () if here.cpus == 1 else (("cpus", _cpu_choice(1), "every time on one CPU"),)
    return (*single, ("address-space", addresses, "every time once addresses are not random"))


BY_NAME: Final = {variation.name: variation for variation in VARIATIONS}
