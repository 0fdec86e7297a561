"""A generator for every record that is signed, and for what trusts them."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import strategies as st

from d4cbuild.attest.envelope import Envelope, Signature
from d4cbuild.attest.keys import PublicKey, SigningKey
from d4cbuild.model.attestation import (
    PAYLOAD_TYPE,
    OneRebuild,
    RebuildPredicate,
    RebuiltOutput,
    VariedCircumstances,
)
from d4cbuild.model.verdict import Verdict
from tests.laws.strategies import digests, names, slugs, texts

builders = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True)
seeds = st.binary(min_size=32, max_size=32)
signing_keys = st.builds(SigningKey, builders, seeds)
public_keys = seeds.map(PublicKey)
dataset_ids = st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True)
verdicts = st.sampled_from(Verdict)

rebuilt_outputs = st.builds(
    RebuiltOutput,
    name=names,
    verdict=verdicts,
    sha256=st.none() | digests("sha256"),
    blake3=st.none() | digests(),
    content=st.none() | digests(),
    reason=st.none() | texts,
)
one_rebuilds = st.builds(
    OneRebuild,
    runner=st.sampled_from(["bubblewrap", "docker", "bubblewrap-varied", "bubblewrap = docker"]),
    outputs=st.lists(rebuilt_outputs, min_size=1, max_size=3).map(tuple),
)
varied_circumstances = st.builds(
    VariedCircumstances,
    seed=texts,
    rounds=st.lists(st.dictionaries(slugs, texts, max_size=3), max_size=2).map(tuple),
)
rebuild_predicates = st.builds(
    RebuildPredicate,
    dataset=dataset_ids,
    build_key=digests(),
    manifest=digests("sha256"),
    builder=builders,
    verdict=verdicts,
    rebuilds=st.lists(one_rebuilds, min_size=1, max_size=2).map(tuple),
    varied=st.none() | varied_circumstances,
    platform=st.just("linux/amd64"),
    cpu_vendor=st.sampled_from(["GenuineIntel", "AuthenticAMD", "unknown"]),
    finished=st.datetimes().map(lambda moment: moment.strftime("%4Y-%m-%dT%H:%M:%SZ")),
    d4cbuild=st.sampled_from(["0.1.0", "1.2.3"]),
)

envelopes = st.builds(
    Envelope,
    payload=st.binary(max_size=200),
    payload_type=st.just(PAYLOAD_TYPE),
    signatures=st.lists(
        st.builds(Signature, texts, st.binary(max_size=64)),
        max_size=4,
        unique_by=lambda signature: signature.key_id,
    ).map(tuple),
)

requirements = st.fixed_dictionaries(
    {"distinct_builders": st.integers(1, 1000), "cpu_vendors": st.integers(0, 100)},
    optional={"may_disagree": st.integers(0, 1000)},
)
trusted_keys = st.fixed_dictionaries(
    {
        "key": seeds.map(lambda raw: "ed25519:" + base64.b64encode(raw).decode()),
        "builder": builders,
        "roles": st.lists(
            st.sampled_from(["builder", "rebuilder"]), min_size=1, max_size=2, unique=True
        ),
    }
)


@st.composite
def trust_tables(draw: st.DrawFn) -> dict[str, Any]:
    """A ``trust.toml`` as TOML would give it."""
    table = {
        "schema": "d4c.trust/1",
        "keys": draw(st.lists(trusted_keys, max_size=3, unique_by=lambda key: key["key"])),
        "default": draw(requirements),
    }
    if draw(st.booleans()):
        table["unknown_keys"] = draw(st.sampled_from(["refuse", "ignore"]))
    if draw(st.booleans()):
        table["datasets"] = draw(st.dictionaries(dataset_ids, requirements, max_size=2))
    return table
