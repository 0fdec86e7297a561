"""Archives made to harm: refused by name, with nothing written and little memory."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.base.archive import padding, tar_header
from d4cbuild.base.progress import Silence
from d4cbuild.bundle.archive import MAXIMUM_MEMBERS, Member, archive, read_archive
from d4cbuild.bundle.unpacking import unpacked
from d4cbuild.errors import InputError
from d4cbuild.store import Store
from tests.bundle.received import ARTIFACTS, Received, bundled, files_of, member
from tests.memory import PEAK_KB
from tests.project import Project
from tests.running import running

MTIME_S = 7
END = bytes(1024)


def header(name: str = "a.txt", size: int = 0, **fields: object) -> bytes:
    """A header as anybody's tar may write it, in GNU's format where nothing else is said."""
    info = tarfile.TarInfo(name)
    info.size = size
    info.mtime = MTIME_S
    form = fields.pop("format", tarfile.GNU_FORMAT)
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(form, "utf-8", "surrogateescape")  # type: ignore[arg-type]


def summed(block: bytes) -> bytes:
    """A header with the right checksum."""
    bare = block[:148] + b" " * 8 + block[156:]
    return block[:148] + b"%06o\0 " % sum(bare) + block[156:]


def with_field(start: int, value: bytes, block: bytes | None = None) -> bytes:
    """A header with other bytes in a field, and the right checksum."""
    old = header(size=3) if block is None else block
    return summed(old[:start] + value + old[start + len(value) :])


def record(key: str, value: str | bytes) -> bytes:
    """A record of an extended header."""
    raw = value.encode() if isinstance(value, str) else value
    rest = b" " + key.encode() + b"=" + raw + b"\n"
    length = next(n for n in range(len(rest), len(rest) + 9) if len(str(n)) + len(rest) == n)
    return str(length).encode() + rest


def extended(*records: bytes, size: int | None = None, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """An extended header, and the header of a file of three bytes."""
    data = b"".join(records)
    told = len(data) if size is None else size
    first = header("x", type=kind) if told < 0 else header("x", told, type=kind)
    return first + data + bytes(-len(data) % 512) + header(size=3)


def long_name(kind: bytes, name: bytes) -> bytes:
    """GNU's way to write a long name."""
    first = header("././@LongLink", len(name), type=kind)
    return first + name + bytes(-len(name) % 512) + header(size=3)


FILE = header("m.txt", 3, format=tarfile.PAX_FORMAT) + b"abc" + bytes(509)
DATA = b"abc" + bytes(509)


def plain(*names: str, mtime_s: int = MTIME_S) -> bytes:
    """Headers of empty files, as d4cbuild writes them."""
    return b"".join(header(name, format=tarfile.PAX_FORMAT, mtime=mtime_s) for name in names)


def of_kind(kind: bytes, linkname: str = "") -> bytes:
    return header(type=kind, linkname=linkname, format=tarfile.USTAR_FORMAT)


