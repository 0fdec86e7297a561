"""A second implementation of the spec's section on bytes, to compare with the first."""

from hashlib import sha256

from d4cbuild.base.progress import Silence
from d4cbuild.environment.images import ensure_image
from d4cbuild.environment.oci import layer_chunks
from d4cbuild.environment.wholeness import read_layers
from d4cbuild.store.store import Store

from .tiny import TinyEnvironment


def header(name: str, kind: bytes, mode: int = 0, size: int = 0, target: str = "") -> bytes:
    def text(value: str, width: int) -> bytes:
        return value.encode("ascii", "replace")[:width].ljust(width, b"\0")

    def number(value: int, width: int) -> bytes:
        return f"{value:0{width - 1}o}".encode() + b"\0"

    front = text(name, 100) + number(mode, 8) + number(0, 8) + number(0, 8)
    front += number(size, 12) + number(0, 12)
    back = kind + text(target, 100) + b"ustar\x0000" + b"\0" * 247
    checksum = sum(front) + sum(back) + 8 * ord(" ")
    return front + f"{checksum:06o}".encode() + b"\0 " + back


def record(key: str, value: str) -> bytes:
    rest = f" {key}={value}\n".encode()
    length = len(rest)
    while len(str(length)) + len(rest) != length:
        length += 1
    return str(length).encode() + rest


def padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 512)


def entry(name: str, kind: bytes, mode: int, data: bytes, target: str) -> bytes:
    records = b"".join(
        record(key, value)
        for key, value in (("path", name), ("linkpath", target))
        if not value.isascii() or len(value.encode()) > 100
    )
    extended = header("././@PaxHeader", b"x", size=len(records)) + padded(records)
    return (
        (extended if records else b"") + header(name, kind, mode, len(data), target) + padded(data)
    )


def test_a_layer_is_written_as_the_spec_says(tiny: TinyEnvironment, store: Store) -> None:
    image = ensure_image(tiny.folder, store, Silence())
    for layer in read_layers(image.root.parent):
        mine = b""
        for each in layer.entries:
            place = image.root / each.path
            if each.kind == "directory":
                mine += entry(f"{each.path}/", b"5", each.mode, b"", "")
            elif each.kind == "link":
                mine += entry(each.path, b"2", 0o777, b"", str(place.readlink()))
            else:
                mine += entry(each.path, b"0", each.mode, place.read_bytes(), "")
        mine += b"\0" * 1024
        assert mine == b"".join(layer_chunks(image.root, layer.entries))
        assert sha256(mine).hexdigest() == layer.locked.sha256.hex
        assert len(mine) == layer.locked.size
