"""Running a verb under ``interposer.c``: its dealings with files counted, and ended at one of them.

The library is compiled once and lies in ``.cache`` for all clones.
"""

from __future__ import annotations

import fcntl
import hashlib
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.faults.worlds import REPOSITORY, World
from tests.project import Answer

SOURCE = Path(__file__).with_name("interposer.c")


@dataclass(frozen=True)
class Moment:
    """Where something happens.

    Attributes:
        at: The number of the call, from 1.
        what: ``before``, ``half`` or ``after`` it all are killed; or the number of an errno.
        lasts: Whether the system refuses from then on.
        only_room: Whether only calls that need room count.
    """

    at: int
    what: str
    lasts: bool = False
    only_room: bool = False


@dataclass(frozen=True)
class Call:
    """A counted call: its number, the function, and the path."""

    number: int
    name: str
    path: str


@dataclass(frozen=True)
class Ended:
    """How a run under the interposer ended.

    Attributes:
        answer: Status and output.
        pid: The process.
        happened: Whether the moment was reached.
        calls: What was counted, where that was asked.
    """

    answer: Answer
    pid: int
    happened: bool
    calls: tuple[Call, ...] = ()


def library() -> Path:
    """The compiled interposer."""
    text = SOURCE.read_bytes()
    target = REPOSITORY / ".cache" / f"interposer-{hashlib.sha256(text).hexdigest()[:12]}.so"
    target.parent.mkdir(exist_ok=True)
    with target.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not target.exists():
            made = target.with_suffix(".unfinished")
            command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(made), str(SOURCE), "-ldl"]
            subprocess.run(command, check=True)
            made.rename(target)
    return target


def run(world: World, *arguments: str, moment: Moment | None = None) -> Ended:
    """Run ``d4cbuild`` under the interposer.

    Args:
        world: Where; what happens in it is counted.
        arguments: What is typed.
        moment: When something happens; if not given, calls are counted and listed.
    """
    with tempfile.TemporaryDirectory(dir=world.root) as folder:
        page, trace = Path(folder, "page"), Path(folder, "trace")
        page.write_bytes(bytes(16))
        variables = {
            "LD_PRELOAD": str(library()),
            "FAULTS_ROOT": str(world.here),
            "FAULTS_PAGE": str(page),
        }
        if moment is None:
            trace.touch()
            variables["FAULTS_TRACE"] = str(trace)
        else:
            variables |= {
                "FAULTS_AT": str(moment.at),
                "FAULTS_WHAT": moment.what,
                "FAULTS_LASTS": str(int(moment.lasts)),
                "FAULTS_ONLY": str(int(moment.only_room)),
            }
        begun = world.start(*arguments, **variables)
        answer = begun.finish()
        _, happened = struct.unpack("qq", page.read_bytes())
        calls = _calls(trace) if moment is None else ()
        return Ended(answer, begun.pid, bool(happened), calls)


def _calls(trace: Path) -> tuple[Call, ...]:
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        number, name, path = line.split(" ", 2)
        found.append(Call(int(number), name, path))
    return tuple(sorted(found, key=lambda call: call.number))
