"""What the recipe's code left in ``/d4c/out``, looked at with suspicion."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.errors import BuildFailed
from d4cbuild.model.recipe import Recipe

SHOWN = 10


@dataclass(frozen=True)
class Collected:
    """Files the code wrote, each a plain file with a declared name.

    Attributes:
        paths: By the output's name in the recipe.
    """

    paths: dict[str, Path]


def collect_outputs(out: Path, recipe: Recipe, where: str) -> Collected:
    """Check what lies in the output folder against the declared outputs.

    Args:
        out: The host folder that was ``/d4c/out``.
        recipe: What was declared.
        where: How to name the recipe in an error.

    Raises:
        BuildFailed: naming everything that is missing, was not declared, or is no plain file.
    """
    wanted = {output.written_as: output.name for output in recipe.outputs}
    limit = recipe.build.resources.disk
    paths: dict[str, Path] = {}
    faults: list[str] = []
    with os.scandir(os.fsencode(out)) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            name = entry.name.decode("utf-8", "backslashreplace")
            fault = _fault(entry.stat(follow_symlinks=False), limit)
            if name not in wanted:
                faults.append(f"{name!r}: {fault or 'a file'} that is not declared")
            elif fault is not None:
                faults.append(f"{name!r}: {fault}, where a plain file was declared")
            else:
                paths[wanted[name]] = out / name
    faults += [
        f"{file!r}: declared, but not written"
        for file, name in wanted.items()
        if name not in paths and not any(fault.startswith(f"{file!r}:") for fault in faults)
    ]
    if faults:
        more = [f"and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        raise BuildFailed(
            "the files written are not the outputs declared",
            expected="\n".join(f"/d4c/out/{file}" for file in wanted),
            found="\n".join(faults[:SHOWN] + more),
            where=where,
            hint="declare each output in recipe.toml, or mend the code; scratch files go to /tmp",
        )
    return Collected(paths)


def plain_file(path: Path, limit: int, where: str) -> Path:
    """Return a file that a sandbox left, after a look whether it is one.

    The writer of the normal form reads what strangers' code wrote. Were it tricked into doing
    something else, it still could not pass a link to the host off as an artifact.

    Args:
        path: The file.
        limit: The most bytes it may have.
        where: How to name the recipe in an error.

    Raises:
        BuildFailed: if it is not there, or no plain file, or too large.
    """
    fault = _fault(path.lstat(), limit) if os.path.lexists(path) else "nothing"
    if fault is not None:
        raise BuildFailed(
            "the writer of the normal form did not leave what it should have",
            expected=f"{path.name}: a plain file of at most {limit} bytes",
            found=fault,
            where=where,
            hint="do not trust what this recipe's code writes, and report it",
        )
    return path


def _fault(state: os.stat_result, limit: int) -> str | None:
    kinds = (
        (stat.S_ISLNK, "a symbolic link"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISCHR, "a character device"),
        (stat.S_ISBLK, "a block device"),
    )
    for test, words in kinds:
        if test(state.st_mode):
            return words
    if state.st_size > limit:
        return f"a file of {state.st_size} bytes, more than resources.disk"
    return None
