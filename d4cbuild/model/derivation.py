"""The derivation: everything that decides the output bytes, and nothing else."""

from typing import Annotated, Any, Literal

from pydantic import Field

from d4cbuild.base.canonical import canonical_digest
from d4cbuild.base.digest import Digest
from d4cbuild.base.sameness import NORMAL_FORM, PLATFORM, SANDBOX_CONTRACT
from d4cbuild.model.fields import Count, DigestField, Epoch, Record, SourceName
from d4cbuild.model.lock import Lock
from d4cbuild.model.recipe import Output, Recipe


class DerivedSource(Record):
    """A source's bytes."""

    name: SourceName
    """File name in the sandbox."""

    size: Count
    """Bytes."""

    blake3: DigestField
    """Digest of the bytes."""


class NormalFormCode(Record):
    """The writer of the outputs."""

    version: str = NORMAL_FORM
    """Version of the normal form."""

    blake3: DigestField
    """Digest of the writer's code."""


class Derivation(Record):
    """One canonical record. URLs, titles, descriptions and d4cbuild's version are not in it."""

    schema_: Annotated[Literal["d4c.derivation/1"], Field(alias="schema")] = "d4c.derivation/1"
    """Name and version of this format."""

    sources: tuple[DerivedSource, ...]
    """Raw files."""

    code: DigestField
    """The recipe's code, with what its steps are written as."""

    environment: DigestField
    """The image's configuration."""

    command: tuple[str, ...]
    """What is run."""

    parameters: dict[str, Any]
    """What the code is told."""

    outputs: tuple[dict[str, Any], ...]
    """Declarations of the outputs, without the texts for people."""

    source_date_epoch: Epoch
    """The build's clock."""

    platform: str = PLATFORM
    """Operating system and architecture."""

    sandbox: str = SANDBOX_CONTRACT
    """Version of the sandbox contract."""

    normal_form: NormalFormCode
    """The writer of the outputs."""

    @property
    def build_key(self) -> Digest:
        """The digest that names this build."""
        return canonical_digest(self.as_json())


def derive(recipe: Recipe, lock: Lock, code: Digest, normal_form_code: Digest) -> Derivation:
    """Make the derivation of a locked recipe.

    Args:
        recipe: What is wanted.
        lock: What was found.
        code: Digest of the code that is run: the locked one, with what steps are written as.
        normal_form_code: Digest of the normal form's code that will write the outputs.
    """
    return Derivation(
        sources=tuple(
            DerivedSource(name=s.name, size=s.size, blake3=s.blake3) for s in lock.sources
        ),
        code=code,
        environment=lock.environment.config,
        command=recipe.build.run,
        parameters=recipe.parameters,
        outputs=tuple(output_declaration(output) for output in recipe.outputs),
        source_date_epoch=lock.source_date_epoch,
        normal_form=NormalFormCode(blake3=normal_form_code),
    )


def output_declaration(output: Output) -> dict[str, Any]:
    """What of an output's declaration can decide bytes: all but the texts for people."""
    declaration = output.as_json()
    declaration.pop("title", None)
    declaration.pop("reason", None)
    for column in declaration["columns"]:
        column.pop("description")
    return declaration
