"""Laws of what is signed: nothing is lost or added between what is meant and what is written."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.attest.envelope import Envelope, pre_authentication_encoding, read_envelope, seal
from d4cbuild.attest.keys import (
    PublicKey,
    SigningKey,
    read_public_key,
    read_signing_key,
    write_key,
)
from d4cbuild.attest.statement import (
    SealedManifest,
    provenance_statement,
    read_provenance,
    read_rebuild,
    read_statement,
    rebuild_statement,
)
from d4cbuild.model.attestation import BUILDER_PREFIX, RebuildPredicate
from d4cbuild.model.manifest import Manifest
from d4cbuild.model.parse import record_from_toml, record_to_json
from d4cbuild.model.trust import Trust
from tests.laws import signed_strategies as signed
from tests.laws import strategies as some
from tests.laws.test_records import assert_survives_rendering, few, recipes
from tests.laws.toml import toml_document


@given(signed.envelopes)
def test_an_envelope_is_what_was_written(envelope: Envelope) -> None:
    written = envelope.as_bytes()
    assert read_envelope(written, "again") == envelope
    assert read_envelope(written, "again").as_bytes() == written


@given(signed.rebuild_predicates)
def test_a_rebuild_survives_rendering(said: RebuildPredicate) -> None:
    assert_survives_rendering(said)


@given(recipes.flatmap(some.manifests), signed.rebuild_predicates, signed.signing_keys)
@few
def test_what_is_said_of_a_rebuild_is_read_out_of_its_envelope(
    manifest: Manifest, said: RebuildPredicate, key: SigningKey
) -> None:
    written = seal(rebuild_statement(manifest, said), (key,)).as_bytes()
    envelope = read_envelope(written, "again")
    assert envelope.verifies(envelope.signatures[0], key.public)
    assert read_rebuild(read_statement(envelope.payload, "again"), "again") == said


@given(recipes.flatmap(some.manifests), signed.signing_keys)
@few
def test_what_a_build_was_made_of_is_read_out_of_its_envelope(
    manifest: Manifest, key: SigningKey
) -> None:
    about = SealedManifest.read(record_to_json(manifest), "manifest")
    envelope = seal(provenance_statement(about, key.builder), (key,))
    statement = read_statement(read_envelope(envelope.as_bytes(), "x").payload, "x")
    said = read_provenance(statement, "x")
    assert said.build_definition.external_parameters.derivation == manifest.derivation
    assert said.run_details.builder.id == BUILDER_PREFIX + key.builder
    assert said.run_details.byproducts[0].digest == {"sha256": about.sha256.hex}
    assert [each.name for each in statement.subject] == [each.file for each in manifest.outputs]


@given(signed.trust_tables())
def test_a_policy_survives_rendering(table: dict[str, Any]) -> None:
    trust = record_from_toml(Trust, toml_document(table).encode(), "trust.toml")
    assert_survives_rendering(trust)
    assert [key.key for key in trust.keys] == [key["key"] for key in table["keys"]]
    for dataset, rules in table.get("datasets", {}).items():
        assert trust.requirement(dataset).distinct_builders == rules["distinct_builders"]


@given(signed.public_keys)
def test_a_public_key_is_what_its_text_says(key: PublicKey) -> None:
    assert PublicKey.parse(key.text) == key


@given(signed.signing_keys)
@settings(max_examples=10)
def test_a_key_is_what_its_files_say(key: SigningKey) -> None:
    with tempfile.TemporaryDirectory() as folder:
        private = Path(folder) / "key"
        public = write_key(key, private)
        assert read_signing_key(private) == key
        assert read_public_key(public) == read_public_key(private) == (key.builder, key.public)


texts = st.text(max_size=20)
payloads = st.binary(max_size=20)


@given(texts, payloads, texts, payloads)
def test_no_two_things_are_signed_by_the_same_bytes(
    kind: str, payload: bytes, other_kind: str, other: bytes
) -> None:
    same = pre_authentication_encoding(kind, payload) == pre_authentication_encoding(
        other_kind, other
    )
    assert same == ((kind, payload) == (other_kind, other))
