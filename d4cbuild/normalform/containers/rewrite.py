"""From any file to its container's one form, decided by what the file begins with."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.normalform.containers import geopackage, geotiff, gzips, tars, zips
from d4cbuild.normalform.containers.blocks import BLOCK_BYTES
from d4cbuild.normalform.containers.kept import Kept

HEAD_BYTES = 512
GZIP = "d4c.gzip/1"
_REWRITERS: dict[str, Callable[[Path, Path], None]] = {
    "d4c.zip/1": zips.rewrite_zip,
    "d4c.tar/1": tars.rewrite_tar,
    "d4c.geopackage/1": geopackage.rewrite_geopackage,
    "d4c.geotiff/1": geotiff.rewrite_geotiff,
}


@dataclass(frozen=True)
class Rewriting:
    """What was done with a file.

    Attributes:
        rewritten: Names of the rewrites, from the outside in; empty if none was done.
        kept: Why a known container was kept as it was, or what is in it; none if neither.
    """

    rewritten: tuple[str, ...] = ()
    kept: str | None = None


def kind_of(head: bytes) -> str | None:
    """The name of the rewrite for a file, or ``None`` if there is none.

    Args:
        head: The file's first :data:`HEAD_BYTES` bytes.
    """
    if head.startswith(zips.MAGICS):
        return "d4c.zip/1"
    if head.startswith(gzips.MAGIC):
        return GZIP
    if geopackage.is_geopackage(head):
        return "d4c.geopackage/1"
    if head.startswith(geotiff.MAGICS):
        return "d4c.geotiff/1"
    return "d4c.tar/1" if tars.is_tar(head) else None


def rewrite_container(source: Path, target: Path) -> Rewriting:
    """Write a container in its one form.

    Args:
        source: Any file.
        target: The file to write. It is there afterwards only if something was rewritten.

    Raises:
        OSError: if there is no room for it, for one.
    """
    with source.open("rb") as stream:
        kind = kind_of(stream.read(HEAD_BYTES))
    if kind is None:
        return Rewriting()
    try:
        if kind == GZIP:
            return _rewrite_gzip(source, target)
        _REWRITERS[kind](source, target)
        return Rewriting((kind,))
    except Kept as reason:
        target.unlink(missing_ok=True)
        return Rewriting(kept=str(reason))
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _rewrite_gzip(source: Path, target: Path) -> Rewriting:
    chunks = gzips.unpacked(source)
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    # What lies deeper is not looked at: gzip within gzip is someone's intention.
    rewriter = _REWRITERS.get(kind_of(head[:HEAD_BYTES]) or "")
    if rewriter is None:
        gzips.write_gzip(_chain(head, chunks), target)
        return Rewriting((GZIP,))
    with tempfile.TemporaryDirectory(prefix="d4c-rewrite-", dir=target.parent) as folder:
        inner, made = Path(folder, "inner"), Path(folder, "made")
        with inner.open("wb") as stream:
            for chunk in _chain(head, chunks):
                stream.write(chunk)
        found = rewrite_container(inner, made)
        with (made if found.rewritten else inner).open("rb") as stream:
            gzips.write_gzip(iter(lambda: stream.read(BLOCK_BYTES), b""), target)
        kept = None if found.kept is None else f"what is in it is kept: {found.kept}"
        return Rewriting((GZIP, *found.rewritten), kept)


def _chain(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks
