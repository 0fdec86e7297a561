"""``challenge``: what several places say of one derivation; who agrees, and who stands alone.

Nobody is asked to be trusted here and no signature is looked at: that is what a policy is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from d4cbuild.attest.envelope import read_envelope
from d4cbuild.attest.statement import (
    SealedManifest,
    read_provenance,
    read_rebuild,
    read_statement,
)
from d4cbuild.base.canonical import parse_json
from d4cbuild.errors import Exit, InputError
from d4cbuild.model.attestation import (
    BUILDER_PREFIX,
    PROVENANCE_TYPE,
    REBUILD_TYPE,
    OneRebuild,
    Statement,
)


@dataclass(frozen=True)
class Voice:
    """What one place says of one derivation.

    Attributes:
        where: The file, and which run of several.
        says: ``manifest``, ``provenance`` or ``rebuild``.
        builder: Who is said to have said it; not checked.
        dataset: The dataset's id.
        build_key: The derivation.
        outputs: SHA-256 by output; none where it could not say.
    """

    where: str
    says: str
    builder: str | None
    dataset: str
    build_key: str
    outputs: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Group:
    """Those who say the same of an output.

    Attributes:
        sha256: What they say.
        places: Who they are.
    """

    sha256: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class ChallengedOutput:
    """One output.

    Attributes:
        name: Name in the recipe.
        groups: The largest first.
        alone: Places whose bytes nobody else has, where others have other bytes.
        silent: Places that say nothing of it.
    """

    name: str
    groups: tuple[Group, ...]
    alone: tuple[str, ...]
    silent: tuple[str, ...]


@dataclass(frozen=True)
class ChallengedDerivation:
    """One derivation.

    Attributes:
        build_key: Its digest.
        dataset: The dataset's id.
        verdict: ``agree``, ``disagree``, or ``nothing to compare``.
        outputs: Every output.
    """

    build_key: str
    dataset: str
    verdict: str
    outputs: tuple[ChallengedOutput, ...]

    @property
    def exit_code(self) -> int:
        """Exit code of the command line."""
        codes = {"agree": Exit.OK, "disagree": Exit.NOT_IDENTICAL}
        return int(codes.get(self.verdict, Exit.UNKNOWN))

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)


def challenge(voices: Sequence[Voice]) -> tuple[ChallengedDerivation, ...]:
    """Compare what was said, derivation by derivation.

    Args:
        voices: What places say; of several derivations, those are compared that are the same.
    """
    keys = dict.fromkeys(voice.build_key for voice in voices)
    return tuple(
        _derivation(key, [voice for voice in voices if voice.build_key == key]) for key in keys
    )


def _derivation(build_key: str, voices: Sequence[Voice]) -> ChallengedDerivation:
    names = dict.fromkeys(name for voice in voices for name, _ in voice.outputs)
    outputs = tuple(_output(name, voices) for name in names)
    if any(len(output.groups) > 1 for output in outputs):
        verdict = "disagree"
    elif all(sum(len(group.places) for group in output.groups) > 1 for output in outputs):
        verdict = "agree"
    else:
        verdict = "nothing to compare"
    return ChallengedDerivation(build_key, voices[0].dataset, verdict, outputs)


def _output(name: str, voices: Sequence[Voice]) -> ChallengedOutput:
    by_digest: dict[str, list[str]] = {}
    silent = []
    for voice in voices:
        said = dict(voice.outputs).get(name)
        if said is None:
            silent.append(voice.where)
        else:
            by_digest.setdefault(said, []).append(voice.where)
    groups = sorted(
        (Group(digest, tuple(places)) for digest, places in by_digest.items()),
        key=lambda group: (-len(group.places), group.sha256),
    )
    alone = [group.places[0] for group in groups if len(group.places) == 1 and len(groups) > 1]
    return ChallengedOutput(name, tuple(groups), tuple(alone), tuple(silent))


def is_voice(data: bytes) -> bool:
    """Whether a file looks like a manifest or an envelope; it may still be a faulty one."""
    try:
        value = parse_json(data)
    except (ValueError, RecursionError):
        return True  # reading it then says what is wrong with it
    return isinstance(value, dict) and (
        "payloadType" in value or str(value.get("schema")).startswith("d4c.manifest/")
    )


def read_voices(data: bytes, where: str) -> list[Voice]:
    """Read what a manifest or an attestation says.

    Raises:
        InputError: if it is neither.
        HashMismatch: if a manifest's build key is not the digest of its derivation.
    """
    if b'"payloadType"' not in data:
        sealed = SealedManifest.read(data, where)
        outputs = tuple((each.name, str(each.sha256)) for each in sealed.manifest.outputs)
        key = str(sealed.manifest.build_key)
        return [Voice(where, "manifest", None, sealed.dataset, key, outputs)]
    statement = read_statement(read_envelope(data, where).payload, where)
    if statement.predicate_type == PROVENANCE_TYPE:
        return [_of_provenance(statement, where)]
    if statement.predicate_type == REBUILD_TYPE:
        return _of_rebuild(statement, where)
    raise InputError(
        "the attestation says nothing of a build",
        expected=f"{PROVENANCE_TYPE} or {REBUILD_TYPE}",
        found=statement.predicate_type,
        where=where,
        hint="give a file that d4cbuild attest or d4cbuild verify --attest wrote",
    )


def _of_provenance(statement: Statement, where: str) -> Voice:
    said = read_provenance(statement, where)
    wanted = said.build_definition.external_parameters
    outputs = tuple(
        (str(each.annotations.get("output", each.name)), _sha256(each.digest.get("sha256")))
        for each in statement.subject
    )
    builder = said.run_details.builder.id.removeprefix(BUILDER_PREFIX)
    key = str(wanted.derivation.build_key)
    return Voice(where, "provenance", builder, wanted.dataset, key, outputs)


def _of_rebuild(statement: Statement, where: str) -> list[Voice]:
    said = read_rebuild(statement, where)
    # Runs that were compared with each other say nothing that they do not say alone.
    runs = [rebuild for rebuild in said.rebuilds if " = " not in rebuild.runner]
    return [
        Voice(
            where if len(runs) == 1 else f"{where} ({run.runner})",
            "rebuild",
            said.builder,
            said.dataset,
            str(said.build_key),
            _found(run),
        )
        for run in runs
    ]


def _found(run: OneRebuild) -> tuple[tuple[str, str | None], ...]:
    return tuple(
        (output.name, None if output.sha256 is None else str(output.sha256))
        for output in run.outputs
    )


def _sha256(value: str | None) -> str | None:
    return None if value is None else f"sha256:{value}"
