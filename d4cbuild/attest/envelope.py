"""Envelopes: DSSE, version 1. What is signed is the payload together with its type."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from d4cbuild.attest.keys import PublicKey, SigningKey
from d4cbuild.base.canonical import canonical_json
from d4cbuild.errors import InputError
from d4cbuild.model.attestation import PAYLOAD_TYPE, EnvelopeRecord
from d4cbuild.model.parse import record_from_json

_URL_SAFE = frozenset("-_")
_STANDARD = frozenset("+/")


@dataclass(frozen=True)
class Signature:
    """A signature.

    Attributes:
        key_id: Which key is said to have made it. Not signed itself; none where it is not said.
        value: Its bytes.
    """

    key_id: str | None
    value: bytes


@dataclass(frozen=True)
class Envelope:
    """Something signed.

    Attributes:
        payload: The bytes that were signed.
        payload_type: What they are; signed with them.
        signatures: By whom.
    """

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    @property
    def signed_bytes(self) -> bytes:
        """What the signatures are of."""
        return pre_authentication_encoding(self.payload_type, self.payload)

    def as_bytes(self) -> bytes:
        """The envelope as it is written: one line without white space and without an end of line.

        With no byte that could be another one and mean the same, no changed byte goes unseen.
        """
        return canonical_json(
            {
                "payload": base64.b64encode(self.payload).decode(),
                "payloadType": self.payload_type,
                "signatures": [
                    {"keyid": each.key_id, "sig": base64.b64encode(each.value).decode()}
                    for each in self.signatures
                ],
            }
        )

    def also_signed(self, key: SigningKey) -> Envelope:
        """The envelope with one more signature."""
        signature = Signature(key.public.key_id, key.sign(self.signed_bytes))
        kept = tuple(each for each in self.signatures if each.key_id != signature.key_id)
        return Envelope(self.payload, self.payload_type, (*kept, signature))

    def verifies(self, signature: Signature, key: PublicKey) -> bool:
        """Whether a signature in this envelope was made with a key."""
        return key.verifies(signature.value, self.signed_bytes)


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """DSSE's PAE: no other type and payload give the same bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, keys: tuple[SigningKey, ...]) -> Envelope:
    """Sign an in-toto statement.

    Args:
        payload: The statement as JSON.
        keys: Who signs.
    """
    envelope = Envelope(payload, PAYLOAD_TYPE, ())
    for key in keys:
        envelope = envelope.also_signed(key)
    return envelope


def read_envelope(data: bytes, where: str) -> Envelope:
    """Read an envelope. Nothing is verified.

    Raises:
        InputError: if it is no envelope around an in-toto statement.
    """
    record = record_from_json(EnvelopeRecord, data, where)
    if record.payload_type != PAYLOAD_TYPE:
        raise InputError(
            "the envelope holds something else than an in-toto statement",
            expected=PAYLOAD_TYPE,
            found=record.payload_type[:100],
            where=where,
            hint="give a file that d4cbuild attest or d4cbuild verify --attest wrote",
        )
    _one_alphabet([record.payload, *(each.sig for each in record.signatures)], where)
    signatures = tuple(
        Signature(each.keyid, _decoded(each.sig, f"signatures[{at}].sig", where))
        for at, each in enumerate(record.signatures)
    )
    key_ids = [each.key_id for each in signatures]
    if len(set(key_ids)) != len(key_ids):
        raise InputError(
            "a key signed the envelope twice",
            where=where,
            hint="fetch the file again from whoever signed it",
        )
    return Envelope(_decoded(record.payload, "payload", where), record.payload_type, signatures)


def _one_alphabet(texts: list[str], where: str) -> None:
    # DSSE allows either alphabet of base64. A mixture is no writer's work.
    letters = frozenset().union(*texts)
    if letters & _URL_SAFE and letters & _STANDARD:
        raise _not_base64("the envelope", "a mixture of both alphabets", where)


def _decoded(text: str, field: str, where: str) -> bytes:
    standard = text.replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(standard, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _not_base64(field, str(error), where) from error
    # Spare bits in the last digit could be other ones and mean the same.
    if base64.b64encode(data).decode() != standard:
        raise _not_base64(field, "spare bits that are not zero", where)
    return data


def _not_base64(field: str, found: str, where: str) -> InputError:
    return InputError(
        f"{field} is not in base64",
        found=found,
        where=where,
        hint="fetch the file again from whoever signed it",
    )
