"""The CPU floor: what every machine that builds must be able to do."""

from __future__ import annotations

from collections.abc import Set

from d4cbuild.base.ambient import cpu_flags
from d4cbuild.base.sameness import CPU_FLOOR
from d4cbuild.errors import Unavailable

# x86-64-v2 and v3 by the names Linux gives them: pni is SSE3, abm holds LZCNT.
_V2 = {"cx16", "lahf_lm", "popcnt", "pni", "ssse3", "sse4_1", "sse4_2"}
_V3 = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}
FLOOR_FLAGS = frozenset(_V2 | _V3)


def missing_flags(flags: Set[str]) -> list[str]:
    """What a CPU lacks of the floor.

    Args:
        flags: Its flags, as ``/proc/cpuinfo`` names them.
    """
    return sorted(FLOOR_FLAGS - flags)


def require_cpu_floor() -> None:
    """Make sure that the libraries inside the sandbox can do what they are told to.

    Below the floor they would silently compute with fewer instructions, and give other last bits.

    Raises:
        Unavailable: if this machine's CPU lacks something of the floor.
    """
    missing = missing_flags(cpu_flags())
    if missing:
        raise Unavailable(
            f"this CPU is older than {CPU_FLOOR}",
            expected=f"a CPU with {CPU_FLOOR}: about 2013 (Haswell, Excavator) or newer",
            found=f"without {' '.join(missing)}",
            where="/proc/cpuinfo",
            hint="build on another machine; in a virtual machine, let it see the host's CPU",
        )
