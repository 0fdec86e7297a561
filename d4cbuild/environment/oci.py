"""A tree as OCI layers, configuration, manifest and archive: one byte string each."""

import hashlib
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from d4cbuild.base.archive import END_OF_ARCHIVE, padding, tar_header
from d4cbuild.base.canonical import canonical_json
from d4cbuild.base.digest import CHUNK_BYTES, Digest
from d4cbuild.environment import skeleton
from d4cbuild.environment.tree import Entry, utf8
from d4cbuild.errors import HashMismatch
from d4cbuild.model.environment import LockedLayer

CREATED: Final = "1970-01-01T00:00:00Z"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
_BLOBS = "blobs/sha256"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its digest and what it holds, to be written again as a stream at any time.

    Attributes:
        locked: Name, digest and size of the tar.
        entries: What it holds, sorted by the UTF-8 bytes of the path.
    """

    locked: LockedLayer
    entries: tuple[Entry, ...]


def layer_chunks(root: Path, entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the bytes of a layer's tar.

    Args:
        root: The unpacked root filesystem.
        entries: What the layer holds, sorted by the UTF-8 bytes of the path.
    """
    below = os.fsencode(root) + b"/"
    for entry in entries:
        if entry.kind == "file":
            yield tar_header(entry.path, size=entry.size, mode=entry.mode)
            yield from _contents(below + utf8(entry.path), entry.size)
            yield padding(entry.size)
        elif entry.kind == "directory":
            yield tar_header(entry.path, mode=entry.mode, kind=tarfile.DIRTYPE)
        else:
            yield tar_header(
                entry.path, mode=entry.mode, kind=tarfile.SYMTYPE, linkname=entry.target
            )
    yield END_OF_ARCHIVE


def _contents(path: bytes, size: int) -> Iterator[bytes]:
    # Of thousands of small files: opened, read once, closed.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        left = size
        while left and (chunk := os.read(descriptor, min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk
    finally:
        os.close(descriptor)
    if left:
        raise HashMismatch(
            "a file of an assembled environment is shorter than it was",
            expected=f"{size} bytes",
            found=f"{size - left} bytes",
            where=os.fsdecode(path),
            hint="d4cbuild store verify",
        )


def make_layer(name: str, root: Path, entries: Iterable[Entry]) -> Layer:
    """Compute a layer's digest and size."""
    kept = tuple(entries)
    hasher, size = hashlib.sha256(), 0
    for chunk in layer_chunks(root, kept):
        hasher.update(chunk)
        size += len(chunk)
    digest = Digest("sha256", hasher.hexdigest())
    return Layer(LockedLayer(name=name, sha256=digest, size=size), kept)


def image_config(layers: Iterable[LockedLayer]) -> bytes:
    """Return the OCI image configuration; its SHA-256 is Docker's image ID."""
    kept = tuple(layers)
    return canonical_json(
        {
            "architecture": "amd64",
            "config": {
                "Cmd": list(skeleton.COMMAND),
                "Env": list(skeleton.IMAGE_VARIABLES),
                "User": skeleton.USER,
                "WorkingDir": skeleton.WORKING_DIRECTORY,
            },
            "created": CREATED,
            "history": [
                {"created": CREATED, "created_by": f"d4cbuild: {layer.name}"} for layer in kept
            ],
            "os": "linux",
            "rootfs": {"diff_ids": [str(layer.sha256) for layer in kept], "type": "layers"},
        }
    )


def image_manifest(layers: Iterable[LockedLayer], config: bytes) -> bytes:
    """Return the OCI image manifest; its SHA-256 is the ID with containerd's image store."""
    return canonical_json(
        {
            "config": _descriptor(_CONFIG_TYPE, sha256_of(config), len(config)),
            "layers": [_descriptor(_LAYER_TYPE, each.sha256, each.size) for each in layers],
            "mediaType": _MANIFEST_TYPE,
            "schemaVersion": 2,
        }
    )


def archive_chunks(
    name: str, root: Path, layers: Iterable[Layer], config: bytes, manifest: bytes
) -> Iterator[bytes]:
    """Yield one tar that is an OCI image layout and what ``docker save`` writes, both.

    Args:
        name: The environment's name; the loaded image is tagged ``d4cbuild/<name>:<config>``.
        root: The unpacked root filesystem.
        layers: The layers, lowest first.
        config: The image configuration.
        manifest: The image manifest.
    """
    kept = tuple(layers)
    texts = _archive_texts(name, kept, config, manifest)
    streams = {f"{_BLOBS}/{each.locked.sha256.hex}": each for each in kept}
    folders = ["blobs", _BLOBS]
    for path in sorted([*texts, *streams, *folders], key=str.encode):
        if path in folders:
            yield tar_header(path, mode=0o755, kind=tarfile.DIRTYPE)
            continue
        size = streams[path].locked.size if path in streams else len(texts[path])
        yield tar_header(path, size=size)
        if path in streams:
            yield from layer_chunks(root, streams[path].entries)
        else:
            yield texts[path]
        yield padding(size)
    yield END_OF_ARCHIVE


def image_reference(name: str, config: Digest) -> str:
    """What the image is called after ``docker load``."""
    return f"d4cbuild/{name}:{config.short}"


def sha256_of(data: bytes) -> Digest:
    """SHA-256 of bytes in memory."""
    return Digest("sha256", hashlib.sha256(data).hexdigest())


def _archive_texts(
    name: str, layers: tuple[Layer, ...], config: bytes, manifest: bytes
) -> dict[str, bytes]:
    reference = image_reference(name, sha256_of(config))
    described = _descriptor(_MANIFEST_TYPE, sha256_of(manifest), len(manifest))
    described["annotations"] = {"org.opencontainers.image.ref.name": reference}
    described["platform"] = {"architecture": "amd64", "os": "linux"}
    docker = {
        "Config": f"{_BLOBS}/{sha256_of(config).hex}",
        "Layers": [f"{_BLOBS}/{each.locked.sha256.hex}" for each in layers],
        "RepoTags": [reference],
    }
    index = {"manifests": [described], "mediaType": _INDEX_TYPE, "schemaVersion": 2}
    return {
        f"{_BLOBS}/{sha256_of(config).hex}": config,
        f"{_BLOBS}/{sha256_of(manifest).hex}": manifest,
        "index.json": canonical_json(index),
        "manifest.json": canonical_json([docker]),
        "oci-layout": canonical_json({"imageLayoutVersion": "1.0.0"}),
    }


def _descriptor(media_type: str, digest: Digest, size: int) -> dict[str, Any]:
    return {"digest": str(digest), "mediaType": media_type, "size": size}
