"""Objects: kept by digest, checked before they are served, whole whatever happens."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from d4cbuild.base.digest import blake3_of, digests_of_file
from d4cbuild.base.progress import Silence
from d4cbuild.errors import HashMismatch, StoreError
from d4cbuild.store import Store
from d4cbuild.store.reach import check_objects, inventory

DATA = b"some bytes\n" * 1000
REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store(tmp_path / "store")
    yield made
    made.database.close()


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process that runs some code with our package."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def names_below(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def test_an_object_lies_under_its_digest_and_cannot_be_written(bare: Store) -> None:
    put = bare.put_chunks([DATA[:5], DATA[5:]])
    assert put.blake3 == blake3_of(DATA)
    path = bare.get(put.blake3)
    assert path == bare.objects / put.blake3.hex[:2] / put.blake3.hex[2:]
    assert path.read_bytes() == DATA
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert bare.find(put.sha256) == path
    assert bare.known_digests(put.blake3) == put
    assert not list(bare.temporary.iterdir())


def test_the_same_bytes_are_kept_once(bare: Store, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(DATA)
    assert bare.put_file(tmp_path / "f") == bare.put_chunks([DATA])
    assert inventory(bare).objects == 1


def test_an_adopted_file_is_gone_from_where_it_was(bare: Store) -> None:
    with bare.workspace() as folder:
        (folder / "f").write_bytes(DATA)
        digests = bare.adopt(folder / "f", digests_of_file(folder / "f"))
        assert not (folder / "f").exists()
    assert bare.get(digests.blake3) is not None


def test_what_is_not_there_is_none_or_an_error_with_what_to_do(bare: Store) -> None:
    digest = blake3_of(b"nothing")
    assert bare.get(digest) is None
    assert bare.known_digests(digest) is None
    with pytest.raises(HashMismatch) as caught:
        bare.require(digest, "source a", "d4cbuild lock x")
    assert caught.value.expected == str(digest)
    assert caught.value.hint == "d4cbuild lock x"


def flip_a_byte(path: Path) -> None:
    state = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as stream:
        stream.write(b"X")
    path.chmod(0o444)
    # The time of change cannot be set back, though that of writing can.
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def truncate(path: Path) -> None:
    os.truncate(path, 7)


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"Y" * path.stat().st_size)
    other.rename(path)


@pytest.mark.parametrize("damage", [flip_a_byte, truncate, replace])
def test_rot_is_found_set_aside_and_never_served(bare: Store, damage) -> None:
    put = bare.put_chunks([DATA])
    damage(bare.path_of(put.blake3))
    assert bare.get(put.blake3) is None
    assert not bare.path_of(put.blake3).exists()
    assert len(list(bare.quarantine.iterdir())) == 1
    assert bare.find(put.sha256) is None
    bare.put_chunks([DATA])
    path = bare.get(put.blake3)
    assert path is not None
    assert path.read_bytes() == DATA


def test_rot_is_found_by_sha256_too(bare: Store) -> None:
    put = bare.put_chunks([DATA])
    flip_a_byte(bare.path_of(put.blake3))
    assert bare.find(put.sha256) is None


def test_a_deleted_object_is_not_there(bare: Store) -> None:
    put = bare.put_chunks([DATA])
    bare.path_of(put.blake3).unlink()
    assert bare.get(put.blake3) is None
    assert bare.find(put.sha256) is None


def test_verify_finds_rot_that_left_no_trace(bare: Store) -> None:
    put = bare.put_chunks([DATA])
    good = bare.put_chunks([b"good"])
    path = bare.path_of(put.blake3)
    flip_a_byte(path)
    bare.remember(put, path)  # as if the disk itself had changed the byte
    assert bare.get(put.blake3) == path
    (fault,) = check_objects(bare, Silence())
    assert str(put.blake3) in fault
    assert bare.get(put.blake3) is None
    assert bare.get(good.blake3) is not None


def test_stray_files_among_the_objects_do_no_harm(bare: Store) -> None:
    bare.put_chunks([DATA])
    (bare.objects / "README").write_text("x")
    (bare.objects / "ab").mkdir(exist_ok=True)
    (bare.objects / "ab" / "stray").write_text("x")
    assert inventory(bare).objects == 1
    assert check_objects(bare, Silence()) == []


def test_a_source_that_breaks_off_leaves_nothing(bare: Store) -> None:
    def chunks() -> Iterator[bytes]:
        yield DATA
        raise ConnectionError("cut")

    with pytest.raises(ConnectionError):
        bare.put_chunks(chunks())
    assert names_below(bare.objects) == names_below(bare.temporary) == []


def test_a_killed_put_leaves_no_half_object_and_is_swept(bare: Store) -> None:
    code = """
