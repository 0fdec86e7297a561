"""Having raw files looked at, in a sandbox: they are a stranger's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import d4cbuild
from d4cbuild.base.archive import TarEntry
from d4cbuild.base.canonical import canonical_json
from d4cbuild.base.files import regular_files
from d4cbuild.base.progress import Progress
from d4cbuild.build.carried import installed_normal_form, lay_out
from d4cbuild.build.locking import EARLIEST_EPOCH_S
from d4cbuild.build.logbook import printable
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import ensure_image
from d4cbuild.errors import BuildFailed, InputError
from d4cbuild.model.facts import Facts
from d4cbuild.model.parse import MAXIMUM_TEXT_BYTES, record_from_json
from d4cbuild.sandbox.floor import require_cpu_floor
from d4cbuild.sandbox.job import OUT, PARAMETERS, SOURCES, Job, Limits, Outcome, Runner
from d4cbuild.store import Store

_COMMAND = ("python3", "-m", "d4cbuild.looking.job", PARAMETERS)
_CARRIED = ("looking", "steps")
_FACTS = "facts.json"
_LIMITS = Limits(cpus=2, memory=4 << 30, disk=2 << 30, time_s=900)
_TAIL_BYTES = 4_000


@dataclass(frozen=True)
class Given:
    """A raw file on this machine, to be looked at.

    Attributes:
        name: The name it is to have as a source.
        path: Where it lies.
        is_document: Whether it is only a text about the others.
    """

    name: str
    path: Path
    is_document: bool = False


def look_at_files(
    given: Sequence[Given],
    environment: EnvironmentFolder,
    store: Store,
    runner: Runner,
    progress: Progress,
) -> Facts:
    """Look at raw files.

    Args:
        given: The files.
        environment: Where the libraries that read them are.
        store: Where its image is kept.
        runner: What runs the sandbox.
        progress: Whom to tell.

    Raises:
        BuildFailed: if looking failed, or went beyond its limits.
    """
    require_cpu_floor()
    image = ensure_image(environment, store, progress)
    with store.workspace() as workspace:
        lib = workspace / "lib"
        lay_out(lib, carried_code())
        for name in ("code", "run"):
            (workspace / name).mkdir()
        parameters = workspace / "parameters.json"
        parameters.write_bytes(canonical_json(_wanted(given)))
        parameters.chmod(0o644)
        job = Job(
            image=image,
            command=_COMMAND,
            sources=tuple((each.name, each.path.resolve()) for each in given),
            code=workspace / "code",
            parameters=parameters,
            lib=lib,
            scratch=workspace / "run",
            limits=_LIMITS,
            source_date_epoch=EARLIEST_EPOCH_S,
        )
        log = workspace / "log"
        files = given[0].name if len(given) == 1 else f"{len(given)} files"
        progress.say(f"looking at {files} in {runner.name}")
        with log.open("xb") as stream:
            outcome = runner.run(job, stream)
        if not outcome.succeeded:
            raise _failed(outcome, log)
        return _facts(job.out / _FACTS)


def carried_code() -> list[TarEntry]:
    """What looks, and what it looks with: the steps, and the order of the normal form."""
    # Not imported: the libraries it needs are in the sandbox.
    package = Path(d4cbuild.__file__).parent
    found = [
        TarEntry(f"d4cbuild/{floor}/{path.as_posix()}", (package / floor / path).read_bytes())
        for floor in _CARRIED
        for path in regular_files(package / floor)
        if path.suffix == ".py"
    ]
    normal_form = installed_normal_form().entries
    return [*found, *(TarEntry(f"d4cbuild/normalform/{e.name}", e.data) for e in normal_form)]


def _wanted(given: Sequence[Given]) -> dict[str, object]:
    return {
        "sources": SOURCES,
        "names": [each.name for each in given if not each.is_document],
        "documents": [each.name for each in given if each.is_document],
        "out": f"{OUT}/{_FACTS}",
    }


def _facts(path: Path) -> Facts:
    # The sandbox may have left anything under that name.
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAXIMUM_TEXT_BYTES:
        raise BuildFailed(
            "what was found cannot be read",
            expected=f"{_FACTS} of at most {MAXIMUM_TEXT_BYTES} bytes",
            hint="give fewer files at once",
        )
    try:
        return record_from_json(Facts, path.read_bytes(), _FACTS)
    except InputError as error:
        raise BuildFailed(
            "what was found is not as expected",
            found=error.found or error.message,
            hint="tell the makers of d4cbuild, with the file if you may",
        ) from error


def _failed(outcome: Outcome, log: Path) -> BuildFailed:
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        tail = "\n".join(printable(line) for line in stream.read().decode("utf-8", "replace")
                         .splitlines()[-12:])  # fmt: skip
    if outcome.stopped_by is None:
        found = f"exit status {outcome.status}\n{tail}"
    else:
        found = f"stopped after {outcome.seconds:.1f} s: it went beyond its {outcome.stopped_by}"
        found += f"\n{tail}"
    return BuildFailed(
        "the files could not be looked at",
        expected=f"at most {_LIMITS.memory >> 30} GiB of memory and {_LIMITS.time_s:.0f} s",
        found=found,
        hint="give fewer files at once, or write recipe.toml by hand (d4cbuild/spec/recipe-1.md)",
    )
