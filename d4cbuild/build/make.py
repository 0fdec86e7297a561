"""Making the outputs of a plan: run the code, check what it wrote, write the normal form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from d4cbuild.base.archive import read_canonical_tar
from d4cbuild.base.canonical import canonical_json, parse_json
from d4cbuild.base.digest import Digest, FileDigests
from d4cbuild.base.progress import Progress
from d4cbuild.build.carried import lay_out
from d4cbuild.build.collect import Collected, collect_outputs, plain_file
from d4cbuild.build.ingredients import locked_sources
from d4cbuild.build.logbook import BuildLog, build_log
from d4cbuild.build.plan import Plan
from d4cbuild.build.vary.surroundings import ORDINARY, Surroundings
from d4cbuild.environment.images import ensure_image
from d4cbuild.errors import BuildFailed
from d4cbuild.model.recipe import Output, Recipe
from d4cbuild.sandbox.floor import require_cpu_floor
from d4cbuild.sandbox.image import Image
from d4cbuild.sandbox.job import OUT, PARAMETERS, SOURCES, Job, Limits, Outcome, Runner
from d4cbuild.sharing.substituters import NO_SUBSTITUTERS, Substituters
from d4cbuild.store import Store

NORMALISE = ("python3", "-m", "d4cbuild.normalform.job", PARAMETERS)
REPORT_NAME = "report.json"
SHOWN_VIOLATIONS = 20


@dataclass(frozen=True)
class Made:
    """A finished output, its bytes in the store.

    Attributes:
        output: Its declaration.
        digests: Digests of its bytes.
        facts: What the normal form reports of a table: content digest, rows, columns, geometry;
            of a plain file: which rewrites were done, and why none was.
    """

    output: Output
    digests: FileDigests
    facts: dict[str, Any]

    @property
    def content(self) -> Digest | None:
        """The content digest; none for a plain file."""
        return Digest.parse(self.facts["content"]) if "content" in self.facts else None


@dataclass(frozen=True)
class Making:
    """All outputs of a build.

    Attributes:
        outputs: In the recipe's order.
        log: The build log.
        seconds: How long the recipe's code ran.
    """

    outputs: tuple[Made, ...]
    log: Path
    seconds: float


@dataclass(frozen=True)
class Maker:
    """Makes plans come true on this machine.

    Attributes:
        store: Where sources, images and outputs are kept.
        runner: What runs the sandboxes.
        mirrors: Further places that hold copies of sources.
        progress: Whom to tell.
        cpus: CPUs to use instead of the recipe's, if given; it must not change the bytes.
        surroundings: What else is other than usual, to show that it does not change them either.
        substituters: Shared stores, where sources are looked for as well.
    """

    store: Store
    runner: Runner
    mirrors: Sequence[str]
    progress: Progress
    cpus: int | None = None
    surroundings: Surroundings = ORDINARY
    substituters: Substituters = NO_SUBSTITUTERS

    def make(self, plan: Plan) -> Making:
        """Make every output of a plan from its ingredients, in fresh sandboxes.

        Raises:
            BuildFailed: if the code fails or its outputs are not as declared.
            HashMismatch: if an ingredient no longer has its locked bytes.
            Unavailable: if an ingredient or a runner cannot be had.
        """
        require_cpu_floor()
        image = ensure_image(plan.folder.environment(plan.recipe), self.store, self.progress)
        sources = self.sources(plan)
        with (
            self.store.workspace() as workspace,
            build_log(self.store, plan.key, self.runner.version()) as log,
        ):
            template = self.job(plan, image, sources, workspace)
            self.progress.say(f"{plan.recipe.dataset.id}: running in {self.runner.name}")
            outcome, written = self._run_code(plan, template, log)
            self.progress.say(f"{plan.recipe.dataset.id}: writing the normal form")
            facts, folder = self._normalise(plan, template, written, log)
            paths = [_made_path(output, folder, written, facts) for output in plan.recipe.outputs]
            limit = template.limits.disk
            outputs = tuple(
                Made(
                    output,
                    self.store.put_file(plain_file(path, limit, plan.folder.where)),
                    facts.get(output.name, {}),
                )
                for output, path in zip(plan.recipe.outputs, paths, strict=True)
            )
            for made in outputs:
                if made.facts.get("kept"):
                    self.progress.warn(f"{made.output.name}: kept as it is: {made.facts['kept']}")
            return Making(outputs, log.path, outcome.seconds)

    def sources(self, plan: Plan) -> tuple[tuple[str, Path], ...]:
        """Make sure that every source is in the store; returns name and path of each.

        Raises:
            HashMismatch: if one no longer has its locked bytes.
            Unavailable: if one cannot be had.
        """
        return locked_sources(plan, self.store, self.mirrors, self.substituters, self.progress)

    def job(
        self, plan: Plan, image: Image, sources: tuple[tuple[str, Path], ...], workspace: Path
    ) -> Job:
        """Lay out what the code of a plan runs with.

        Args:
            plan: The plan.
            image: Its environment.
            sources: Name and path of each source.
            workspace: An empty folder; the job has its folders in it.
        """
        lay_out(workspace / "code", read_canonical_tar(plan.code.tar))
        plan.normal_form.lay_out(workspace / "lib")
        wanted = plan.recipe.build.resources
        limits = Limits(
            cpus=self.cpus or wanted.cpus,
            memory=wanted.memory,
            disk=wanted.disk,
            time_s=wanted.time,
        )
        code = workspace / "code"
        return Job(
            image=image,
            command=plan.recipe.build.run,
            sources=self.surroundings.dated(code, sources, workspace / "dated"),
            code=code,
            parameters=_readable(workspace / "parameters.json", plan.recipe.parameters),
            lib=workspace / "lib",
            scratch=_folder(workspace / "run"),
            limits=self.surroundings.limits(limits),
            source_date_epoch=plan.lock.source_date_epoch,
            circumstances=self.surroundings.inside,
        )

    def _run_code(self, plan: Plan, job: Job, log: BuildLog) -> tuple[Outcome, Collected]:
        with _explained(plan, log):
            outcome = self.runner.run(job, log.stream)
            log.outcome("code", outcome)
            for note in outcome.not_enforced:
                self.progress.say(f"not enforced here: {note}")
            if not outcome.succeeded:
                raise _failed(plan, "the recipe's code failed", outcome, log)
            return outcome, collect_outputs(job.out, plan.recipe, plan.folder.where)

    def _normalise(
        self, plan: Plan, template: Job, written: Collected, log: BuildLog
    ) -> tuple[dict[str, Any], Path]:
        given = [output for output in plan.recipe.outputs if output.has_one_form]
        folder = _folder(template.scratch.with_name("normalise"))
        if not given:
            return {}, folder
        record = normalisation(plan.recipe, template.limits)
        job = replace(
            template,
            command=NORMALISE,
            # Python looks for modules in its working directory first, and there the recipe could
            # have put one of its own making: nothing of the recipe is in this sandbox.
            code=_folder(folder / "code"),
            sources=tuple((output.written_as, written.paths[output.name]) for output in given),
            parameters=_readable(folder / "job.json", record),
            scratch=_folder(folder / "run"),
        )
        outcome = self.runner.run(job, log.stream)
        log.outcome("normal form", outcome)
        if not outcome.succeeded:
            raise _failed(plan, "the normal form could not be written", outcome, log)
        told = plain_file(job.out / REPORT_NAME, job.limits.disk, plan.folder.where)
        report = parse_json(told.read_bytes())
        if report["violations"]:
            raise _broken(plan, report["violations"], log)
        return report["outputs"], job.out


def normalisation(recipe: Recipe, limits: Limits) -> dict[str, Any]:
    """What the writer of the normal form is told: which files it finds, and how they are declared.

    Args:
        recipe: Declares the outputs.
        limits: What the sandbox may use.
    """
    files = [o for o in recipe.outputs if o.format == "file" and o.has_one_form]
    return {
        "written": SOURCES,
        "made": OUT,
        "threads": limits.cpus,
        # The rest is for the interpreter and the libraries themselves.
        "memory": limits.memory // 2,
        "outputs": [_declared(output) for output in recipe.outputs if output.format != "file"],
        "files": [{"name": output.name, "file": output.written_as} for output in files],
    }


def _made_path(output: Output, folder: Path, written: Collected, facts: dict[str, Any]) -> Path:
    if output.format != "file":
        return folder / f"{output.name}.parquet"
    if facts.get(output.name, {}).get("rewritten"):
        return folder / f"{output.name}.rewritten"
    return written.paths[output.name]


def _declared(output: Output) -> dict[str, Any]:
    columns = []
    for column in output.columns:
        record = column.as_json()
        record.pop("description")
        columns.append(record | {"type": column.logical_type.as_json()})
    return {
        "name": output.name,
        "columns": columns,
        "sort_by": list(output.sort_by),
        "rows": output.rows.as_json(),
    }


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def _readable(path: Path, record: dict[str, Any]) -> Path:
    path.write_bytes(canonical_json(record) + b"\n")
    path.chmod(0o644)
    return path


@contextmanager
def _explained(plan: Plan, log: BuildLog) -> Iterator[None]:
    """Note in the log why a build failed, so that the log alone tells the story."""
    try:
        yield
    except BuildFailed as failure:
        log.note(f"{plan.folder.where}: {failure.message}")
        raise


def _failed(plan: Plan, what: str, outcome: Outcome, log: BuildLog) -> BuildFailed:
    if outcome.stopped_by is None:
        expected, found = "exit status 0", f"exit status {outcome.status}"
    else:
        limit = plan.recipe.build.resources.as_json().get(outcome.stopped_by, "512")
        expected = f"{outcome.stopped_by} within {limit}"
        found = f"stopped after {outcome.seconds:.1f} s: it went beyond that"
    tail = log.tail()
    return BuildFailed(
        what,
        expected=expected,
        found=f"{found}\n--- last lines of the log ---\n{tail}",
        where=plan.folder.where,
        hint=f"the whole log: {log.path}",
    )


def _broken(plan: Plan, violations: list[dict[str, Any]], log: BuildLog) -> BuildFailed:
    lines = []
    for violation in violations[:SHOWN_VIOLATIONS]:
        place = ".".join(part for part in (violation["output"], violation["column"]) if part)
        lines.append(f"{place}: {violation['message']} ({violation['rule']}, {violation['count']})")
        lines += [f"    {example}" for example in violation["examples"]]
    if len(violations) > SHOWN_VIOLATIONS:
        lines.append(f"and {len(violations) - SHOWN_VIOLATIONS} more")
    log.note("declarations broken: " + json.dumps(violations))
    return BuildFailed(
        "the outputs are not as declared",
        found="\n".join(lines),
        where=plan.folder.where,
        hint=f"mend the code, or the declaration in recipe.toml\nthe whole log: {log.path}",
    )
