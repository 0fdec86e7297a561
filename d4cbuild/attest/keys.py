"""Keys (ed25519): made, written, read, and used. Whoever holds one is a *builder* with a name.

What needs :mod:`d4cbuild.attest.ed25519` imports it late: most commands meet no signature.
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from d4cbuild.base.ambient import secret_bytes
from d4cbuild.base.limits import LIMITS
from d4cbuild.errors import InputError

SEED_BYTES = 32
MAXIMUM_KEY_FILE_BYTES = LIMITS.key_file_bytes
_BUILDER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_BUILDER_LINE = re.compile(rb"builder: ([^\r\n]*)\n")
_PREFIX = "ed25519:"


@dataclass(frozen=True)
class PublicKey:
    """A public key.

    Attributes:
        raw: Its 32 bytes.
    """

    raw: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read ``ed25519:`` and base64, as :attr:`text` writes it.

        Raises:
            InputError: if the text is not of that form.
        """
        try:
            key = cls(base64.b64decode(text.removeprefix(_PREFIX), validate=True))
        except ValueError as error:
            raise _no_key(text) from error
        if len(key.raw) != SEED_BYTES or key.text != text:
            raise _no_key(text)
        return key

    @property
    def text(self) -> str:
        """The key in one line, as it stands in ``trust.toml``."""
        return _PREFIX + base64.b64encode(self.raw).decode()

    @property
    def pem(self) -> bytes:
        """The key as other programs read it."""
        from d4cbuild.attest import ed25519

        return ed25519.public_pem(self.raw)

    @property
    def key_id(self) -> str:
        """SHA-256 of the key's SubjectPublicKeyInfo, in hex."""
        from d4cbuild.attest import ed25519

        return sha256(ed25519.public_der(self.raw)).hexdigest()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether a signature of a message was made with this key."""
        from d4cbuild.attest import ed25519

        return ed25519.verifies(self.raw, signature, message)


@dataclass(frozen=True, repr=False)
class SigningKey:
    """A private key and the name of who holds it. Never shown, also not in a traceback.

    Attributes:
        builder: The builder's name.
        seed: The 32 secret bytes.
    """

    builder: str
    seed: bytes

    @property
    def public(self) -> PublicKey:
        """The public half."""
        from d4cbuild.attest import ed25519

        return PublicKey(ed25519.public_of(self.seed))

    @property
    def pem(self) -> bytes:
        """The key as other programs read it: PKCS #8, not encrypted."""
        from d4cbuild.attest import ed25519

        return ed25519.private_pem(self.seed)

    def sign(self, message: bytes) -> bytes:
        """Sign. The same message always gets the same signature."""
        from d4cbuild.attest import ed25519

        return ed25519.sign(self.seed, message)


def new_key(builder: str) -> SigningKey:
    """Make a key.

    Args:
        builder: The name of who will hold it.

    Raises:
        InputError: if that is no name.
    """
    return SigningKey(_builder(builder, None), secret_bytes(SEED_BYTES))


def write_key(key: SigningKey, path: Path) -> Path:
    """Write a private key, readable by its owner only, and the public key beside it.

    Returns:
        Where the public key is: the same name with ``.pub``.

    Raises:
        InputError: if one of the files is there already; a key is never overwritten.
    """
    public = path.with_name(path.name + ".pub")
    for each in (path, public):
        if each.is_symlink() or each.exists():
            raise InputError(
                "a key is never overwritten", found="a file", where=str(each),
                hint="name another file",
            )  # fmt: skip
    header = f"builder: {key.builder}\n".encode()
    _write_new(path, header + key.pem, 0o600)
    _write_new(public, header + key.public.pem, 0o644)
    return public


def _write_new(path: Path, data: bytes, mode: int) -> None:
    # Opened with its final permissions: at no moment may others read a private key.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read_signing_key(path: Path) -> SigningKey:
    """Read a private key.

    Raises:
        InputError: if it is none, or others may read it.
    """
    from d4cbuild.attest import ed25519

    data = _read(path)
    if path.stat().st_mode & 0o077:
        raise InputError(
            "other users may read the private key",
            expected="mode 0600",
            found=f"mode {path.stat().st_mode & 0o7777:04o}",
            where=str(path),
            hint=f"chmod 600 {path}",
        )
    builder, pem = _parts(data, path)
    try:
        return SigningKey(builder, ed25519.seed_in(pem))
    except ValueError as error:
        raise _unreadable(path, "a private ed25519 key in PEM (PKCS #8)") from error


def read_public_key(path: Path) -> tuple[str, PublicKey]:
    """Read the builder's name and the public key from a file with either half.

    Raises:
        InputError: if there is no key in it.
    """
    from d4cbuild.attest import ed25519

    data = _read(path)
    if b"PRIVATE KEY" in data:
        key = read_signing_key(path)
        return key.builder, key.public
    builder, pem = _parts(data, path)
    try:
        return builder, PublicKey(ed25519.public_in(pem))
    except ValueError as error:
        raise _unreadable(path, "a public ed25519 key in PEM") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAXIMUM_KEY_FILE_BYTES)
    except OSError as error:
        raise InputError(
            "the key cannot be read",
            found=str(error.strerror),
            where=str(path),
            hint=f"d4cbuild key new {path} --builder NAME",
        ) from error


def _parts(data: bytes, path: Path) -> tuple[str, bytes]:
    match = _BUILDER_LINE.match(data)
    if match is None:
        raise _unreadable(path, "a first line such as: builder: my-name")
    return _builder(match[1].decode(errors="replace"), path), data[match.end() :]


def _builder(name: str, path: Path | None) -> str:
    if _BUILDER.fullmatch(name) is None:
        raise InputError(
            "not a builder's name",
            expected="a-z and 0-9, parted by '-'",
            found=repr(name[:80]),
            where=None if path is None else str(path),
            hint="use a name such as my-organisation",
        )
    return name


def _unreadable(path: Path, expected: str) -> InputError:
    return InputError(
        "this is not a key that d4cbuild can use",
        expected=expected,
        where=str(path),
        hint="d4cbuild key new FILE --builder NAME",
    )


def _no_key(text: str) -> InputError:
    return InputError(
        "not a public key",
        expected="ed25519: and 44 characters of base64",
        found=repr(text[:80]),
        hint="d4cbuild key show FILE",
    )
