"""What the verbs answer, as plain values: rendered as text or JSON by the command line."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from d4cbuild.base.digest import Digest
from d4cbuild.errors import InputError
from d4cbuild.model.verdict import Verdict


@dataclass(frozen=True)
class BuiltOutput:
    """An artifact on this machine.

    Attributes:
        name: Name in the recipe.
        path: Where the file is.
        size: Bytes.
        rows: Rows; none for a plain file.
        blake3: Digest of the bytes.
        sha256: Digest of the bytes.
        content: Digest of the table; none for a plain file.
        rewritten: For a container: the rewrites done.
        kept: Why a known container was kept as it is.
    """

    name: str
    path: Path
    size: int
    rows: int | None
    blake3: Digest
    sha256: Digest
    content: Digest | None
    rewritten: tuple[str, ...] = ()
    kept: str | None = None


@dataclass(frozen=True)
class TakenFrom:
    """Where outputs were taken from that were not built here.

    Attributes:
        where: The substituter.
        builder: Who built and signed them.
        key_id: With which key.
    """

    where: str
    builder: str
    key_id: str


@dataclass(frozen=True)
class BuildResult:
    """What ``build`` did.

    Attributes:
        recipe: The dataset's id.
        status: ``built`` in a sandbox, ``known`` from the store, ``substituted`` from a shared
            one, or ``unchanged``.
        build_key: Digest of the derivation.
        releasable: Whether it may be released.
        outputs: The artifacts.
        manifest: Where the manifest was written.
        manifest_changed: Whether the manifest is other than before.
        warnings: What the user should know.
        log: The build log, where something was run.
        explanation: Why it had to be built, where that was asked.
        taken_from: Whose outputs they are, where they were taken now.
    """

    recipe: str
    status: str
    build_key: Digest
    releasable: bool
    outputs: tuple[BuiltOutput, ...]
    manifest: Path
    manifest_changed: bool
    warnings: tuple[str, ...] = ()
    log: Path | None = None
    explanation: tuple[str, ...] = ()
    taken_from: TakenFrom | None = None

    def output(self, name: str) -> BuiltOutput:
        """One artifact by its name in the recipe.

        Raises:
            InputError: if there is none of that name.
        """
        for output in self.outputs:
            if output.name == name:
                return output
        names = ", ".join(output.name for output in self.outputs)
        raise InputError("there is no such output", expected=names, found=name, where=self.recipe)

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        record: dict[str, Any] = _plain(self)
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> BuildResult:
        """Read what :meth:`as_json` made."""
        taken = record.get("taken_from")
        return cls(
            **{
                **record,
                "build_key": Digest.parse(record["build_key"]),
                "outputs": tuple(_output(each) for each in record["outputs"]),
                "manifest": Path(record["manifest"]),
                "warnings": tuple(record["warnings"]),
                "log": None if record["log"] is None else Path(record["log"]),
                "explanation": tuple(record["explanation"]),
                "taken_from": None if taken is None else TakenFrom(**taken),
            }
        )


def _output(record: dict[str, Any]) -> BuiltOutput:
    content = record["content"]
    return BuiltOutput(
        **{
            **record,
            "path": Path(record["path"]),
            "blake3": Digest.parse(record["blake3"]),
            "sha256": Digest.parse(record["sha256"]),
            "content": None if content is None else Digest.parse(content),
            "rewritten": tuple(record.get("rewritten", ())),
        }
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Digest | Path):
        return str(value)
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


@dataclass(frozen=True)
class ComparedOutput:
    """One output of a rebuild beside the manifest's.

    Attributes:
        name: Name in the recipe.
        verdict: What can be said of it.
        expected: Digests by the manifest, and its size and rows.
        found: The same of the rebuild; empty where there was none.
        reason: Why, where the verdict needs one.
        kept: Files kept for a closer look.
        next: What to type for a closer look.
    """

    name: str
    verdict: Verdict
    expected: dict[str, Any]
    found: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    kept: tuple[str, ...] = ()
    next: str | None = None


@dataclass(frozen=True)
class Rebuild:
    """One rebuild.

    Attributes:
        runner: What ran it; ``docker = bubblewrap`` where two are compared with each other.
        outputs: Every output.
        seconds: How long the recipe's code ran, where it ran.
    """

    runner: str
    outputs: tuple[ComparedOutput, ...]
    seconds: float | None = None


@dataclass(frozen=True)
class Flip:
    """An output that came out otherwise, and what made it.

    Attributes:
        output: Name in the recipe.
        variations: The names of what makes it come out otherwise; several do so only together.
            Empty if it does with nothing varied.
        choices: What was other, in words, one for each variation.
        verdict: What the output is then.
        round: In which round it was found.
        reason: What else is known.
        warning: A class of warning, where the verdict does not count: ``needs x86-64-v3``.
    """

    output: str
    variations: tuple[str, ...]
    choices: tuple[str, ...]
    verdict: str
    round: int
    reason: str | None = None
    warning: str | None = None


@dataclass(frozen=True)
class Varied:
    """What ``verify --vary`` did, and found.

    Attributes:
        seed: What the choices were drawn with.
        rounds: For each round, what was other, in words, by the variation's name.
        not_varied: Why a variation could not be done here, by its name.
        flips: What came out otherwise, with its cause.
        rebuilds: How many rebuilds it took.
    """

    seed: str
    rounds: tuple[dict[str, str], ...]
    not_varied: dict[str, str]
    flips: tuple[Flip, ...]
    rebuilds: int


@dataclass(frozen=True)
class VerifyResult:
    """What ``verify`` found. It is neither true nor false: look at its verdict.

    Attributes:
        recipe: The dataset's id.
        verdict: The worst of all outputs' verdicts.
        exit_code: Its exit code.
        build_key: Digest of the derivation; none where it could not be made.
        rebuilds: One for each runner, and one that compares them.
        warnings: What the user should know.
        varied: What was varied, where that was asked for.
    """

    recipe: str
    verdict: Verdict
    exit_code: int
    build_key: str | None
    rebuilds: tuple[Rebuild, ...]
    warnings: tuple[str, ...] = ()
    varied: Varied | None = None

    def __bool__(self) -> bool:
        raise TypeError("this is no yes or no: compare .verdict with Verdict.IDENTICAL")

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)


def shown_path(path: Path) -> str:
    """A path as a message shows it: relative to where the user stands, if it lies below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
