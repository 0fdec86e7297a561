"""What ``verify`` does with keys and policies, and how a judgement is shown."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from d4cbuild.attest.keys import SigningKey, read_signing_key
from d4cbuild.build.attesting import attest_rebuild, judge_recipe, read_trust
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.project import project_root
from d4cbuild.build.result import VerifyResult, shown_path
from d4cbuild.errors import D4CError, Exit, InputError, trouble
from d4cbuild.model.trust import Trust

_FILE = click.Path(dir_okay=False, path_type=Path)
_COLOURS = {"agrees": "green", "disagrees": "red", "refused": "red"}


def attestations_folder(chosen: Path | None, recipe: Path) -> Path:
    """Where attestations are: the chosen folder, else ``attestations/`` of the project."""
    return chosen if chosen is not None else project_root(recipe) / "attestations"


@dataclass(frozen=True)
class Trusting:
    """The user's key and policy.

    Attributes:
        key: What results are signed with.
        trust: Whose attestations count.
        attestations: The folder of attestations, where one was chosen.
        bundle: A bundle, which brings attestations of its own.
    """

    key: SigningKey | None
    trust: Trust | None
    attestations: Path | None
    bundle: Path | None = None

    @property
    def only_judges(self) -> bool:
        """Whether nothing is to be rebuilt."""
        return self.trust is not None and self.key is None

    def judged(self, folder: RecipeFolder, dist: Path) -> tuple[dict[str, Any], int]:
        """Judge a recipe by what others signed; nothing is rebuilt."""
        record, code = self._judge(folder, dist)
        return {"recipe": record["policy"]["dataset"], **record, "exit_code": code}, code

    def after(self, folder: RecipeFolder, dist: Path, result: VerifyResult) -> dict[str, Any]:
        """Sign what a rebuild showed, and judge with it.

        Returns:
            The whole record of the recipe, with its exit code.
        """
        record, code = result.as_json(), result.exit_code
        try:
            if self.key is not None:
                output = self._place(folder)
                path = attest_rebuild(folder, result, self.key, output)
                record["attestation"] = None if path is None else str(path)
            if self.trust is not None:
                judged, more = self._judge(folder, dist)
                record, code = record | judged, code | more
        except (D4CError, OSError) as cause:
            # The rebuild's own answer is not lost because it could not be signed.
            error = trouble(cause) if isinstance(cause, OSError) else cause
            record["signing_error"] = error.as_record()
            click.echo(f"error: {error}", err=True)
            code |= int(error.exit_code)
        return record | {"exit_code": code}

    def _judge(self, folder: RecipeFolder, dist: Path) -> tuple[dict[str, Any], int]:
        if self.trust is None:
            return {}, 0
        place: Path | None = self._place(folder)
        if (
            self.bundle is not None
            and self.attestations is None
            and not self._place(folder).is_dir()
        ):
            place = None  # a bundle brings its own, so that there need be no others
        judgement, artifacts = judge_recipe(folder, self.trust, place, dist, self.bundle)
        code = judgement.exit_code
        if "other" in artifacts.values():
            code |= int(Exit.HASH_MISMATCH)
        return {"policy": judgement.as_json(), "artifacts": artifacts}, code

    def _place(self, folder: RecipeFolder) -> Path:
        """Where new attestations go: never among those that came with a bundle."""
        if self.bundle is not None and self.attestations is None:
            return Path("attestations")
        return attestations_folder(self.attestations, folder.path)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--attest``, ``--policy`` and ``--attestations``; the command gets ``trusting``."""

    @click.option(
        "--attest",
        type=_FILE,
        metavar="KEYFILE",
        help="Sign what the rebuild showed, also if it is not identical.",
    )
    @click.option(
        "--policy",
        type=_FILE,
        metavar="TRUST.TOML",
        help="Say whether enough trusted builders agree. Rebuilds only with --attest.",
    )
    @click.option(
        "--attestations",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Where attestations are. [default: attestations/ of the project]",
    )
    @functools.wraps(command)
    def wrapped(
        *arguments: Any,
        attest: Path | None,
        policy: Path | None,
        attestations: Path | None,
        **others: Any,
    ) -> Any:
        if attestations is not None and attest is None and policy is None:
            raise InputError(
                "--attestations belongs to --attest or --policy", hint="add --policy trust.toml"
            )
        trusting = Trusting(
            None if attest is None else read_signing_key(attest),
            None if policy is None else read_trust(policy),
            attestations,
        )
        return command(*arguments, trusting=trusting, **others)

    return wrapped


def render_judged(record: dict[str, Any]) -> str:
    """A judgement without a rebuild, as text."""
    return "\n".join([*render_policy(record["policy"]), *_render_artifacts(record["artifacts"])])


def render_signed(record: dict[str, Any]) -> list[str]:
    """Lines on what was signed and judged in a record of ``verify``."""
    lines = []
    if record.get("attestation") is not None:
        lines.append(f"  signed: {shown_path(Path(record['attestation']))}")
    elif "attestation" in record:
        lines.append("  nothing is signed: nothing was rebuilt")
    if "policy" in record:
        lines += [*render_policy(record["policy"]), *_render_artifacts(record["artifacts"])]
    return lines


def _render_artifacts(artifacts: dict[str, str]) -> list[str]:
    words = {
        "same": "the manifest's bytes",
        "other": click.style("not the manifest's bytes", fg="red"),
        "absent": "not in dist/",
    }
    return [f"  {name}: {words[state]}" for name, state in artifacts.items()]


def render_policy(policy: dict[str, Any]) -> list[str]:
    """A judgement as lines: each attestation, who agrees, and the answer with its reasons."""
    lines = [f"{policy['dataset']}: {len(policy['findings'])} attestations"]
    for finding in policy["findings"]:
        standing = click.style(finding["standing"], fg=_COLOURS.get(finding["standing"], "yellow"))
        who = finding["builder"] or ", ".join(key[:12] for key in finding["key_ids"]) or "nobody"
        vendor = f" on {finding['cpu_vendor']}" if finding["cpu_vendor"] else ""
        verdict = f", says {finding['verdict']}" if finding["verdict"] else ""
        lines.append(f"  {standing}: {who}{vendor}: {finding['reason']}{verdict}")
        lines.append(f"    {shown_path(Path(finding['where']))}")
    for label, names in (
        ("builders that agree", policy["builders"]),
        ("CPU vendors", policy["cpu_vendors"]),
        ("builders that disagree", policy["disagreeing"]),
    ):
        lines.append(f"  {label}: {', '.join(names) or 'none'}")
    colour = "green" if policy["satisfied"] else "red"
    answer = "satisfied" if policy["satisfied"] else "not satisfied"
    lines.append(f"  policy: {click.style(answer, fg=colour, bold=True)}")
    return lines + [f"    {reason}" for reason in policy["reasons"]]
