"""Builders with keys, manifests of real recipes, and what they sign about them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from d4cbuild.attest.envelope import Envelope, seal
from d4cbuild.attest.keys import SigningKey, new_key
from d4cbuild.attest.statement import SealedManifest, provenance_statement, rebuild_statement
from d4cbuild.base.digest import Digest
from d4cbuild.model.attestation import OneRebuild, RebuildPredicate, RebuiltOutput
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.trust import Trust
from d4cbuild.model.verdict import Verdict, worst

REPOSITORY = Path(__file__).parent.parent.parent
RECIPES = sorted(path.parent.name for path in REPOSITORY.glob("recipes/*/manifest.json"))
RECIPE, OTHER_RECIPE = RECIPES[:2]
ZEROS = "0" * 64


def manifest_bytes(recipe: str = RECIPE) -> bytes:
    return (REPOSITORY / "recipes" / recipe / "manifest.json").read_bytes()


def changed_manifest(recipe: str = RECIPE, **output: Any) -> SealedManifest:
    """The manifest of the same derivation with another first output."""
    record = json.loads(manifest_bytes(recipe))
    record["outputs"][0].update(output)
    return SealedManifest.read(json.dumps(record).encode(), "changed")


def sealed(recipe: str = RECIPE) -> SealedManifest:
    return SealedManifest.read(manifest_bytes(recipe), recipe)


def rebuild(
    about: SealedManifest,
    builder: str,
    *verdicts: Verdict,
    vendor: str = "AuthenticAMD",
    **changes: Any,
) -> RebuildPredicate:
    """What a rebuild gives whose outputs, in order, have these verdicts; the last one repeats."""
    outputs = []
    given = list(verdicts) or [Verdict.IDENTICAL]
    for at, output in enumerate(about.manifest.outputs):
        verdict = given[min(at, len(given) - 1)]
        found = {Verdict.IDENTICAL: output.sha256, Verdict.DIFFERENT: Digest("sha256", ZEROS)}
        outputs.append(RebuiltOutput(name=output.name, verdict=verdict, sha256=found.get(verdict)))
    facts: dict[str, Any] = {
        "dataset": about.dataset,
        "build_key": about.manifest.build_key,
        "manifest": about.sha256,
        "builder": builder,
        "verdict": worst([output.verdict for output in outputs]),
        "rebuilds": (OneRebuild(runner="bubblewrap", outputs=tuple(outputs)),),
        "platform": "linux/amd64",
        "cpu_vendor": vendor,
        "finished": "2024-05-06T07:08:09Z",
        "d4cbuild": "0.1.0",
    }
    return RebuildPredicate(**(facts | changes))


@dataclass
class World:
    """Builders who sign, each with a key that is made on first use."""

    keys: dict[str, SigningKey] = field(default_factory=dict)

    def key(self, name: str, builder: str | None = None) -> SigningKey:
        """A key by its name; the builder has the same name if not told otherwise."""
        if name not in self.keys:
            self.keys[name] = new_key(builder or name)
        return self.keys[name]

    def built(self, name: str, about: SealedManifest) -> Envelope:
        """Provenance."""
        key = self.key(name)
        return seal(provenance_statement(about, key.builder), (key,))

    def rebuilt(
        self, name: str, about: SealedManifest, *verdicts: Verdict, vendor: str = "AuthenticAMD"
    ) -> Envelope:
        """A rebuild."""
        key = self.key(name)
        said = rebuild(about, key.builder, *verdicts, vendor=vendor)
        return seal(rebuild_statement(about.manifest, said), (key,))

    def trust_text(self, names: dict[str, list[str]], rules: str) -> str:
        """A ``trust.toml`` that trusts keys in roles."""
        text = 'schema = "d4c.trust/1"\n'
        head, _, tables = rules.partition("\n[")
        text += head + "\n"
        for name, roles in names.items():
            key = self.key(name)
            text += f'[[keys]]\nkey = "{key.public.text}"\nbuilder = "{key.builder}"\n'
            text += f"roles = {json.dumps(roles)}\n"
        return text + (f"[{tables}\n" if tables else "")

    def trust(self, names: dict[str, list[str]], rules: str) -> Trust:
        """The same as a record."""
        return record_from_toml(Trust, self.trust_text(names, rules).encode(), "trust.toml")


def two_of(builders: int = 2, vendors: int = 0, more: str = "") -> str:
    return f"\n[default]\ndistinct_builders = {builders}\ncpu_vendors = {vendors}\n{more}"
