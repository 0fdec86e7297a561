"""What a build lacks before it may be released; all of it at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.attest.policy import Judgement, Standing
from d4cbuild.build.attesting import judge_recipe, read_trust
from d4cbuild.build.explain import changed_ingredients
from d4cbuild.build.folder import LOCK_FILE, MANIFEST_FILE, RecipeFolder
from d4cbuild.build.plan import plan_locked
from d4cbuild.build.project import RECIPE_FILE
from d4cbuild.code.history import uncommitted
from d4cbuild.code.tags import differs_from_head
from d4cbuild.errors import D4CError

RECORDS = (RECIPE_FILE, LOCK_FILE, MANIFEST_FILE)


@dataclass(frozen=True)
class Lack:
    """Something that is missing.

    Attributes:
        what: What it is, in a few words.
        next: What to type.
    """

    what: str
    next: str


def lacks_of(
    folder: RecipeFolder, policy: Path, attestations: Path, dist: Path
) -> tuple[Lack, ...]:
    """List what keeps a build from being released: uncommitted, unlocked, unverified, unsigned.

    Args:
        folder: The recipe.
        policy: ``trust.toml``: whose signatures count.
        attestations: The folder of attestations.
        dist: Where data files may be.
    """
    return (
        *_dirty(folder),
        *_unlocked(folder),
        *_unsigned(folder, policy, attestations, dist),
    )


def _dirty(folder: RecipeFolder) -> Iterator[Lack]:
    files = {*uncommitted(folder.path), *differs_from_head(folder.path, RECORDS)}
    if files:
        yield Lack(
            f"not committed: {', '.join(sorted(files))}",
            f"git add {folder.where} && git commit",
        )


def _unlocked(folder: RecipeFolder) -> Iterator[Lack]:
    try:
        plan = plan_locked(folder)
        manifest = folder.manifest()
    except D4CError as error:
        yield Lack(error.message, error.hint or f"d4cbuild check {folder.where}")
        return
    other = changed_ingredients(manifest.derivation, plan.derivation)
    if other or manifest.dataset != plan.recipe.dataset:
        yield Lack(
            "not built: manifest.json is of another recipe, lock or version",
            f"d4cbuild build {folder.where}",
        )
    if not manifest.releasable:
        yield Lack(
            f"not releasable: {manifest.not_releasable_because}",
            f"git commit, then d4cbuild build {folder.where}",
        )


def _unsigned(folder: RecipeFolder, policy: Path, attestations: Path, dist: Path) -> Iterator[Lack]:
    sign = f"d4cbuild attest --key KEY {folder.where}"
    verify = f"d4cbuild verify --attest KEY {folder.where}"
    if not policy.is_file():
        yield Lack(
            f"no policy: whose signatures count is not said in {policy}",
            "d4cbuild key new KEY --builder NAME prints an entry for it"
            " (d4cbuild/spec/attestations-1.md, Policy)",
        )
        return
    if not attestations.is_dir():
        yield Lack("not signed: there are no attestations", sign)
        yield Lack("not verified: there are no attestations", verify)
        return
    try:
        judgement, _ = judge_recipe(folder, read_trust(policy), attestations, dist)
    except D4CError as error:
        yield Lack(f"not judged: {error.message}", error.hint or f"d4cbuild check {folder.where}")
        return
    if not _agrees(judgement, "provenance"):
        yield Lack("not signed: no trusted builder says what it was built from", sign)
    if not _agrees(judgement, "rebuild"):
        yield Lack("not verified: no trusted rebuilder got the same bytes", verify)
    if not judgement.satisfied:
        yield Lack(
            f"the policy is not satisfied: {'; '.join(judgement.reasons)}",
            f"d4cbuild verify --policy {policy} {folder.where}",
        )


def _agrees(judgement: Judgement, kind: str) -> bool:
    return any(
        finding.kind == kind and finding.standing is Standing.AGREES
        for finding in judgement.findings
    )
