"""Signed realisations: what a derivation's outputs are, said by whoever built them.

The statement is the provenance that ``attest`` signs, with one more file enclosed. All decisions
here are made of bytes at hand; fetching them is done elsewhere.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from d4cbuild.attest.envelope import Envelope, read_envelope, seal
from d4cbuild.attest.keys import PublicKey, SigningKey
from d4cbuild.attest.statement import (
    SealedManifest,
    provenance_statement,
    read_provenance,
    read_statement,
)
from d4cbuild.base.digest import Digest
from d4cbuild.errors import Untrusted
from d4cbuild.model.attestation import (
    BUILDER_PREFIX,
    PROVENANCE_TYPE,
    ProvenancePredicate,
)
from d4cbuild.model.parse import record_from_json, record_to_json
from d4cbuild.model.realisation import Realisation
from d4cbuild.model.trust import Trust, TrustedKey

REALISATION_NAME = "realisation.json"


def seal_realisation(sealed: SealedManifest, realisation: Realisation, key: SigningKey) -> Envelope:
    """Sign what the outputs of a derivation are. Signing twice gives the same envelope.

    Args:
        sealed: The manifest of the build.
        realisation: Its outputs.
        key: Who built it.
    """
    enclosed = {REALISATION_NAME: record_to_json(realisation)}
    return seal(provenance_statement(sealed, key.builder, enclosed), (key,))


def trusted_builders(trust: Trust) -> dict[str, TrustedKey]:
    """The keys whose realisations may be taken, by key id: those with the role ``builder``."""
    return {PublicKey.parse(key.key).key_id: key for key in trust.keys if "builder" in key.roles}


@dataclass(frozen=True)
class SignedRealisation:
    """What a signed realisation says; nothing in it is believed yet.

    Attributes:
        realisation: The outputs, and of which derivation.
        builder: In whose name it speaks.
        key_ids: Whose signatures are said to be on it.
    """

    realisation: Realisation
    builder: str
    key_ids: tuple[str, ...]


def read_realisation(envelope: Envelope, where: str) -> SignedRealisation:
    """Read a signed realisation. No signature is verified.

    Args:
        envelope: The envelope.
        where: How to name it in an error.

    Raises:
        Untrusted: if it contradicts itself, or says something else.
        InputError: if it cannot be read.
    """
    statement = read_statement(envelope.payload, where)
    if statement.predicate_type != PROVENANCE_TYPE:
        raise Untrusted(f"it says something else: {statement.predicate_type}", where=where)
    said = read_provenance(statement, where)
    realisation = record_from_json(Realisation, _enclosed(said, where), where)
    derivation = said.build_definition.external_parameters.derivation
    if derivation.build_key != realisation.build_key:
        raise Untrusted("it names another derivation than it describes", where=where)
    inside = [(each.name, each.sha256.hex, each.blake3.hex) for each in realisation.outputs]
    outside = [
        (each.annotations.get("output"), each.digest.get("sha256"), each.digest.get("blake3"))
        for each in statement.subject
    ]
    if inside != outside:
        raise Untrusted("it names other files than it describes", where=where)
    builder = said.run_details.builder.id.removeprefix(BUILDER_PREFIX)
    return SignedRealisation(
        realisation, builder, tuple(each.key_id or "" for each in envelope.signatures)
    )


def open_realisation(data: bytes, where: str, signer: TrustedKey, build_key: Digest) -> Realisation:
    """Read a signed realisation, and believe it if it is good.

    Args:
        data: The envelope.
        where: How to name it in an error.
        signer: Who must have signed it.
        build_key: The derivation that it must be about.

    Raises:
        Untrusted: if it is not signed by this builder, or is about something else.
        InputError: if it cannot be read.
    """
    envelope = read_envelope(data, where)
    public = PublicKey.parse(signer.key)
    signatures = [each for each in envelope.signatures if each.key_id == public.key_id]
    # Before anything of the payload is looked at.
    if not signatures:
        raise Untrusted(f"it is not signed with the key of {signer.builder}", where=where)
    if not envelope.verifies(signatures[0], public):
        raise Untrusted(f"the signature of {signer.builder} is not of this content", where=where)
    said = read_realisation(envelope, where)
    if said.builder != signer.builder:
        raise Untrusted(
            f"{signer.builder} signed it in the name of {said.builder[:100]}", where=where
        )
    if said.realisation.build_key != build_key:
        raise Untrusted(
            f"it is about another derivation: {said.realisation.build_key}", where=where
        )
    return said.realisation


def _enclosed(said: ProvenancePredicate, where: str) -> bytes:
    found = [each for each in said.run_details.byproducts if each.name == REALISATION_NAME]
    if len(found) != 1 or found[0].content is None:
        raise Untrusted(f"there is no {REALISATION_NAME} in it", where=where)
    try:
        data = base64.b64decode(found[0].content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Untrusted(f"{REALISATION_NAME} in it is not in base64", where=where) from error
    if found[0].digest.get("sha256") != sha256(data).hexdigest():
        raise Untrusted(f"{REALISATION_NAME} in it is not what its digest says", where=where)
    return data
