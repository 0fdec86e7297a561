"""``shell``: somebody in a recipe's sandbox, with the code as it is saved."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from d4cbuild.base.ambient import monotonic_s, variable
from d4cbuild.base.archive import TarEntry, read_canonical_tar
from d4cbuild.base.files import regular_files, remove_tree
from d4cbuild.build.make import Maker
from d4cbuild.build.plan import Plan
from d4cbuild.build.saving import POLL_S, watched_state
from d4cbuild.build.stepping import with_steps
from d4cbuild.code.history import working_code
from d4cbuild.environment.images import ensure_image
from d4cbuild.errors import D4CError, InputError
from d4cbuild.sandbox.circumstances import Circumstances
from d4cbuild.sandbox.console import Console
from d4cbuild.sandbox.floor import require_cpu_floor
from d4cbuild.sandbox.job import Job, Outcome


@dataclass(frozen=True)
class Left:
    """How a shell ended, and what it left in ``/d4c/out``.

    Attributes:
        outcome: How it ended.
        files: Name and size in bytes of each plain file.
        kept: The folder they are in now; ``None`` if they are gone.
    """

    outcome: Outcome
    files: tuple[tuple[str, int], ...]
    kept: Path | None


@dataclass(frozen=True)
class Shell:
    """What is to run in a recipe's sandbox.

    Attributes:
        command: Program and arguments; a shell if empty.
        keep: Folder that gets what is written to ``/d4c/out``.
        output: Descriptor that gets what the command prints.
    """

    command: tuple[str, ...]
    keep: Path | None
    output: int = 1

    def run(self, plan: Plan, maker: Maker, greet: Callable[[Job, Console], None]) -> Left:
        """Run it to its end.

        Args:
            plan: What would be built.
            maker: Where it is run, and with what.
            greet: Called before it begins.

        Raises:
            InputError: if there is something in the folder to keep files in.
            Unavailable: if an ingredient or a runner cannot be had.
        """
        self._refuse_a_full_folder()
        require_cpu_floor()
        image = ensure_image(plan.folder.environment(plan.recipe), maker.store, maker.progress)
        sources = maker.sources(plan)
        with maker.store.workspace() as workspace:
            planned = maker.job(plan, image, sources, workspace)
            console = Console.of_this_process(self.output, LiveCode(plan, planned.code).refresh)
            job = self._job(planned, plan, console)
            greet(job, console)
            try:
                outcome = maker.runner.attend(job, console)
            finally:  # also where the window was closed
                found = list(regular_files(job.out))
                if self.keep is not None:
                    _keep(job.out, found, self.keep)
            files = tuple((path.as_posix(), (job.out / path).stat().st_size) for path in found)
            return Left(outcome, files, self.keep)

    def _job(self, planned: Job, plan: Plan, console: Console) -> Job:
        variables: tuple[tuple[str, str], ...] = ()
        if console.is_terminal:
            prompt = ("PS1", f"{plan.recipe.dataset.id}$ ")
            variables = (("TERM", variable("TERM") or "dumb"), prompt)
        shell = ("sh", "-i") if console.is_terminal else ("sh",)
        return replace(
            planned,
            command=self.command or shell,
            limits=replace(planned.limits, time_s=math.inf),
            circumstances=Circumstances(variables),
        )

    def _refuse_a_full_folder(self) -> None:
        if self.keep is not None and self.keep.exists() and any(self.keep.iterdir()):
            raise InputError(
                "the folder to keep files in is not empty",
                where=str(self.keep),
                hint="name another",
            )


class LiveCode:
    """Keeps a copy of a recipe's code as it is saved.

    It is the code that a build of uncommitted files would have, with the same names and modes. What
    cannot be code is left until it can: one may be in the middle of saving.

    Args:
        plan: What would be built when it begins.
        place: The copy, with that code in it.
    """

    def __init__(self, plan: Plan, place: Path) -> None:
        self._plan = plan
        self._place = place
        self._state = watched_state(plan.folder.path)
        self._due_s = 0.0

    def refresh(self) -> None:
        """Bring the copy up to date; looks at most a few times a second."""
        if monotonic_s() < self._due_s:
            return
        folder = self._plan.folder
        state = watched_state(folder.path)
        if state != self._state:
            with suppress(D4CError, OSError):
                own = working_code(folder.path)
                steps = folder.code_of_steps(self._plan.recipe)
                code = with_steps(own, steps, folder.where)
                replace_files(self._place, read_canonical_tar(code.tar))
                self._state = state
        self._due_s = monotonic_s() + POLL_S


def replace_files(folder: Path, entries: Iterable[TarEntry]) -> None:
    """Make a folder hold just these files; each is replaced as a whole, and only if it differs.

    Args:
        folder: The folder; a name beside it that ends in ``.new`` is used meanwhile.
        entries: The files.
    """
    wanted = {entry.name: entry for entry in entries}
    for path in regular_files(folder):
        if path.as_posix() not in wanted:
            (folder / path).unlink()
    for place in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(place.iterdir()):
            remove_tree(place)
    new = folder.with_name(f"{folder.name}.new")
    for name, entry in wanted.items():
        target, mode = folder / name, 0o755 if entry.executable else 0o644
        if target.is_file() and target.read_bytes() == entry.data:
            target.chmod(mode)
            continue
        _make_folders(folder, target.parent)
        new.write_bytes(entry.data)
        new.chmod(mode)
        new.rename(target)


def _make_folders(top: Path, folder: Path) -> None:
    """Make folders that every user may enter, whatever the umask."""
    missing = [each for each in (folder, *folder.parents) if top in each.parents]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        each.chmod(0o755)


def _keep(out: Path, paths: Iterable[Path], keep: Path) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    for path in paths:
        (keep / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(out / path, keep / path, follow_symlinks=False)
