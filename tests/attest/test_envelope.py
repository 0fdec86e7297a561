"""Envelopes and statements, checked by other implementations; and envelopes made to do harm."""

from __future__ import annotations

import base64
import json
from typing import Any

import in_toto_attestation.predicates.provenance.v1.provenance_pb2 as provenance_pb2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement as TheirStatement
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from d4cbuild.attest.envelope import (
    Envelope,
    pre_authentication_encoding,
    read_envelope,
    seal,
)
from d4cbuild.attest.keys import SigningKey
from d4cbuild.attest.statement import (
    provenance_statement,
    read_provenance,
    read_rebuild,
    read_statement,
)
from d4cbuild.errors import InputError
from d4cbuild.model.attestation import PAYLOAD_TYPE
from tests.attest.signed import RECIPES, World, rebuild, sealed

WORLD = World()


def their_key(key: SigningKey) -> SSlibKey:
    public = {"public": key.public.raw.hex()}
    return SSlibKey(key.public.key_id, "ed25519", "ed25519", public)


def theirs(envelope: Envelope) -> TheirEnvelope:
    return TheirEnvelope.from_dict(json.loads(envelope.as_bytes()))


def test_what_is_signed_is_encoded_as_in_the_standards_example() -> None:
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pre_authentication_encoding("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


def test_another_implementation_verifies_our_signatures() -> None:
    one, other = WORLD.key("one"), WORLD.key("other")
    envelope = seal(provenance_statement(sealed(), "one"), (one, other))
    keys = [their_key(one), their_key(other)]
    assert set(theirs(envelope).verify(keys, 2)) == {one.public.key_id, other.public.key_id}
    changed = Envelope(envelope.payload + b" ", envelope.payload_type, envelope.signatures)
    with pytest.raises(VerificationError):
        theirs(changed).verify(keys, 1)


def test_we_verify_what_another_implementation_signed() -> None:
    key = WORLD.key("one")
    payload = provenance_statement(sealed(), "one")
    signed = TheirEnvelope(payload, PAYLOAD_TYPE, {})
    private = CryptoSigner(Ed25519PrivateKey.from_private_bytes(key.seed), their_key(key))
    signed.sign(private)
    text = json.dumps(signed.to_dict(), indent=3).encode()
    envelope = read_envelope(text, "theirs")
    assert envelope == seal(payload, (key,))
    assert envelope.verifies(envelope.signatures[0], key.public)


@pytest.mark.parametrize("recipe", RECIPES)
def test_another_implementation_reads_our_statements(recipe: str) -> None:
    about = sealed(recipe)
    for envelope in (WORLD.built("one", about), WORLD.rebuilt("one", about)):
        message = json_format.Parse(envelope.payload, statement_pb2.Statement())
        TheirStatement.copy_from_pb(message).validate()
        subjects = {each.name: each.digest["sha256"] for each in message.subject}
        assert subjects == {each.file: each.sha256.hex for each in about.manifest.outputs}


def test_another_implementation_reads_our_provenance_as_slsa() -> None:
    about = sealed()
    predicate = json.loads(WORLD.built("one", about).payload)["predicate"]
    message = json_format.ParseDict(predicate, provenance_pb2.Provenance())
    dependencies = {each.name: each for each in message.build_definition.resolved_dependencies}
    for source in about.manifest.sources:
        assert dependencies[source.name].digest["sha256"] == source.sha256.hex
        assert dependencies[source.name].uri == source.url
    assert dependencies["code"].digest["gitCommit"] == about.manifest.code.commit
    assert message.run_details.builder.id.endswith("/one")


def test_a_statement_says_what_was_put_into_it() -> None:
    about = sealed()
    statement = read_statement(WORLD.built("one", about).payload, "x")
    said = read_provenance(statement, "x")
    derivation = said.build_definition.external_parameters.derivation
    assert derivation == about.manifest.derivation
    assert derivation.build_key == about.manifest.build_key
    statement = read_statement(WORLD.rebuilt("one", about).payload, "x")
    assert read_rebuild(statement, "x") == rebuild(about, "one")


def test_signing_provenance_twice_gives_the_same_bytes() -> None:
    assert WORLD.built("one", sealed()).as_bytes() == WORLD.built("one", sealed()).as_bytes()


def test_an_envelope_is_read_as_it_was_written_in_either_alphabet() -> None:
    envelope = WORLD.built("one", sealed())
    assert read_envelope(envelope.as_bytes(), "x") == envelope
    record = json.loads(envelope.as_bytes())
    record["payload"] = base64.urlsafe_b64encode(envelope.payload).decode()
    for each, signature in zip(record["signatures"], envelope.signatures, strict=True):
        each["sig"] = base64.urlsafe_b64encode(signature.value).decode()
    assert read_envelope(json.dumps(record).encode(), "x") == envelope


def test_signing_again_takes_the_place_of_the_signature() -> None:
    envelope = WORLD.built("one", sealed())
    assert envelope.also_signed(WORLD.key("one")) == envelope
    assert len(envelope.also_signed(WORLD.key("other")).signatures) == 2


def hostile() -> dict[str, bytes]:
    good = json.loads(WORLD.built("one", sealed()).as_bytes())

    def changed(**fields: Any) -> bytes:
        return json.dumps(good | fields).encode()

    signature = good["signatures"][0]
    many = [{"keyid": str(number), "sig": ""} for number in range(1000)]
    return {
        "empty": b"",
        "not JSON": b"{",
        "not UTF-8": b'{"payload": "\xff"}',
        "an array": b"[]",
        "huge": b" " * (17 << 20),
        "nested": b"[" * 100_000 + b"]" * 100_000,
        "nested in a signature": changed(signatures="x").replace(
            b'"x"', b"[" * 50_000 + b"]" * 50_000
        ),
        "duplicate key": b'{"payload": "AAAA", ' + changed()[1:],
        "not base64": changed(payload="!!!!"),
        "base64 with white space": changed(payload=good["payload"] + "\n"),
        "base64 without its end": changed(payload="QQ"),
        "base64 with spare bits": changed(payload="QR=="),
        "base64 of two alphabets": changed(payload="-_+/"),
        "base64 in other letters": changed(payload="ÀÀÀÀ"),
        "signature not base64": changed(signatures=[signature | {"sig": "?"}]),
        "wrong payload type": changed(payloadType="application/json"),
        "payload type in capitals": changed(payloadType=PAYLOAD_TYPE.upper()),
        "no payload type": changed().replace(b'"payloadType"', b'"payloadtype"'),
        "payload a number": changed(payload=1),
        "signatures an object": changed(signatures={}),
        "the same key twice": changed(signatures=[signature, signature]),
        "a thousand signatures": changed(signatures=many),
        "half a character": changed().replace(PAYLOAD_TYPE.encode(), b"\\ud800"),
    }  # fmt: skip


@pytest.mark.parametrize("data", hostile().values(), ids=hostile())
def test_an_envelope_made_to_do_harm_is_bad_input(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_envelope(data, "bad.json")
    assert caught.value.where == "bad.json"
    assert len(str(caught.value)) < 5000


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b'{"_type": "https://in-toto.io/Statement/v0.1", "subject": [], "predicateType": "x"}',
        b'{"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "x",'
        b' "predicate": {}}',
    ],
    ids=["empty", "array", "duplicate", "nested", "version", "no subject"],
)
def test_a_statement_made_to_do_harm_is_bad_input(payload: bytes) -> None:
    with pytest.raises(InputError):
        read_statement(payload, "bad.json")
