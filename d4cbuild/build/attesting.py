"""From what was built and rebuilt to signed statements, and from these to a judgement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import d4cbuild
from d4cbuild.attest.envelope import read_envelope, seal
from d4cbuild.attest.folder import (
    attestations_about,
    read_attestations,
    read_bounded,
    write_attestation,
)
from d4cbuild.attest.keys import SigningKey
from d4cbuild.attest.policy import Judgement, judge
from d4cbuild.attest.statement import SealedManifest, provenance_statement, rebuild_statement
from d4cbuild.base.ambient import cpu_vendor, now_utc
from d4cbuild.base.digest import Digest, digests_of_file
from d4cbuild.base.sameness import PLATFORM
from d4cbuild.build.folder import MANIFEST_FILE, RecipeFolder
from d4cbuild.build.result import ComparedOutput, VerifyResult
from d4cbuild.errors import HashMismatch, InputError
from d4cbuild.model.attestation import (
    OneRebuild,
    RebuildPredicate,
    RebuiltOutput,
    VariedCircumstances,
)
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.trust import Trust
from d4cbuild.model.verdict import Verdict

MAXIMUM_REASON = 2000


def sealed_manifest(folder: RecipeFolder) -> SealedManifest:
    """Read a recipe's manifest together with the digest of its bytes.

    Raises:
        InputError: if there is none, or it cannot be read.
        HashMismatch: if its build key is not the digest of its derivation.
    """
    folder.manifest()
    path = folder.path / MANIFEST_FILE
    return SealedManifest.read(path.read_bytes(), str(path))


def attest_recipe(folder: RecipeFolder, key: SigningKey, output: Path, dist: Path) -> Path:
    """Sign what the manifest of a recipe says was built from what.

    Args:
        folder: The recipe.
        key: Who says so.
        output: The folder of attestations.
        dist: Where data files may be; those that are there must be the manifest's.

    Returns:
        The envelope's file.

    Raises:
        InputError: if the manifest may not be released.
        HashMismatch: if a data file is not the one that the manifest names.
    """
    sealed = sealed_manifest(folder)
    if not sealed.manifest.releasable:
        raise InputError(
            "a build that may not be released is not signed",
            found=sealed.manifest.not_releasable_because,
            where=str(folder.path / MANIFEST_FILE),
            hint=f"commit, then d4cbuild build {folder.where}",
        )
    _refuse_other_artifacts(sealed, dist, folder)
    envelope = seal(provenance_statement(sealed, key.builder), (key,))
    return write_attestation(output, sealed, "provenance", envelope)


def compare_artifacts(sealed: SealedManifest, dist: Path) -> dict[str, str]:
    """Compare the data files that are there with the manifest.

    Returns:
        ``same``, ``other`` or ``absent`` by file name.
    """
    found = {}
    for output in sealed.manifest.outputs:
        path = dist / output.file
        if not path.is_file():
            found[output.file] = "absent"
            continue
        digests = digests_of_file(path)
        same = (digests.sha256, digests.blake3) == (output.sha256, output.blake3)
        found[output.file] = "same" if same else "other"
    return found


def _refuse_other_artifacts(sealed: SealedManifest, dist: Path, folder: RecipeFolder) -> None:
    states = compare_artifacts(sealed, dist)
    for output in sealed.manifest.outputs:
        if states[output.file] == "other":
            raise HashMismatch(
                "the data file is not the one that the manifest names",
                expected=f"{output.sha256}, {output.size} bytes",
                found="other bytes",
                where=str(dist / output.file),
                hint=f"remove it, then d4cbuild build {folder.where}",
            )


def attest_rebuild(
    folder: RecipeFolder, result: VerifyResult, key: SigningKey, output: Path
) -> Path | None:
    """Sign what a rebuild showed, whatever it was.

    Args:
        folder: The recipe.
        result: What ``verify`` found.
        key: Who says so.
        output: The folder of attestations.

    Returns:
        The envelope's file; none where nothing was run, so that there is nothing to say.
    """
    runs = [rebuild for rebuild in result.rebuilds if rebuild.runner != "none"]
    if not runs or result.build_key is None:
        return None
    sealed = sealed_manifest(folder)
    predicate = RebuildPredicate(
        dataset=sealed.dataset,
        build_key=Digest.parse(result.build_key),
        manifest=sealed.sha256,
        builder=key.builder,
        verdict=Verdict(result.verdict),
        rebuilds=tuple(
            OneRebuild(runner=run.runner, outputs=tuple(_rebuilt(each) for each in run.outputs))
            for run in runs
        ),
        varied=_varied(result),
        platform=PLATFORM,
        cpu_vendor=cpu_vendor(),
        finished=now_utc().strftime("%Y-%m-%dT%H:%M:%SZ"),
        d4cbuild=d4cbuild.__version__,
    )
    envelope = seal(rebuild_statement(sealed.manifest, predicate), (key,))
    return write_attestation(output, sealed, "rebuild", envelope)


def _varied(result: VerifyResult) -> VariedCircumstances | None:
    varied = result.varied
    return None if varied is None else VariedCircumstances(seed=varied.seed, rounds=varied.rounds)


def _rebuilt(compared: ComparedOutput) -> RebuiltOutput:
    found = compared.found
    return RebuiltOutput(
        name=compared.name,
        verdict=Verdict(compared.verdict),
        sha256=_digest(found, "sha256"),
        blake3=_digest(found, "blake3"),
        content=_digest(found, "content"),
        reason=None if compared.reason is None else _plain(compared.reason)[:MAXIMUM_REASON],
    )


def _digest(facts: dict[str, Any], name: str) -> Digest | None:
    text = facts.get(name)
    return None if text is None else Digest.parse(text)


def _plain(text: str) -> str:
    # A log's last lines may hold anything, also what moves a terminal's cursor.
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def judge_recipe(
    folder: RecipeFolder,
    trust: Trust,
    attestations: Path | None,
    dist: Path,
    bundle: Path | None = None,
) -> tuple[Judgement, dict[str, str]]:
    """Say whether enough of those who are trusted got what the manifest names.

    Args:
        folder: The recipe.
        trust: The policy.
        attestations: The folder of attestations; none where only a bundle's are looked at.
        dist: Where data files may be.
        bundle: A bundle whose attestations count as well.

    Returns:
        The answer, and ``same``, ``other`` or ``absent`` by data file.

    Raises:
        InputError: if manifest or attestations cannot be read.
        HashMismatch: if the manifest's build key is not the digest of its derivation.
    """
    sealed = sealed_manifest(folder)
    artifacts = compare_artifacts(sealed, dist)
    found = [] if attestations is None else read_attestations(attestations, sealed)
    known = {envelope.as_bytes() for _, envelope in found}
    for name, data in ({} if bundle is None else attestations_about(bundle, sealed)).items():
        envelope = read_envelope(data, name)
        if envelope.as_bytes() not in known:
            found.append((f"{bundle}/{name}", envelope))
    return judge(trust, sealed, found), artifacts


def read_trust(path: Path) -> Trust:
    """Read ``trust.toml``.

    Raises:
        InputError: listing everything that is wrong.
    """
    return record_from_toml(Trust, read_bounded(path), str(path))
