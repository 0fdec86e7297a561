"""ed25519 by the library ``cryptography``: keys are their 32 raw bytes, secret or public.

Source: RFC 8032, and RFC 8410 for their forms in files.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)


def public_of(seed: bytes) -> bytes:
    """The public key that belongs to a secret one."""
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(seed: bytes, message: bytes) -> bytes:
    """Sign a message; 64 bytes, always the same ones for the same message."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature of a message was made with the secret half of a public key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def private_pem(seed: bytes) -> bytes:
    """A secret key in PEM: PKCS #8, not encrypted."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(public: bytes) -> bytes:
    """A public key in PEM: SubjectPublicKeyInfo."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_der(public: bytes) -> bytes:
    """A public key in DER: SubjectPublicKeyInfo."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def seed_in(pem: bytes) -> bytes:
    """The secret key in PEM.

    Raises:
        ValueError: if there is none that is ed25519 and not encrypted.
    """
    try:
        key = load_pem_private_key(pem, None)
    except (TypeError, UnsupportedAlgorithm) as error:  # encrypted, or of no kind known here
        raise ValueError(str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("a key of another kind")
    return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def public_in(pem: bytes) -> bytes:
    """The public key in PEM.

    Raises:
        ValueError: if there is none that is ed25519.
    """
    try:
        key = load_pem_public_key(pem)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("a key of another kind")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
