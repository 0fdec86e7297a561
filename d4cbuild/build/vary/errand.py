"""One rebuild in a process of its own, so that its surroundings are really others."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import d4cbuild
from d4cbuild.base.ambient import caller_environment
from d4cbuild.base.archive import TarEntry
from d4cbuild.base.interruption import stop_on_signals
from d4cbuild.base.progress import Silence
from d4cbuild.build.carried import CarriedCode
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.make import Maker, Making
from d4cbuild.build.plan import plan_locked
from d4cbuild.build.vary.process import enter
from d4cbuild.build.vary.surroundings import Surroundings
from d4cbuild.errors import D4CError, Unavailable
from d4cbuild.sandbox.choose import choose_runner
from d4cbuild.store import Store


@dataclass(frozen=True)
class Errand:
    """What a process is sent out to rebuild.

    Attributes:
        recipe: The recipe's folder.
        normal_form: The writer of its outputs, where that is not the one of this version.
        steps: What its steps are written as, where that is not as this version writes them.
        store: The store's folder.
        runner: Name of what runs the sandbox.
        mirrors: Further places that hold copies of sources.
        cpus: CPUs instead of the recipe's.
        surroundings: What is other.
        answer: Where the answer is to be written.
    """

    recipe: Path
    normal_form: CarriedCode | None
    steps: tuple[TarEntry, ...] | None
    store: Path
    runner: str
    mirrors: tuple[str, ...]
    cpus: int | None
    surroundings: Surroundings
    answer: Path


def send(errand: Errand) -> Making:
    """Have a recipe rebuilt by another process.

    Raises:
        BuildFailed: if the rebuild failed.
        Unavailable: if it could not be tried.
        D4CError: whatever else went wrong there.
    """
    process = subprocess.Popen(  # noqa: S603 - a list, no shell
        [sys.executable, "-m", __spec__.name],
        env=environment_of(errand.surroundings),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _, told = process.communicate(pickle.dumps(errand))
    except BaseException:
        process.terminate()  # it clears its sandbox away
        process.wait()
        raise
    if process.returncode != 0 or not errand.answer.exists():
        raise Unavailable(
            "a rebuild in other surroundings could not be run",
            found=told.decode(errors="replace").strip() or f"status {process.returncode}",
            where=str(errand.recipe),
            hint="leave variations out: --vary NAME,NAME",
        )
    # Written by our own process a moment ago, in a folder that is closed to others.
    answer = pickle.loads(errand.answer.read_bytes())  # noqa: S301 - written by our own child
    if isinstance(answer, D4CError):
        raise answer
    assert isinstance(answer, Making)  # noqa: S101 - for the type checker
    return answer


def namespaces_obstacle() -> str | None:
    """Why a process cannot have another host name and user on this machine, or ``None``."""
    command = [sys.executable, "-m", "d4cbuild.build.vary.process"]
    environment = environment_of(Surroundings())
    done = subprocess.run(  # noqa: S603 - a list, no shell
        command, env=environment, capture_output=True, text=True, check=False
    )
    return (done.stderr.strip() or "namespaces cannot be made") if done.returncode else None


def environment_of(surroundings: Surroundings) -> dict[str, str]:
    """The environment variables of a process that rebuilds."""
    environment = caller_environment()
    for name, value in surroundings.variables:
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    # The same d4cbuild, however the caller came by it.
    package = str(Path(d4cbuild.__file__).parent.parent)
    others = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = f"{package}:{others}" if others else package
    return environment


def _run(errand: Errand) -> Making | D4CError:
    store = Store(errand.store)
    try:
        with store.in_use():
            runner = choose_runner(errand.runner)
            maker = Maker(
                store, runner, errand.mirrors, Silence(), errand.cpus, errand.surroundings
            )
            folder = RecipeFolder(errand.recipe, errand.normal_form, errand.steps)
            return maker.make(plan_locked(folder))
    except D4CError as error:
        return error


def main() -> None:
    """Do the errand that standard input names."""
    errand = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by our own child
    assert isinstance(errand, Errand)  # noqa: S101 - for the type checker
    stop_on_signals()
    around = errand.surroundings
    enter(around.host_name, around.user, around.umask)
    answer = _run(errand)
    unfinished = errand.answer.with_name(f"{errand.answer.name}.part")
    unfinished.write_bytes(pickle.dumps(answer))
    unfinished.rename(errand.answer)


if __name__ == "__main__":
    # Under its own name, so that what is pickled here is what is looked for there.
    from d4cbuild.build.vary.errand import main as main_of_module

    main_of_module()
