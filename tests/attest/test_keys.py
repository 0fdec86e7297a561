"""Keys: how they are written, and what is refused as one."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest

from d4cbuild.attest.ed25519 import public_in
from d4cbuild.attest.keys import (
    PublicKey,
    SigningKey,
    new_key,
    read_public_key,
    read_signing_key,
    write_key,
)
from d4cbuild.errors import InputError

# RFC 8032, section 7.1, test 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
SIGNATURE = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_a_key_signs_as_the_standard_says() -> None:
    key = SigningKey("someone", SEED)
    assert key.public.raw.hex() == PUBLIC
    assert key.sign(b"\x72").hex() == SIGNATURE
    assert key.public.verifies(bytes.fromhex(SIGNATURE), b"\x72")
    assert not key.public.verifies(bytes.fromhex(SIGNATURE), b"\x73")


def test_a_written_key_is_read_again_and_only_its_owner_may(tmp_path: Path) -> None:
    key = new_key("some-one")
    public = write_key(key, tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert read_signing_key(tmp_path / "key") == key
    assert read_public_key(public) == read_public_key(tmp_path / "key") == ("some-one", key.public)
    assert PublicKey.parse(key.public.text) == key.public
    assert b"PRIVATE" not in public.read_bytes()


def test_every_key_is_another_one() -> None:
    assert len({new_key("a").seed for _ in range(20)}) == 20


def test_a_key_is_never_shown_in_a_traceback() -> None:
    key = new_key("a")
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)


def test_openssl_reads_the_key_and_gives_the_same_key_id(tmp_path: Path) -> None:
    key = new_key("some-one")
    public = write_key(key, tmp_path / "key")
    for path, more in ((public, ["-pubin"]), (tmp_path / "key", ["-pubout"])):
        command = ["openssl", "pkey", "-in", str(path), *more, "-pubout", "-outform", "DER"]
        der = subprocess.run(command, capture_output=True, check=True).stdout
        assert hashlib.sha256(der).hexdigest() == key.public.key_id


@pytest.mark.parametrize("there", ["key", "key.pub"])
def test_a_key_is_never_overwritten(there: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("precious")
    with pytest.raises(InputError, match="never overwritten"):
        write_key(new_key("a"), tmp_path / "key")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_a_private_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    write_key(new_key("a"), tmp_path / "key")
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(InputError, match="other users") as caught:
        read_signing_key(tmp_path / "key")
    assert caught.value.hint == f"chmod 600 {tmp_path / 'key'}"


def rsa_key() -> bytes:
    command = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def pem(label: str, der: str) -> bytes:
    text = base64.b64encode(bytes.fromhex(der)).decode()
    return f"-----BEGIN {label}-----\n{text}\n-----END {label}-----\n".encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"builder: a\n",
        b"builder: a\nnonsense",
        b"builder: A B\n" + new_key("a").pem,
        new_key("a").pem,
        b"builder: a\n" + new_key("a").public.pem,
        b"builder: a\n" + rsa_key(),
        b"builder: a\n" + pem("PRIVATE KEY", "300e 020100 3005 0603 2a0304 0402 0001"),
        b"builder: \xff\n" + new_key("a").pem,
    ],
    ids=[
        "empty", "no key", "nonsense", "name", "nobody's", "public", "rsa", "unknown kind",
        "not text",
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(InputError):
        read_signing_key(path)


@pytest.mark.parametrize(
    "text", ["", "ed25519:", "ed25519:AAAA", "rsa:AAAA", "ed25519:" + "A" * 42 + "B=", "ed25519:é"]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a public key"):
        PublicKey.parse(text)


def test_what_is_no_ed25519_key_in_pem_is_refused() -> None:
    # Of an algorithm with the object identifier 1.2.3.4.
    unknown = pem("PUBLIC KEY", "300b 3005 0603 2a0304 0302 0001")
    for given in (b"", b"nonsense", new_key("a").pem, unknown):
        with pytest.raises(ValueError, match=r"."):
            public_in(given)


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a--b", "a/b", "é", "a\n"])
def test_what_is_no_builders_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="builder's name"):
        new_key(name)
