"""Whether an image in the store is still what its name says.

Everything follows from the name, which is the SHA-256 of the configuration: it names the layers,
they name every file. Reading all of it takes seconds, so the state of the files it was last read
with is kept beside it, as the store does for objects.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Final

from d4cbuild.base.digest import Digest
from d4cbuild.base.files import write_atomically
from d4cbuild.environment import oci
from d4cbuild.environment.tree import Entry, on_disk
from d4cbuild.errors import D4CError
from d4cbuild.model.environment import LockedLayer

STATE: Final = "state"


def render_layers(layers: tuple[oci.Layer, ...]) -> bytes:
    """The layers as ``index.json`` keeps them."""
    records = [
        {**layer.locked.as_json(), "entries": [astuple(entry) for entry in layer.entries]}
        for layer in layers
    ]
    return json.dumps(records, ensure_ascii=True, separators=(",", ":")).encode()


def read_layers(folder: Path) -> tuple[oci.Layer, ...]:
    """Read the layers of an image in the store.

    Args:
        folder: The image's folder.
    """
    records = json.loads((folder / "index.json").read_bytes())
    return tuple(
        oci.Layer(
            LockedLayer(
                name=record["name"], sha256=Digest.parse(record["sha256"]), size=record["size"]
            ),
            tuple(Entry(*values) for values in record["entries"]),
        )
        for record in records
    )


def fault_of(folder: Path) -> str | None:
    """What is wrong with an image, by its name; ``None`` if nothing is. Reads every file again.

    Args:
        folder: ``images/<config>``.
    """
    try:
        return _fault(folder)
    except D4CError as error:
        return f"{error.message}: {error.where}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"it cannot be read: {error}"


def _fault(folder: Path) -> str | None:
    root, layers = folder / "root", read_layers(folder)
    config = (folder / "config.json").read_bytes()
    if oci.sha256_of(config).hex != folder.name:
        return "its configuration is another"
    for layer in layers:
        if oci.make_layer(layer.locked.name, root, layer.entries).locked != layer.locked:
            return f"layer {layer.locked.name!r} is other than it was"
    locked = tuple(layer.locked for layer in layers)
    if oci.image_config(locked) != config:
        return "its layers are others"
    if oci.image_manifest(locked, config) != (folder / "manifest.json").read_bytes():
        return "its manifest is another"
    return _other_file(root, {entry.path: entry for layer in layers for entry in layer.entries})


def _other_file(root: Path, entries: dict[str, Entry]) -> str | None:
    """A file with another mode or time than a layer gives it, or that is in no layer."""
    known = {os.fsencode(on_disk(root, path)): entry for path, entry in entries.items()}
    for path, state in _below(os.fsencode(root)):
        entry = known.get(path)
        name = os.fsdecode(path)
        if entry is None:
            return f"{name} is not of it"
        if state.st_mtime_ns != 0:
            return f"{name} was written to"
        if entry.kind != "link" and stat.S_IMODE(state.st_mode) != entry.mode:
            return f"{name} has mode {stat.S_IMODE(state.st_mode):04o}, not {entry.mode:04o}"
    return None


def is_as_left(folder: Path) -> bool:
    """Whether every file has the state it had when the image was last read."""
    try:
        return (folder / STATE).read_bytes() == _state(folder).encode()
    except OSError:
        return False


def note_state(folder: Path) -> None:
    """Remember the state of every file of an image that was just written or read."""
    with suppress(OSError):  # in another user's store: then it is read anew each time
        write_atomically(folder / STATE, _state(folder).encode())


def _state(folder: Path) -> str:
    # By path, whatever the order in which the folders are listed, and wherever the store lies.
    root = os.fsencode(folder / "root")
    lines = sorted(
        b"%s\0%d\0%d\0%d\0%d\0%d\n"
        % (
            path[len(root) :],
            each.st_mode,
            each.st_size,
            each.st_mtime_ns,
            each.st_ctime_ns,
            each.st_ino,
        )
        for path, each in _below(root)
    )
    for name in ("index.json", "config.json", "manifest.json"):
        each = (folder / name).stat()
        lines.append(b"%d\0%d\0%d\n" % (each.st_size, each.st_ctime_ns, each.st_ino))
    return hashlib.sha256(b"".join(lines)).hexdigest() + "\n"


def _below(root: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    waiting = [root]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry.path, entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
