"""Policy: do enough of those who are trusted say the same? A pure function of files.

First every attestation is examined alone: who speaks, about this very manifest or something else,
and what is said. Then the builders are counted. Nothing that was found is left out of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from d4cbuild.attest.envelope import Envelope
from d4cbuild.attest.keys import PublicKey
from d4cbuild.attest.statement import (
    MANIFEST_NAME,
    SealedManifest,
    read_provenance,
    read_rebuild,
    read_statement,
)
from d4cbuild.errors import Exit, InputError
from d4cbuild.model.attestation import (
    BUILDER_PREFIX,
    PROVENANCE_TYPE,
    REBUILD_TYPE,
    OneRebuild,
    RebuildPredicate,
    Statement,
)
from d4cbuild.model.trust import Requirement, Role, Trust, TrustedKey
from d4cbuild.model.verdict import Verdict

UNKNOWN_VENDOR = "unknown"
_AGAINST = frozenset({Verdict.EQUIVALENT, Verdict.DIFFERENT, Verdict.FAILED})


class Standing(StrEnum):
    """What an attestation is good for."""

    AGREES = "agrees"
    """A trusted builder got these bytes."""

    DISAGREES = "disagrees"
    """A trusted rebuilder did not get these bytes."""

    SILENT = "silent"
    """A trusted rebuilder could not tell."""

    IGNORED = "ignored"
    """Signed by nobody that is known, and the policy lets that pass."""

    REFUSED = "refused"
    """Not to be trusted."""


@dataclass(frozen=True)
class Finding:
    """What was found of one attestation.

    Attributes:
        where: The file.
        standing: What it is good for.
        reason: Why, in one line.
        builder: Who speaks; none where that is not known for sure.
        key_ids: Whose signatures are said to be on it.
        kind: ``provenance``, ``rebuild``, or none where it cannot be read.
        verdict: What a rebuild says, also where it is refused.
        cpu_vendor: Where it was rebuilt.
    """

    where: str
    standing: Standing
    reason: str
    builder: str | None = None
    key_ids: tuple[str, ...] = ()
    kind: str | None = None
    verdict: str | None = None
    cpu_vendor: str | None = None


@dataclass(frozen=True)
class Judgement:
    """The answer.

    Attributes:
        dataset: The dataset's id.
        satisfied: Whether the policy is.
        reasons: Why not; empty if it is.
        required: What the policy asks for.
        builders: Builders that got these bytes.
        cpu_vendors: On CPUs of these.
        disagreeing: Builders that got others.
        findings: Every attestation.
    """

    dataset: str
    satisfied: bool
    reasons: tuple[str, ...]
    required: dict[str, int]
    builders: tuple[str, ...] = ()
    cpu_vendors: tuple[str, ...] = ()
    disagreeing: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """Exit code of the command line."""
        return int(Exit.OK if self.satisfied else Exit.UNTRUSTED)

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)


def judge(
    trust: Trust, sealed: SealedManifest, attestations: Sequence[tuple[str, Envelope]]
) -> Judgement:
    """Say whether a policy is satisfied for a manifest, and why.

    Args:
        trust: The policy.
        sealed: The manifest.
        attestations: Envelopes, each with the name of its file.

    Raises:
        InputError: if somebody trusted signed what cannot be read.
    """
    findings = tuple(examine(trust, sealed, where, envelope) for where, envelope in attestations)
    required = trust.requirement(sealed.dataset)
    disagreeing = _builders(findings, Standing.DISAGREES)
    # Who says both has not got these bytes reliably.
    agreeing = tuple(
        name for name in _builders(findings, Standing.AGREES) if name not in disagreeing
    )
    vendors = {
        each.cpu_vendor
        for each in findings
        if each.standing is Standing.AGREES and each.builder in agreeing and each.cpu_vendor
    }
    known = tuple(sorted(vendors - {UNKNOWN_VENDOR}))
    reasons = _reasons(required, agreeing, known, disagreeing, findings)
    return Judgement(
        dataset=sealed.dataset,
        satisfied=not reasons,
        reasons=tuple(reasons),
        required=required.as_json(),
        builders=agreeing,
        cpu_vendors=known,
        disagreeing=disagreeing,
        findings=findings,
    )


def _builders(findings: Sequence[Finding], standing: Standing) -> tuple[str, ...]:
    return tuple(
        sorted({each.builder for each in findings if each.standing is standing and each.builder})
    )


def _reasons(
    required: Requirement,
    agreeing: Sequence[str],
    vendors: Sequence[str],
    disagreeing: Sequence[str],
    findings: Sequence[Finding],
) -> list[str]:
    reasons = []
    if len(agreeing) < required.distinct_builders:
        reasons.append(
            f"{required.distinct_builders} distinct builders must agree, {_counted(agreeing)}"
        )
    if len(vendors) < required.cpu_vendors:
        reasons.append(
            f"rebuilds must be from CPUs of {required.cpu_vendors} vendors, {_counted(vendors)}"
        )
    if len(disagreeing) > required.may_disagree:
        reasons.append(
            f"at most {required.may_disagree} builders may disagree, {_counted(disagreeing)}"
        )
    refused = [each for each in findings if each.standing is Standing.REFUSED]
    reasons += [f"refused: {each.where}: {each.reason}" for each in refused]
    return reasons


def _counted(names: Sequence[str]) -> str:
    return f"found {len(names)}" + (f": {', '.join(names)}" if names else "")


def examine(trust: Trust, sealed: SealedManifest, where: str, envelope: Envelope) -> Finding:
    """Say what one attestation is good for.

    Raises:
        InputError: if somebody trusted signed what cannot be read.
    """
    key_ids = tuple(each.key_id or "" for each in envelope.signatures)
    keys = {PublicKey.parse(key.key).key_id: key for key in trust.keys}
    signers: list[TrustedKey] = []
    for signature in envelope.signatures:
        key = keys.get(signature.key_id or "")
        if key is None:
            continue
        # Before anything of the payload is looked at.
        if not envelope.verifies(signature, PublicKey.parse(key.key)):
            reason = f"the signature of {key.builder} is not of this content"
            return Finding(where, Standing.REFUSED, reason, key_ids=key_ids)
        signers.append(key)
    if not signers:
        return _of_nobody_known(trust, where, envelope, key_ids)
    statement = read_statement(envelope.payload, where)
    if statement.predicate_type == PROVENANCE_TYPE:
        return _of_provenance(statement, signers, sealed, where, key_ids)
    if statement.predicate_type == REBUILD_TYPE:
        return _of_rebuild(statement, signers, sealed, where, key_ids)
    reason = f"says something of another kind: {statement.predicate_type}"
    return Finding(where, Standing.REFUSED, reason, key_ids=key_ids)


def _of_nobody_known(
    trust: Trust, where: str, envelope: Envelope, key_ids: tuple[str, ...]
) -> Finding:
    if not envelope.signatures:
        return Finding(where, Standing.REFUSED, "nobody has signed it")
    standing = Standing.IGNORED if trust.unknown_keys == "ignore" else Standing.REFUSED
    reason = "signed by no key of the policy"
    kind, verdict = None, None
    # What strangers say counts for nothing, but that they disagree is not hidden.
    try:
        statement = read_statement(envelope.payload, where)
        if statement.predicate_type == REBUILD_TYPE:
            kind, verdict = "rebuild", str(read_rebuild(statement, where).verdict)
        elif statement.predicate_type == PROVENANCE_TYPE:
            kind = "provenance"
    except InputError as error:
        reason += f", and it cannot be read: {error.message}"
    return Finding(where, standing, reason, key_ids=key_ids, kind=kind, verdict=verdict)


def _of_provenance(
    statement: Statement,
    signers: Sequence[TrustedKey],
    sealed: SealedManifest,
    where: str,
    key_ids: tuple[str, ...],
) -> Finding:
    said = read_provenance(statement, where)
    definition, run = said.build_definition, said.run_details
    manifests = [each.digest for each in run.byproducts if each.name == MANIFEST_NAME]
    speaker = run.builder.id.removeprefix(BUILDER_PREFIX)
    fault = (
        _fault_of_speaker(speaker, "builder", signers)
        or _fault_of_topic(
            sealed,
            definition.external_parameters.dataset,
            str(definition.external_parameters.derivation.build_key),
            manifests[0].get("sha256") if len(manifests) == 1 else None,
        )
        or _fault_of_subject(sealed, statement)
    )
    if fault is not None:
        return Finding(where, Standing.REFUSED, fault, key_ids=key_ids, kind="provenance")
    return Finding(where, Standing.AGREES, "built it", speaker, key_ids, "provenance")


def _of_rebuild(
    statement: Statement,
    signers: Sequence[TrustedKey],
    sealed: SealedManifest,
    where: str,
    key_ids: tuple[str, ...],
) -> Finding:
    said = read_rebuild(statement, where)
    fault = (
        _fault_of_speaker(said.builder, "rebuilder", signers)
        or _fault_of_topic(sealed, said.dataset, str(said.build_key), said.manifest.hex)
        or _fault_of_subject(sealed, statement)
        or _fault_of_rebuilds(sealed, said)
    )
    standing, reason = (Standing.REFUSED, fault) if fault else _outcome(sealed, said)
    speaker = None if fault else said.builder
    vendor = said.cpu_vendor
    return Finding(where, standing, reason, speaker, key_ids, "rebuild", str(said.verdict), vendor)


def _fault_of_speaker(speaker: str, role: Role, signers: Sequence[TrustedKey]) -> str | None:
    own = [key for key in signers if key.builder == speaker]
    if not own:
        names = ", ".join(sorted({key.builder for key in signers}))
        return f"{names} signed what is said in the name of {speaker[:100]}"
    if not any(role in key.roles for key in own):
        return f"the key of {speaker} is not trusted as {role}"
    return None


def _fault_of_topic(
    sealed: SealedManifest, dataset: str, build_key: str, manifest_sha256: str | None
) -> str | None:
    """Why a statement is not about this manifest: an attestation must not be used for another."""
    if dataset != sealed.dataset:
        return f"about another dataset: {dataset}"
    if build_key != str(sealed.manifest.build_key):
        return f"about another derivation: {build_key}"
    if manifest_sha256 != sealed.sha256.hex:
        return f"about another manifest: sha256:{(manifest_sha256 or 'none')[:64]}"
    return None


def _fault_of_subject(sealed: SealedManifest, statement: Statement) -> str | None:
    expected = sorted(
        (output.file, output.sha256.hex, output.blake3.hex) for output in sealed.manifest.outputs
    )
    found = sorted(
        (each.name, each.digest.get("sha256", ""), each.digest.get("blake3", ""))
        for each in statement.subject
    )
    return None if found == expected else "about other files than the manifest's"


def _fault_of_rebuilds(sealed: SealedManifest, said: RebuildPredicate) -> str | None:
    names = [output.name for output in sealed.manifest.outputs]
    for rebuild in said.rebuilds:
        if [output.name for output in rebuild.outputs] != names:
            return "it does not say something of every output"
        if _contradicts(sealed, rebuild):
            return "it calls bytes identical that are not"
    return None


def _contradicts(sealed: SealedManifest, rebuild: OneRebuild) -> bool:
    return any(
        said.verdict is Verdict.IDENTICAL
        and (said.sha256 != output.sha256 or said.blake3 not in (None, output.blake3))
        for output, said in zip(sealed.manifest.outputs, rebuild.outputs, strict=True)
    )


def _outcome(sealed: SealedManifest, said: RebuildPredicate) -> tuple[Standing, str]:
    verdicts: dict[str, set[Verdict]] = {}
    for rebuild in said.rebuilds:
        for output, rebuilt in zip(sealed.manifest.outputs, rebuild.outputs, strict=True):
            # Of an attested output no outsider can say anything, so it is not asked for.
            if output.kind == "bitwise":
                verdicts.setdefault(output.name, set()).add(rebuilt.verdict)
    against = sorted(name for name, found in verdicts.items() if found & _AGAINST)
    if against:
        return Standing.DISAGREES, f"did not get the same bytes of {', '.join(against)}"
    if verdicts and all(found == {Verdict.IDENTICAL} for found in verdicts.values()):
        return Standing.AGREES, "got the same bytes"
    return Standing.SILENT, "could not tell"
