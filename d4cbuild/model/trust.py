"""``trust.toml``: whose signatures count, and how many must agree. Written by hand."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from d4cbuild.model.fields import BuilderName, DatasetId, PublicKeyText, Record

Role = Literal["builder", "rebuilder"]


def _once(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    if len(set(roles)) != len(roles):
        raise ValueError("a role is named twice")
    return roles


class TrustedKey(Record):
    """A key and what its signatures are good for."""

    key: PublicKeyText
    """The public key."""

    builder: BuilderName
    """Who holds it. Two keys of one builder count once."""

    roles: Annotated[tuple[Role, ...], Field(min_length=1), AfterValidator(_once)]
    """``builder``: its provenance counts, and its outputs may be taken. ``rebuilder``: its
    rebuilds count."""


class Requirement(Record):
    """What must have been signed for a dataset."""

    distinct_builders: Annotated[int, Field(ge=1, le=1000)]
    """How many different builders must have got these bytes."""

    cpu_vendors: Annotated[int, Field(ge=0, le=100)]
    """On CPUs of how many vendors; only rebuilds say on which."""

    may_disagree: Annotated[int, Field(ge=0, le=1000)] = 0
    """How many builders may have got other bytes. They are reported all the same."""


def _each_key_once(keys: tuple[TrustedKey, ...]) -> tuple[TrustedKey, ...]:
    seen: set[str] = set()
    for key in keys:
        if key.key in seen:
            raise ValueError(f"the key {key.key} is named twice")
        seen.add(key.key)
    return keys


class Trust(Record):
    """A whole ``trust.toml``."""

    schema_: Annotated[Literal["d4c.trust/1"], Field(alias="schema")]
    """Name and version of this format."""

    unknown_keys: Literal["refuse", "ignore"] = "refuse"
    """What an attestation is that no key of this file signed: a fault, or only listed."""

    keys: Annotated[tuple[TrustedKey, ...], Field(max_length=1000), AfterValidator(_each_key_once)]
    """Whose signatures count."""

    default: Requirement
    """For datasets that are not named below."""

    datasets: dict[DatasetId, Requirement] = {}
    """For single datasets, instead of the default."""

    def requirement(self, dataset: str) -> Requirement:
        """What is asked for a dataset."""
        return self.datasets.get(dataset, self.default)
