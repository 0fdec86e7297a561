"""Signed statements: the envelope (DSSE), the statement (in-toto), and what it says."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from d4cbuild.base.limits import LIMITS
from d4cbuild.model.derivation import Derivation
from d4cbuild.model.fields import BuilderName, DatasetId, DigestField, Name, Platform, Record
from d4cbuild.model.verdict import Verdict

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PROVENANCE_TYPE = "https://slsa.dev/provenance/v1"
REBUILD_TYPE = "https://dataforcanada.org/d4cbuild/rebuild/v1"
BUILD_TYPE = "https://dataforcanada.org/d4cbuild/build/v1"
BUILDER_PREFIX = "https://dataforcanada.org/d4cbuild/builders/"
MAXIMUM_SIGNATURES = LIMITS.signatures


class OpenRecord(Record):
    """A record of somebody else's format: what it may hold besides is passed over, as they ask."""

    model_config = ConfigDict(extra="ignore")


class EnvelopeSignature(OpenRecord):
    """A signature in an envelope, as written."""

    keyid: str | None = None
    """Which key made it."""

    sig: str
    """The signature in base64."""


class EnvelopeRecord(OpenRecord):
    """A DSSE envelope, as written."""

    payload: str
    """What is signed, in base64."""

    payload_type: Annotated[str, Field(alias="payloadType")]
    """What the payload is; signed as well."""

    signatures: Annotated[tuple[EnvelopeSignature, ...], Field(max_length=MAXIMUM_SIGNATURES)] = ()
    """Who signed it."""


class Subject(OpenRecord):
    """A file that a statement is about."""

    name: Name
    """File name."""

    digest: dict[str, str]
    """Hex digests by algorithm."""

    annotations: dict[str, Any] = {}
    """``output``: its name in the recipe."""


class Statement(OpenRecord):
    """An in-toto statement: of which files something is said, and what."""

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    """Name and version of this format."""

    subject: Annotated[tuple[Subject, ...], Field(min_length=1, max_length=10_000)]
    """The files."""

    predicate_type: Annotated[Name, Field(alias="predicateType")]
    """Format of what is said."""

    predicate: dict[str, Any]
    """What is said."""


class ExternalParameters(OpenRecord):
    """What was wanted of a build."""

    dataset: DatasetId
    """The dataset's id."""

    derivation: Derivation
    """Everything that decided the bytes."""


class BuildDefinition(OpenRecord):
    """What was built from what."""

    build_type: Annotated[
        Literal["https://dataforcanada.org/d4cbuild/build/v1"], Field(alias="buildType")
    ]
    """How the rest is to be read."""

    external_parameters: Annotated[ExternalParameters, Field(alias="externalParameters")]
    """What was wanted."""

    resolved_dependencies: Annotated[
        tuple[dict[str, Any], ...], Field(alias="resolvedDependencies")
    ] = ()
    """Sources, code and environment."""


class BuilderRecord(OpenRecord):
    """Who built."""

    id: Name
    """An address that names the builder."""


class Byproduct(OpenRecord):
    """A file that a build wrote besides its outputs."""

    name: Name
    """File name."""

    digest: dict[str, str]
    """Hex digests by algorithm."""

    content: str | None = None
    """The file itself in base64, where it comes along."""


class RunDetails(OpenRecord):
    """Who built, and what was written besides."""

    builder: BuilderRecord
    """Who built."""

    byproducts: tuple[Byproduct, ...] = ()
    """The manifest."""


class ProvenancePredicate(OpenRecord):
    """SLSA provenance, version 1, of a build of d4cbuild."""

    build_definition: Annotated[BuildDefinition, Field(alias="buildDefinition")]
    """What was built from what."""

    run_details: Annotated[RunDetails, Field(alias="runDetails")]
    """Who built it."""


class RebuiltOutput(Record):
    """One output of a rebuild."""

    name: Name
    """Name in the recipe."""

    verdict: Verdict
    """What it is beside the manifest's."""

    sha256: DigestField | None = None
    """What was found; none where nothing was made."""

    blake3: DigestField | None = None
    """What was found."""

    content: DigestField | None = None
    """What was found; none for plain files."""

    reason: Annotated[str, Field(max_length=2000)] | None = None
    """Why, where the verdict needs one."""


class OneRebuild(Record):
    """One run, or several runs compared with each other."""

    runner: Name
    """What ran it; ``bubblewrap = docker`` where two are compared."""

    outputs: Annotated[tuple[RebuiltOutput, ...], Field(min_length=1)]
    """Every output of the manifest."""


class VariedCircumstances(Record):
    """What was made other on purpose."""

    seed: str
    """What the choices were drawn with."""

    rounds: tuple[dict[str, str], ...]
    """For each round, what was other, in words, by the variation's name."""


class RebuildPredicate(Record):
    """What somebody found who built a manifest again."""

    dataset: DatasetId
    """The dataset's id."""

    build_key: DigestField
    """Digest of the derivation."""

    manifest: DigestField
    """SHA-256 of the manifest's bytes."""

    builder: BuilderName
    """Who rebuilt."""

    verdict: Verdict
    """The worst of all outputs'."""

    rebuilds: Annotated[tuple[OneRebuild, ...], Field(min_length=1)]
    """What was run."""

    varied: VariedCircumstances | None = None
    """What was made other on purpose, where something was."""

    platform: Platform
    """Operating system and architecture."""

    cpu_vendor: Name
    """As the CPU says; ``unknown`` where it does not."""

    finished: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
    """When, in UTC."""

    d4cbuild: Name
    """Version of d4cbuild."""
