"""Git bundles made to harm: refused, quickly, with little on the disk."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.code.gitbundle import SIGNATURE, history_of
from d4cbuild.code.gitbundle_reading import code_in_bundle
from d4cbuild.errors import InputError
from tests.repository import Repository

KINDS = {"commit": 1, "tree": 2, "blob": 3}
Object = tuple[str, bytes]


def name_of(kind: str, data: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data).hexdigest()  # noqa: S324 - as git does


def stored(data: bytes) -> bytes:
    """A zlib stream as we write it; for data of one block."""
    size = len(data).to_bytes(2, "little")
    flipped = (len(data) ^ 0xFFFF).to_bytes(2, "little")
    return b"\x78\x01\x01" + size + flipped + data + zlib.adler32(data).to_bytes(4)


def start(kind: int, size: int) -> bytes:
    """An object's header in a pack."""
    first, rest = (kind << 4) | (size & 0x0F), size >> 4
    head = bytearray()
    while rest:
        head.append(first | 0x80)
        first, rest = rest & 0x7F, rest >> 7
    return bytes([*head, first])


def packed(kind: str, data: bytes) -> bytes:
    return start(KINDS[kind], len(data)) + stored(data)


def bundle_of(commit: str, parts: Iterable[bytes], *, count: int | None = None) -> bytes:
    """A git bundle of objects that are packed already."""
    chosen = list(parts)
    number = len(chosen) if count is None else count
    pack = b"PACK\0\0\0\2" + number.to_bytes(4) + b"".join(chosen)
    head = f"{SIGNATURE}{commit} refs/heads/main\n{commit} HEAD\n\n".encode()
    return head + pack + hashlib.sha1(pack).digest()  # noqa: S324 - as git does


def tree_of(*entries: tuple[str, str, str]) -> Object:
    """A tree of modes, names and hexadecimal names of objects, as it is told."""
    return "tree", b"".join(
        f"{mode} {name}\0".encode("utf-8", "surrogateescape") + bytes.fromhex(to)
        for mode, name, to in entries
    )


def commit_of(tree: str, parent: str = "") -> Object:
    who = "A <a@example.invalid> 0 +0000"
    above = f"parent {parent}\n" if parent else ""
    return "commit", f"tree {tree}\n{above}author {who}\ncommitter {who}\n\nx\n".encode()


BLOB: Object = ("blob", b"print('hello')\n")
FILE = name_of(*BLOB)
CODE = tree_of(("100644", "process.py", FILE))
COMMIT = commit_of(name_of(*CODE))
GOOD = (COMMIT, CODE, BLOB)


def read(folder: Path, data: bytes, commit: Object = COMMIT, tree: Object = CODE) -> None:
    """Read a bundle of a commit whose code is in a tree."""
    path = folder / "history"
    path.write_bytes(data)
    code_in_bundle(path, name_of(*commit), name_of(*tree), folder / "objects")


def refused(folder: Path, data: bytes, commit: Object = COMMIT, tree: Object = CODE) -> None:
    """Read a bundle that must be refused, and look at what it left."""
    with pytest.raises(InputError):
        read(folder, data, commit, tree)
    left = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert left < len(data) + 2_000_000


def of(*objects: Object, commit: Object = COMMIT) -> bytes:
    return bundle_of(name_of(*commit), [packed(*each) for each in objects])


def test_a_good_one_is_read(tmp_path: Path) -> None:
    read(tmp_path, of(*GOOD))