HOSTILE = {
    "symbolic link": of_kind(tarfile.SYMTYPE, "/etc/passwd"),
    "hard link": of_kind(tarfile.LNKTYPE, "../../etc/passwd"),
    "character device": of_kind(tarfile.CHRTYPE),
    "block device": of_kind(tarfile.BLKTYPE),
    "fifo": of_kind(tarfile.FIFOTYPE),
    "folder": of_kind(tarfile.DIRTYPE),
    "contiguous file": of_kind(tarfile.CONTTYPE),
    "old regular file": of_kind(tarfile.AREGTYPE),
    "unknown kind": of_kind(b"Z"),
    "volume label": of_kind(b"V"),
    "GNU long name": long_name(tarfile.GNUTYPE_LONGNAME, b"../../evil\0"),
    "GNU long link": long_name(tarfile.GNUTYPE_LONGLINK, b"../../evil\0"),
    "GNU sparse": of_kind(tarfile.GNUTYPE_SPARSE),
    "GNU format": header("a.txt", 3) + DATA,
    "path by pax": extended(record("path", "../../evil")) + DATA,
    "absolute path by pax": extended(record("path", "/tmp/evil")) + DATA,
    "good path by pax": extended(record("path", "b.txt")) + DATA,
    "size by pax": extended(record("size", "512")) + DATA,
    "huge size by pax": extended(record("size", str(1 << 62))) + DATA,
    "negative size by pax": extended(record("size", "-512")) + DATA,
    "no number by pax": extended(record("size", "many")) + DATA,
    "link by pax": extended(record("linkpath", "/etc/passwd")) + DATA,
    "infinite time by pax": extended(record("mtime", "inf")) + DATA,
    "no time by pax": extended(record("mtime", "nan")) + DATA,
    "owner by pax": extended(record("uid", "9" * 40)) + DATA,
    "sparse by pax": extended(record("GNU.sparse.major", "1"), record("GNU.sparse.minor", "0"))
    + DATA,
    "sparse map by pax": extended(
        record("GNU.sparse.size", "9" * 30), record("GNU.sparse.map", "0,1,x")
    )
    + DATA,
    "binary names by pax": extended(record("hdrcharset", "BINARY"), record("path", b"\xff")) + DATA,
    "nonsense in pax": header("x", 9, type=tarfile.XHDTYPE) + b"999999999" + bytes(503) + FILE,
    "zero length in pax": header("x", 9, type=tarfile.XHDTYPE) + b"0 path=a\n" + bytes(503) + FILE,
    "global pax": extended(record("path", "../../evil"), kind=tarfile.XGLTYPE) + DATA,
    "Solaris pax": extended(record("path", "../../evil"), kind=tarfile.SOLARIS_XHDTYPE) + DATA,
    "nested pax": header("x", 0, type=tarfile.XHDTYPE) * 3 + FILE,
    "pax of nothing": header("x", 0, type=tarfile.XHDTYPE) + FILE,
    "pax too large": header("x", 1 << 30, type=tarfile.XHDTYPE) + FILE,
    "pax of negative size": with_field(124, b"\xff" * 12, header("x", type=tarfile.XHDTYPE)) + FILE,
    "pax of endless size": with_field(124, b"\x80" + b"\xff" * 11, header("x", type=b"x")) + FILE,
    "absolute": plain("/etc/passwd"),
    "up": plain("../evil"),
    "up in the middle": plain("a/../../evil"),
    "here": plain("./a"),
    "double slash": plain("a//b"),
    "slash at the end": plain("a/"),
    "backslashes": plain("..\\..\\evil"),
    "drive": plain("C:\\evil"),
    "no name": with_field(0, bytes(100)),
    "two names, by NUL": with_field(0, b"good\0/../evil\0"),
    "control characters": plain("a\x1b[2J"),
    "line end": plain("a\nb"),
    "right to left": plain("a\u202egnp.sh"),
    "not UTF-8": with_field(0, b"\xff\xfe\0"),
    "surrogates": with_field(0, "\ud800".encode("utf-8", "surrogatepass") + b"\0"),
    "too long": plain("a/" * 600 + "a"),
    "too long a part": plain("a" * 256),
    "twice": plain("a", "a"),
    "wrong order": plain("b", "a"),
    "case": plain("A", "a"),
    "case of folders": plain("A", "a/b"),
    "sharp s": plain("STRASSE", "straße"),
    "accents": plain("e\u0301", "\u00e9"),
    "accents of folders": plain("e\u0301/a", "\u00e9"),
    "file and folder": plain("a", "a/b"),
    "folder and file": plain("A/b", "a"),
    "other owner": header(uid=1000, format=tarfile.PAX_FORMAT),
    "owner's name": header(uname="root", format=tarfile.PAX_FORMAT),
    "set user id": header(mode=0o4755, format=tarfile.PAX_FORMAT),
    "writable": header(mode=0o666, format=tarfile.PAX_FORMAT),
    "two times": plain("a") + plain("b", mtime_s=8),
    "time before 1970": plain("a", mtime_s=-1),
    "huge size": header(size=(1 << 33) - 1, format=tarfile.PAX_FORMAT),
    "huge size in pax": header(size=1 << 40, format=tarfile.PAX_FORMAT),
    "negative base-256 size": with_field(124, b"\xff" * 12),
    "base-256 size": with_field(124, b"\x80" + bytes(10) + b"\3") + DATA,
    "huge base-256 size": with_field(124, b"\x80" + b"\xff" * 11),
    "size with spaces": with_field(124, b"         3 \0 ") + DATA,
    "wrong checksum": header(format=tarfile.PAX_FORMAT)[:-1] + b"x",
    "data after the file": FILE[:-1] + b"x",
    "no tar": b"PK\3\4" * 128,
    "compressed": b"\x1f\x8b\x08" + bytes(509),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a tar is put; beside it is nothing, and must be nothing afterwards."""
    return tmp_path / "archive.tar"


def refused(place: Path, data: bytes) -> InputError:
    """Read an archive that must be refused."""
    place.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_archive(place)
    assert sorted(place.parent.iterdir()) == [place]
    assert caught.value.where == str(place)
    return caught.value


@pytest.mark.parametrize("trick", HOSTILE)
def test_a_trick_is_refused_alone_and_after_a_good_file(place: Path, trick: str) -> None:
    refused(place, HOSTILE[trick] + END)
    good = header("A", 3, format=tarfile.PAX_FORMAT) + DATA
    place.write_bytes(good + END)
    assert [each.name for each in read_archive(place)] == ["A"]
    refused(place, good + HOSTILE[trick] + END)


def test_an_archive_that_is_cut_anywhere_or_goes_on_is_refused(place: Path) -> None:
    members = [member("a", b"x" * 600), member("b" * 200, b""), member("c", b"y")]
    whole = b"".join(archive(members, MTIME_S))
    for length in range(0, len(whole), 128):
        refused(place, whole[:length])
    for more in (b"x", b"\0", bytes(512), bytes(1024), FILE, whole):
        refused(place, whole + more)
    place.write_bytes(whole)
    assert len(read_archive(place)) == len(members)


def test_too_many_files_are_refused_before_they_fill_the_memory(place: Path) -> None:
    first = header("0" * 6, format=tarfile.PAX_FORMAT)
    blank = sum(first[6:148]) + sum(b" " * 8) + sum(first[156:])
    with place.open("wb") as stream:
        for number in range(2 * MAXIMUM_MEMBERS):
            name = b"%06d" % number
            checksum = b"%06o\0 " % (blank + sum(name))
            stream.write(name + first[6:148] + checksum + first[156:])
        stream.write(END)
    program = (
        "import pathlib, sys\n"
        "from d4cbuild.bundle.archive import read_archive\n"
        "from d4cbuild.errors import InputError\n"
        "try: read_archive(pathlib.Path(sys.argv[1]))\n"
        "except InputError as error: print(error.expected)\n"
        f"print({PEAK_KB})\n"
    )
    command = [sys.executable, "-c", program, str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    expected, peak = done.stdout.splitlines()
    assert expected == f"at most {MAXIMUM_MEMBERS} files, whole"
    assert int(peak) < 200_000  # kB


GOOD = b"".join(
    archive(
        [
            member("a.txt", b"x" * 600),
            member("b/" + "d" * 180, b"y"),
            member("c/\u00e9", b""),
            Member("run.sh", 512, lambda: (b"z" * 512,), executable=True),
        ],
        MTIME_S,
    )
)
BLOCKS = len(GOOD) // 512
INTERESTING = st.sampled_from(
    [
        b"\xff" * 12,
        b"\x80" + b"\xff" * 11,
        b"0" * 11 + b"\0",
        b"\xff" * 11 + b"\0",
        b"/",
        b"..",
        b"\0",
    ]
)
FIELDS = (0, 100, 108, 116, 124, 136, 148, 156, 157, 257, 263, 265, 329, 345)


def _write_field(data: bytes, block: int, field: int, value: bytes) -> bytes:
    start = block * 512
    return data[:start] + with_field(field, value, data[start : start + 512]) + data[start + 512 :]


blocks = st.integers(0, BLOCKS - 1)
places = st.integers(0, len(GOOD))
mutations: st.SearchStrategy[bytes] = st.one_of(
    st.builds(
        lambda at, value: GOOD[:at] + value + GOOD[at + len(value) :],
        st.integers(0, len(GOOD) - 1),
        st.binary(min_size=1, max_size=40),
    ),
    st.builds(
        lambda block, field, value: _write_field(GOOD, block, field, value),
        blocks,
        st.sampled_from(FIELDS) | st.integers(0, 500),
        INTERESTING | st.binary(min_size=1, max_size=12),
    ),
    st.builds(
        lambda at, more: GOOD[:at] + more + GOOD[at:], st.integers(0, len(GOOD)), INTERESTING
    ),
    st.builds(lambda at: GOOD[:at], places),
    st.builds(lambda one: GOOD[: one * 512] + GOOD[one * 512 + 512 :], blocks),
    st.builds(
        lambda at, one: GOOD[: at * 512] + GOOD[one * 512 : one * 512 + 512] + GOOD[at * 512 :],
        blocks,
        blocks,
    ),
    st.builds(
        lambda at, trick: GOOD[: at * 512] + HOSTILE[trick] + GOOD[at * 512 :],
        blocks,
        st.sampled_from(sorted(HOSTILE)),
    ),
)


@settings(max_examples=400)
@given(data=mutations)
def test_what_is_read_of_a_changed_archive_is_all_that_is_in_it(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.tar"
    path.write_bytes(data)
    try:
        found = read_archive(path)
    except InputError:
        return
    # No reader can find anything else in it: nothing is left that was not written from these.
    with tarfile.open(path) as other:
        mtime_s = int(other.next().mtime) if found else 0  # type: ignore[union-attr]
    assert b"".join(archive(found, mtime_s)) == data


@pytest.mark.parametrize("names", [("A", "a"), ("a", "a/b"), ("a\\b",), ("a\nb",), ("x" * 256,)])
def test_what_would_be_refused_is_not_written(names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="cannot go into a bundle"):
        b"".join(archive([member(name, b"") for name in names], 0))


# Whole bundles -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watched:
    """A folder that must stay as it is, but for the store."""

    root: Path
    before: dict[str, str]

    @classmethod
    def now(cls, root: Path) -> Watched:
        """What lies there now."""
        return cls(root, _tree(root))

    def check(self, stranger: Project) -> None:
        """Nothing was written; nothing was imported; nothing temporary is left."""
        assert _tree(self.root) == self.before
        assert list(stranger.store.glob("objects/*/*")) == []
        assert list((stranger.store / "tmp").iterdir()) == []
        assert list(self.root.rglob(".d4cbuild-*")) == []


def _tree(root: Path) -> dict[str, str]:
    return {
        str(path): "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if "strange-store" not in path.parts and not path.is_symlink()
    }


def _refused_whole(bundle: Received, stranger: Project, says: str) -> None:
    watched = Watched.now(bundle.folder.parent)
    for command in (
        ("verify", str(bundle.folder)),
        ("bundle", str(bundle.folder), "--output", str(stranger.root / "out")),
    ):
        answer = stranger.run(*command)
        assert answer.status in (2, 64), answer.err
        assert says in answer.err
        assert "Traceback" not in answer.err
        watched.check(stranger)


@pytest.mark.parametrize(
    "trick",
    ["symbolic link", "path by pax", "GNU long name", "absolute", "up", "case", "GNU sparse"],
)
def test_a_bundle_with_a_trick_in_its_source_artifacts_is_refused(
    received: Received, stranger: Project, trick: str
) -> None:
    path = received.folder / ARTIFACTS
    path.write_bytes(HOSTILE[trick] + path.read_bytes())
    received.sum_up()
    _refused_whole(received, stranger, ARTIFACTS)


@pytest.mark.parametrize(
    "name",
    [
        "code/.git/config",
        "code/inner/.GIT/config",
        "recipe/.git/config",
        "code/recipe.toml",
        "code/sources/places.csv",
        "recipe/process.py",
        "environment/more.toml",
        "../outside",
        "lib/other.py",
    ],
)
def test_files_that_no_bundle_has_are_refused(
    received: Received, stranger: Project, name: str
) -> None:
    path = received.folder / ARTIFACTS
    entries = {each.name: each.data() for each in read_archive(path)}
    entries[name] = b"[core]\n"
    path.write_bytes(_tar(entries))
    received.sum_up()
    _refused_whole(received, stranger, ARTIFACTS)


def _tar(entries: dict[str, bytes]) -> bytes:
    """A tar of any names, in our form."""
    epoch = 0
    parts = [
        tar_header(name, size=len(data), mtime_s=epoch) + data + padding(len(data))
        for name, data in sorted(entries.items(), key=lambda each: each[0].encode())
    ]
    return b"".join([*parts, END])


@pytest.mark.parametrize("kind", ["sources", "packages"])
def test_a_fat_bundle_with_a_trick_or_other_bytes_in_an_archive_is_refused(
    fat: Path, stranger: Project, tmp_path: Path, built: Project, kind: str
) -> None:
    folder = tmp_path / "received"
    folder.mkdir()
    for path in fat.iterdir():
        os.link(path, folder / path.name)
    bundle = Received(folder, built)
    (place,) = folder.glob(f"*.{kind}.tar")
    whole = place.read_bytes()
    place.unlink()
    if kind == "sources":
        changes = [HOSTILE["hard link"] + whole, whole[:-512], END, _tar({"places.csv": b"other"})]
    else:
        changes = [whole[:-600] + b"x" + whole[-599:]]
    for changed in changes:
        place.write_bytes(changed)
        sums = (folder / "SHA256SUMS").read_text()
        (folder / "SHA256SUMS").unlink()
        digest = hashlib.sha256(changed).hexdigest()
        lines = [
            f"{digest}  {place.name}\n" if line.endswith(place.name) else f"{line}\n"
            for line in sums.splitlines()
        ]
        (folder / "SHA256SUMS").write_text("".join(lines))
        answer = stranger.run("verify", str(folder))
        assert answer.status in (2, 64), answer.err
        assert kind[:-1] in answer.err
        assert "Traceback" not in answer.err
        assert list(stranger.store.glob("objects/*/*")) == []
        assert list((stranger.store / "tmp").iterdir()) == []
    assert bundle.folder == folder


def test_a_sibling_that_lies_lends_nothing(
    received: Received, stranger: Project, fat: Path, tmp_path: Path
) -> None:
    sibling = tmp_path / "sibling"
    sibling.mkdir()
    (sources,) = fat.glob("*.sources.tar")
    (sibling / sources.name).write_bytes(_tar({"places.csv": b"junk" * 1000}))
    store = Store(stranger.store)
    with unpacked(received.folder, [str(sibling)], store, Silence()) as bundle:
        (output,) = bundle.opened.contents.manifest.outputs
        assert [digest for digest, _ in store.object_files()] == [output.blake3]


def test_a_run_that_was_killed_leaves_nothing_that_the_next_does_not_remove(
    thin: Path, built: Project, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    command = [
        *(sys.executable, "-m", "d4cbuild", "bundle", "recipes/places"),
        *("--output", str(output)),
    ]
    environment = {**os.environ, "D4CBUILD_STORE": str(built.store)}
    with running(command, cwd=built.root, env=environment, stdout=subprocess.DEVNULL) as process:
        while not list(output.glob(".d4cbuild-*/bundle/*")):
            assert process.poll() is None
            time.sleep(0.001)
        process.kill()
    assert [path.name[:10] for path in output.iterdir()] == [".d4cbuild-"]
    folder = bundled(built, output, "--thin")
    assert list(output.iterdir()) == [folder]
    assert files_of(folder) == files_of(thin)
