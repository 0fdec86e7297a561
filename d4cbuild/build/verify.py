"""``verify``: rebuild from the lock in a fresh sandbox and compare every output."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from d4cbuild.base.files import replacing
from d4cbuild.base.progress import Progress
from d4cbuild.build.explain import changed_ingredients, changed_provenance
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.make import Made, Maker, Making
from d4cbuild.build.plan import Plan, plan_locked
from d4cbuild.build.result import ComparedOutput, Rebuild, Varied, VerifyResult, shown_path
from d4cbuild.errors import BuildFailed, D4CError, InputError
from d4cbuild.model.manifest import Manifest, OutputRecord
from d4cbuild.model.verdict import Verdict, worst
from d4cbuild.sandbox.job import Runner
from d4cbuild.sharing.substituters import NO_SUBSTITUTERS, Substituters
from d4cbuild.store import Store


@dataclass(frozen=True)
class VerifyOptions:
    """What the user chose.

    Attributes:
        dist: Where rebuilt files are kept that are not identical.
        mirrors: Further places that hold copies of sources.
        cpus: CPUs to use instead of the recipe's.
        substituters: Shared stores, where sources are looked for as well. Outputs never are.
    """

    dist: Path
    mirrors: Sequence[str] = ()
    cpus: int | None = None
    substituters: Substituters = NO_SUBSTITUTERS


def verify_recipe(
    folder: RecipeFolder,
    store: Store,
    runners: Sequence[Runner],
    options: VerifyOptions,
    progress: Progress,
) -> VerifyResult:
    """Rebuild a recipe with each runner and compare with ``manifest.json``.

    Nothing the store remembers of earlier builds is used but the sources and the environment, and
    these by their digests.

    Args:
        folder: The recipe.
        store: The store.
        runners: What to rebuild with; several are compared with each other too.
        options: What the user chose.
        progress: Whom to tell.

    Raises:
        InputError: if recipe, lock or manifest cannot be read.
    """
    plan = plan_locked(folder)
    manifest = folder.manifest()
    refusal = not_comparable(plan, manifest)
    if refusal is not None:
        return refusal
    rebuilds: list[Rebuild] = []
    makings: list[tuple[str, Making]] = []
    for runner in runners:
        maker = Maker(
            store,
            runner,
            options.mirrors,
            progress,
            options.cpus,
            substituters=options.substituters,
        )
        rebuild, making = _rebuild(plan, manifest, maker, options)
        rebuilds.append(rebuild)
        if making is not None:
            makings.append((runner.name, making))
    if len(makings) > 1:
        rebuilds.append(_compare_runners(makings))
    return result_of(plan, tuple(rebuilds))


def _rebuild(
    plan: Plan, manifest: Manifest, maker: Maker, options: VerifyOptions
) -> tuple[Rebuild, Making | None]:
    name = maker.runner.name
    try:
        making = maker.make(plan)
    except D4CError as error:
        return rebuild_not_made(manifest, name, error), None
    return compare_all(manifest, name, making, maker.store, options), making


def compare_all(
    manifest: Manifest, name: str, making: Making, store: Store, options: VerifyOptions
) -> Rebuild:
    """Compare every output of a rebuild with the manifest, and keep what is not identical.

    Args:
        manifest: What is expected.
        name: What the rebuild is called.
        making: What was found.
        store: Holds the bytes of both, as far as they are on this machine.
        options: Where files are kept.
    """
    outputs = []
    for record, made in zip(manifest.outputs, making.outputs, strict=True):
        compared = compare_output(record, made)
        if compared.verdict != Verdict.IDENTICAL:
            kept = _keep_both(record, made, store, options.dist / "verify" / name)
            step = _closer_look(record, kept)
            compared = ComparedOutput(**{**vars(compared), "kept": kept, "next": step})
        outputs.append(compared)
    return Rebuild(name, tuple(outputs), making.seconds)


def rebuild_not_made(manifest: Manifest, name: str, error: D4CError) -> Rebuild:
    """The record of a rebuild that made nothing."""
    # That an ingredient or the sandbox cannot be had says nothing about sameness.
    verdict = Verdict.FAILED if isinstance(error, BuildFailed) else Verdict.UNKNOWN
    return _all(manifest, name, verdict, str(error))


def compare_output(record: OutputRecord, made: Made) -> ComparedOutput:
    """Say what a rebuilt output is, beside the one in the manifest."""
    expected, found = _facts_of_record(record), _facts_of_made(made)
    if record.kind == "attested":
        verdict, reason = Verdict.UNKNOWN, "attested: made by a step that no outsider can run"
    elif expected["sha256"] == found["sha256"] and expected["blake3"] == found["blake3"]:
        verdict, reason = Verdict.IDENTICAL, None
    elif expected["content"] is not None and expected["content"] == found["content"]:
        verdict, reason = Verdict.EQUIVALENT, "other bytes, but the same table"
    else:
        verdict, reason = Verdict.DIFFERENT, None
    return ComparedOutput(record.name, verdict, expected, found, reason)


def _facts_of_record(record: OutputRecord) -> dict[str, Any]:
    return {
        "blake3": str(record.blake3),
        "sha256": str(record.sha256),
        "content": None if record.content is None else str(record.content),
        "size": record.size,
        "rows": record.rows,
    }


def _facts_of_made(made: Made) -> dict[str, Any]:
    return {
        "blake3": str(made.digests.blake3),
        "sha256": str(made.digests.sha256),
        "content": None if made.content is None else str(made.content),
        "size": made.digests.size,
        "rows": made.facts.get("rows"),
    }


def _keep_both(record: OutputRecord, made: Made, store: Store, folder: Path) -> tuple[str, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for label, digest in (("expected", record.blake3), ("found", made.digests.blake3)):
        original = store.get(digest)
        if original is not None:  # the expected file may never have been on this machine
            target = folder / f"{label}_{record.file}"
            with replacing(target) as temporary:
                shutil.copyfile(original, temporary)
            kept.append(str(target))
    return tuple(kept)


def _closer_look(record: OutputRecord, kept: tuple[str, ...]) -> str:
    files = [shown_path(Path(path)) for path in kept]
    if len(files) == 1:  # what was expected was never on this machine
        files = [record.file, *files]
    command = shlex.join(["d4cbuild", "diff", *files])
    return command if len(kept) > 1 else f"fetch {record.file}, then {command}"


def _compare_runners(makings: list[tuple[str, Making]]) -> Rebuild:
    first_name, first = makings[0]
    names = " = ".join(name for name, _ in makings)
    outputs = []
    for at, made in enumerate(first.outputs):
        expected = _facts_of_made(made)
        others = [_facts_of_made(making.outputs[at]) for _, making in makings[1:]]
        same = all(other["sha256"] == expected["sha256"] for other in others)
        verdict = Verdict.IDENTICAL if same else Verdict.DIFFERENT
        reason = None if same else f"the runners disagree; {first_name} is taken as expected"
        outputs.append(ComparedOutput(made.output.name, verdict, expected, others[0], reason))
    return Rebuild(names, tuple(outputs))


def _all(manifest: Manifest, runner: str, verdict: Verdict, reason: str) -> Rebuild:
    outputs = tuple(
        ComparedOutput(record.name, verdict, _facts_of_record(record), reason=reason)
        for record in manifest.outputs
    )
    return Rebuild(runner, outputs)


def not_comparable(plan: Plan, manifest: Manifest) -> VerifyResult | None:
    """The result where a manifest is of other ingredients than the lock; else ``None``."""
    other = changed_ingredients(manifest.derivation, plan.derivation) or changed_provenance(
        manifest, plan.lock
    )
    if not other and manifest.build_key == plan.key:
        return None
    reason = "\n".join(
        [
            "manifest.json was made from other ingredients than the lock names:",
            *(other or ["its build key is not the digest of its derivation"]),
            f"next: d4cbuild build {plan.folder.where}, then look at what git diff shows",
        ]
    )
    return result_of(plan, (_all(manifest, "none", Verdict.UNKNOWN, reason),))


def result_of(
    plan: Plan, rebuilds: tuple[Rebuild, ...], varied: Varied | None = None
) -> VerifyResult:
    """Put together what was found of one recipe; its verdict is the worst of all outputs'."""
    verdicts = [Verdict(output.verdict) for rebuild in rebuilds for output in rebuild.outputs]
    code = 0
    for verdict in verdicts:
        code |= verdict.exit_code
    return VerifyResult(
        recipe=plan.recipe.dataset.id,
        verdict=worst(verdicts),
        exit_code=code,
        build_key=str(plan.key),
        rebuilds=rebuilds,
        warnings=plan.warnings,
        varied=varied,
    )


def could_not_verify(folder: RecipeFolder, error: D4CError) -> VerifyResult:
    """The result for a recipe whose records could not even be read."""
    verdict = Verdict.UNKNOWN
    output = ComparedOutput("", verdict, {}, reason=str(error))
    code = verdict.exit_code | (int(error.exit_code) if isinstance(error, InputError) else 0)
    return VerifyResult(folder.path.name, verdict, code, None, (Rebuild("none", (output,)),))