OTHER: Object = ("blob", b"other\n")
BOMB = zlib.compress(bytes(1 << 28), 9)
TRICKS = {
    "wrong order": of(CODE, COMMIT, BLOB),
    "something besides": of(*GOOD, OTHER),
    "an object twice": of(*GOOD, BLOB),
    "too many announced": bundle_of(name_of(*COMMIT), (packed(*o) for o in GOOD), count=4),
    "too few announced": bundle_of(name_of(*COMMIT), (packed(*o) for o in GOOD), count=2),
    "billions announced": bundle_of(name_of(*COMMIT), [], count=0xFFFFFFFF),
    "no objects": bundle_of(name_of(*COMMIT), []),
    "no commit": of(CODE, BLOB),
    "no tree": of(COMMIT, BLOB),
    "no blob": of(COMMIT, CODE),
    "a delta by offset": bundle_of(name_of(*COMMIT), [start(6, 4) + b"\5" + stored(b"abcd")]),
    "a delta by name": bundle_of(name_of(*COMMIT), [start(7, 4) + bytes(20) + stored(b"abcd")]),
    "a tag": bundle_of(name_of(*COMMIT), [start(4, 4) + stored(b"abcd")]),
    "kind 0": bundle_of(name_of(*COMMIT), [start(0, 4) + stored(b"abcd")]),
    "a huge size": bundle_of(name_of(*COMMIT), [start(3, 1 << 60) + stored(b"abcd")]),
    "an endless size": bundle_of(name_of(*COMMIT), [b"\xb0" + b"\xff" * 100]),
    "a bomb": bundle_of(name_of(*COMMIT), [start(3, 1 << 28) + BOMB]),
    "many bombs": bundle_of(name_of(*COMMIT), [start(3, 1 << 28) + BOMB] * 50),
    "a bomb of another size": bundle_of(name_of(*COMMIT), [start(3, 4) + BOMB]),
    "compressed": bundle_of(
        name_of(*COMMIT), [start(KINDS[k], len(d)) + zlib.compress(d) for k, d in GOOD]
    ),
    "data after the objects": bundle_of(
        name_of(*COMMIT), [*(packed(*each) for each in GOOD), b"more"], count=3
    ),
    "another kind than named": bundle_of(
        name_of(*COMMIT), [packed(*COMMIT), packed("blob", CODE[1]), packed(*BLOB)]
    ),
    "cut": of(*GOOD)[:-30],
    "more": of(*GOOD) + b"x",
    "empty": b"",
    "first line": SIGNATURE.encode(),
    "version 3": of(*GOOD).replace(b"v2", b"v3"),
    "other references": of(*GOOD).replace(b"refs/heads/main", b"refs/heads/../../x"),
    "a prerequisite": of(*GOOD).replace(b"\n", b"\n-" + b"0" * 40 + b" x\n", 1),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_is_refused(tmp_path: Path, trick: str) -> None:
    refused(tmp_path, TRICKS[trick])


def _ordered(*objects: Object) -> list[Object]:
    return sorted({*objects}, key=lambda each: (KINDS[each[0]], name_of(*each)))


def _of_tree(*trees: Object) -> tuple[bytes, Object]:
    """A bundle of a commit of the last of some trees."""
    commit = commit_of(name_of(*trees[-1]))
    return of(*_ordered(commit, *trees, BLOB), commit=commit), commit


@pytest.mark.parametrize(
    "tree",
    [
        tree_of(("120000", "process.py", FILE)),
        tree_of(("160000", "process.py", FILE)),
        tree_of(("100644", "\udcff\udcfe", FILE)),
        tree_of(("100644", "", FILE)),
        tree_of(("40000", "folder", FILE)),
        tree_of(("100644", "file", "0" * 40)),
        ("tree", b"nonsense"),
        ("tree", b"100644 a\0short"),
        ("tree", b"9" * 100 + b" a\0" + bytes(20)),
    ],
)
def test_a_tree_that_cannot_be_code_is_refused(tmp_path: Path, tree: Object) -> None:
    data, commit = _of_tree(tree)
    refused(tmp_path, data, commit, tree)


@pytest.mark.parametrize("leaf", [CODE, ("tree", b"")])
def test_trees_that_hold_each_other_many_times_are_refused(tmp_path: Path, leaf: Object) -> None:
    trees = [leaf]
    for _ in range(12):
        below = name_of(*trees[-1])
        trees.append(tree_of(*(("40000", f"{number:02}", below) for number in range(16))))
    data, commit = _of_tree(*trees)
    refused(tmp_path, data, commit, trees[-1])


def test_folders_too_deep_to_walk_are_refused(tmp_path: Path) -> None:
    trees = [CODE]
    for _ in range(3000):
        trees.append(tree_of(("40000", "d", name_of(*trees[-1]))))
    data, commit = _of_tree(*trees)
    refused(tmp_path, data, commit, trees[-1])


@pytest.mark.parametrize("text", [b"", b"tree x\n", b"tree " + b"0" * 40 + b"\n", b"\xff" * 100])
def test_a_commit_that_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    commit: Object = ("commit", text)
    refused(tmp_path, of(commit, CODE, BLOB, commit=commit), commit)


def test_a_parent_that_is_missing_or_no_commit_is_refused(tmp_path: Path) -> None:
    for parent in ("1" * 40, name_of(*CODE)):
        commit = commit_of(name_of(*CODE), parent)
        folder = tmp_path / parent[:4]
        folder.mkdir()
        refused(folder, of(commit, CODE, BLOB, commit=commit), commit)


@settings(max_examples=60)
@given(data=st.data())
def test_any_change_is_refused_though_the_sum_is_right(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = of(*GOOD)[:-20]
    pack = whole.index(b"PACK")
    at = data.draw(st.integers(pack, len(whole) - 1))
    cut = data.draw(st.integers(0, 8))
    more = data.draw(st.binary(max_size=8))
    changed = whole[:at] + more + whole[at + cut :]
    folder = tmp_path_factory.mktemp("changed")
    whole_again = changed + hashlib.sha1(changed[pack:]).digest()  # noqa: S324 - as git does
    if changed != whole:
        refused(folder, whole_again)


def test_what_is_written_of_a_repository_is_read(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "project")
    for text in (b"", b"x" * 70_000, b"one", b"two"):
        repository.write({"process.py": text, "a/b.py": text})
        commit = repository.commit()
    history = history_of(repository.folder, commit)
    assert history is not None
    path = tmp_path / "history"
    path.write_bytes(b"".join(history.chunks()))
    tree = repository.git("rev-parse", "HEAD:recipes/r")
    code = code_in_bundle(path, commit, tree, tmp_path / "objects")
    assert code == repository.committed()
