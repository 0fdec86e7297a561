"""What the verbs answer, as plain values: rendered as text or JSON by the command line."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


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
    path: str
    size: int
    rows: int | None
    blake3: str
    sha256: str
    content: str | None
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
    build_key: str
    releasable: bool
    outputs: tuple[BuiltOutput, ...]
    manifest: str
    manifest_changed: bool
    warnings: tuple[str, ...] = ()
    log: str | None = None
    explanation: tuple[str, ...] = ()
    taken_from: TakenFrom | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> BuildResult:
        """Read what :meth:`as_json` made."""
        outputs = tuple(
            BuiltOutput(**{**output, "rewritten": tuple(output.get("rewritten", ()))})
            for output in record["outputs"]
        )
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in record.items()
        }
        plain["outputs"] = outputs
        if plain.get("taken_from") is not None:
            plain["taken_from"] = TakenFrom(**plain["taken_from"])
        return cls(**plain)


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
    verdict: str
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
    """What ``verify`` found.

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
    verdict: str
    exit_code: int
    build_key: str | None
    rebuilds: tuple[Rebuild, ...]
    warnings: tuple[str, ...] = ()
    varied: Varied | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)


def shown_path(path: Path) -> str:
    """A path as a message shows it: relative to where the user stands, if it lies below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
