"""All digests in one pass: threads for what is large, none for what is small, none left over."""

from __future__ import annotations

import hashlib
import io
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.base.digest import (
    CHUNK_BYTES,
    THREADS_FROM_BYTES,
    Digest,
    FileDigests,
    MultiHasher,
    blake3_of,
    digests_of_stream,
)
from tests.memory import PEAK_KB
from tests.running import running

LARGE = random.Random(1).randbytes(3 * THREADS_FROM_BYTES + 12345)


def expected(data: bytes) -> FileDigests:
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    sha256 = hashlib.sha256(data).hexdigest()
    return FileDigests(len(data), blake3_of(data), Digest("sha256", sha256), Digest("md5", md5))


def digest_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "digest"]


def test_a_large_stream_has_the_digests_of_its_bytes() -> None:
    assert digests_of_stream(io.BytesIO(LARGE)) == expected(LARGE)
    assert not digest_threads()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 3 * CHUNK_BYTES), max_size=8))
def test_the_digests_do_not_depend_on_how_the_bytes_come(cuts: list[int]) -> None:
    rest = LARGE
    with MultiHasher() as hasher:
        for cut in cuts:
            hasher.update(rest[:cut])
            rest = rest[cut:]
        hasher.update(rest)
        assert hasher.size == len(LARGE)
        assert hasher.result() == expected(LARGE)


def test_digests_can_be_asked_for_on_the_way_and_after_the_end() -> None:
    with MultiHasher() as hasher:
        hasher.update(LARGE)
        assert len(digest_threads()) == 2
        assert hasher.result() == expected(LARGE)
        hasher.update(b"more")
        assert hasher.result() == expected(LARGE + b"more")
    hasher.update(LARGE)
    assert hasher.result() == expected(LARGE + b"more" + LARGE)
    assert not digest_threads()


def test_small_input_and_a_hasher_used_without_with_start_no_thread() -> None:
    with MultiHasher() as hasher:
        hasher.update(LARGE[: THREADS_FROM_BYTES - 1])
        assert not digest_threads()
    bare = MultiHasher()
    bare.update(LARGE)
    assert not digest_threads()
    assert bare.result() == expected(LARGE)


def test_no_thread_is_left_when_reading_fails() -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            if not data:
                raise OSError("torn")
            return data

    with pytest.raises(OSError, match="torn"):
        digests_of_stream(Torn(LARGE))
    assert not digest_threads()


ENDLESS = """
import sys
from d4cbuild.base.digest import digests_of_file
from pathlib import Path
print("reading", flush=True)
digests_of_file(Path("/dev/zero"))
"""


def test_ctrl_c_ends_it() -> None:
    with running(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")


MEASURED = f"""
import sys
from d4cbuild.base.digest import digests_of_file
from pathlib import Path
digests_of_file(Path(sys.argv[1]))
print({PEAK_KB} * 1024)
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(size: int) -> int:
        (tmp_path / "f").touch()
        with (tmp_path / "f").open("r+b") as stream:
            stream.truncate(size)
        command = [sys.executable, "-c", MEASURED, str(tmp_path / "f")]
        return int(subprocess.run(command, capture_output=True, check=True).stdout)

    assert peak(400 * CHUNK_BYTES) - peak(1) < 32 * CHUNK_BYTES