import sys, time
from pathlib import Path
from d4cbuild.store import Store
def chunks():
    yield b"half"
    print("writing", flush=True)
    time.sleep(60)
Store(Path(sys.argv[1])).put_chunks(chunks())
"""
    with python(code, bare.root) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        assert bare.sweep() == 0, "what a living process holds must stay"
        assert len(names_below(bare.temporary)) == 1
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert names_below(bare.objects) == []
    assert bare.sweep() == 1
    assert list(bare.temporary.iterdir()) == []


def test_processes_killed_at_any_moment_leave_only_whole_objects(bare: Store) -> None:
    code = """
import sys, os
from pathlib import Path
from d4cbuild.store import Store
store = Store(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    store.put_chunks([os.urandom(200_000)])
"""
    for delay_s in (0.01, 0.05, 0.11):
        with python(code, bare.root) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(delay_s)
            process.kill()
    for digest, path in bare.object_files():
        assert digests_of_file(path).blake3 == digest
    bare.sweep()
    assert check_objects(bare, Silence()) == []
    assert bare.get(bare.put_chunks([DATA]).blake3) is not None


def test_four_processes_put_the_same_and_other_objects_at_once(bare: Store) -> None:
    code = """
import sys
from pathlib import Path
from d4cbuild.store import Store
store = Store(Path(sys.argv[1]))
for number in range(15):
    same = store.put_chunks([b"same %d" % number])
    own = store.put_chunks([b"%s own %d" % (sys.argv[2].encode(), number)])
    assert store.get(same.blake3) and store.find(own.sha256)
"""
    processes = [python(code, bare.root, name) for name in "abcd"]
    for process in processes:
        _, err = process.communicate()
        assert process.returncode == 0, err
    assert inventory(bare).objects == 15 + 4 * 15
    assert check_objects(bare, Silence()) == []
    assert list(bare.temporary.iterdir()) == []


def damaged_databases() -> dict[str, bytes | None]:
    return {"deleted": None, "text": b"not a database" * 500, "empty": b""}


@pytest.mark.parametrize("content", damaged_databases().values(), ids=damaged_databases())
def test_without_its_database_a_store_still_finds_its_objects(
    tmp_path: Path, content: bytes | None
) -> None:
    store = Store(tmp_path / "store")
    put = store.put_chunks([DATA])
    store.database.close()
    for path in store.root.glob("store.sqlite*"):
        path.unlink()
    if content is not None:
        (store.root / "store.sqlite").write_bytes(content)
    store = Store(tmp_path / "store")
    assert store.find(put.sha256) == store.path_of(put.blake3)
    assert store.known_digests(put.blake3) == put
    store.database.close()


def test_a_database_that_rots_inside_is_mended_by_verify(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    puts = [store.put_chunks([b"%d" % number]) for number in range(300)]
    with store.database.transaction() as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    store.database.close()
    path = store.root / "store.sqlite"
    size = path.stat().st_size
    with path.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * (size - 4096))
    store = Store(tmp_path / "store")
    assert store.database.mend() is not None
    assert store.database.mend() is None
    assert check_objects(store, Silence()) == []
    assert all(store.find(put.sha256) is not None for put in puts)
    assert len(list(store.root.glob("store.sqlite.damaged-*"))) >= 1
    store.database.close()


def test_several_processes_that_meet_a_damaged_database_mend_it_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put = store.put_chunks([DATA])
    store.database.close()
    (store.root / "store.sqlite").write_bytes(b"no database at all" * 300)
    code = """
import sys
from pathlib import Path
from d4cbuild.store import Store
store = Store(Path(sys.argv[1]))
store.database.add_root(sys.argv[2])
"""
    processes = [python(code, store.root, f"/root/{name}") for name in "abcd"]
    for process in processes:
        _, err = process.communicate()
        assert process.returncode == 0, err
    store = Store(tmp_path / "store")
    assert store.database.roots() == [f"/root/{name}" for name in "abcd"]
    assert store.find(put.sha256) is not None
    store.database.close()


def test_a_database_held_by_a_writer_is_waited_for(bare: Store) -> None:
    bare.put_chunks([DATA])
    holder = sqlite3.connect(bare.root / "store.sqlite")
    holder.execute("begin immediate")
    code = """
import sys
from pathlib import Path
from d4cbuild.store import Store
Store(Path(sys.argv[1])).put_chunks([b"late"])
"""
    with python(code, bare.root) as process:
        time.sleep(1)
        assert process.poll() is None
        holder.rollback()
        _, err = process.communicate()
        assert process.returncode == 0, err
    holder.close()


# Disks that refuse ------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 20 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(place)]
    subprocess.run(command, check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_fills_up_is_an_error_and_leaves_the_store_usable(small_disk: Path) -> None:
    store = Store(small_disk / "store")
    first = store.put_chunks([DATA])
    with pytest.raises(StoreError) as caught:
        store.put_chunks([b"x" * (1 << 20)] * 30)
    assert "No space left" in str(caught.value.found)
    assert "D4CBUILD_STORE" in str(caught.value.hint)
    assert list(store.temporary.iterdir()) == []
    assert store.get(first.blake3) is not None
    (small_disk / "filler").write_bytes(b"x" * (8 << 20))
    with pytest.raises(StoreError, match="is full"):
        store.put_chunks([b"y"])
    (small_disk / "filler").unlink()
    assert store.get(store.put_chunks([b"y"]).blake3) is not None
    store.database.close()


def test_a_full_disk_is_said_by_the_command_line(small_disk: Path, tmp_path: Path) -> None:
    (small_disk / "filler").write_bytes(b"x" * (20 << 20))
    done = d4cbuild("store", "ls", store=small_disk / "store")
    assert done.returncode == 16
    assert "Traceback" not in done.stderr
    assert "D4CBUILD_STORE" in done.stderr


def test_a_read_only_store_is_an_error_without_traceback(small_disk: Path) -> None:
    store = Store(small_disk / "store")
    store.put_chunks([DATA])
    store.database.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError) as caught:
        Store(small_disk / "store").put_chunks([b"more"])
    assert "Read-only" in str(caught.value.found)
    for verb in ("verify", "gc"):
        done = d4cbuild("store", verb, store=small_disk / "store")
        assert done.returncode == 16, done.stderr
        assert "Traceback" not in done.stderr
        assert "Read-only" in done.stderr
    done = d4cbuild("store", "ls", store=small_disk / "new")
    assert done.returncode == 16
    assert "D4CBUILD_STORE" in done.stderr


def test_a_store_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = d4cbuild("store", "ls", store=tmp_path / "file")
    assert done.returncode == 16
    assert "Traceback" not in done.stderr
    assert "set D4CBUILD_STORE to a folder" in done.stderr


def d4cbuild(*arguments: str, store: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "d4cbuild", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "D4CBUILD_STORE": str(store)},
        capture_output=True,
        text=True,
        check=False,
    )


def spoil(store: Store, statement: str) -> None:
    """Change the database as a failing disk would: behind the store's back."""
    store.database.close()
    with sqlite3.connect(store.root / "store.sqlite") as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("column", ["sha256", "md5", "size", "blake3"])
def test_a_digest_that_rotted_in_the_database_is_computed_again(bare: Store, column: str) -> None:
    put = bare.put_chunks([DATA])
    spoil(bare, f"update object set {column} = substr({column}, 2)")
    assert bare.find(put.sha256) is not None
    assert bare.known_digests(put.blake3) == put


def test_a_record_that_rotted_is_not_there_and_a_root_that_did_is_said(bare: Store) -> None:
    bare.database.put("realisation", "k", '{"rows": 3}')
    spoil(bare, "update realisation set record = '{\"rows\": 8}'")
    assert bare.database.get("realisation", "k") is None
    assert bare.database.rows("realisation") == []
    bare.database.add_root("/recipes/a")
    spoil(bare, "update root set path = '/recipes/b'")
    with pytest.raises(StoreError) as caught:
        bare.database.roots()
    assert "store verify" in str(caught.value.hint)
    assert bare.database.mend() is not None
    assert bare.database.roots() == []
    assert bare.database.mend() is None


def test_a_database_without_seals_keeps_its_roots(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with sqlite3.connect(tmp_path / "store" / "store.sqlite") as connection:
        connection.execute("create table root (path text primary key) without rowid")
        connection.execute("create table realisation (build_key text primary key, record text)")
        connection.execute("insert into root values ('/recipes/a')")
        connection.execute("pragma user_version = 2")
    connection.close()
    store = Store(tmp_path / "store")
    assert store.database.roots() == ["/recipes/a"]
    assert store.database.mend() is None
    store.database.close()
