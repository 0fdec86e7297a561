"""Work in a copy of this process: its results, its errors, and its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from d4cbuild.base.beside import Beside
from d4cbuild.errors import HashMismatch, Unavailable
from tests.running import until


def _is_there(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def _endless(told: Path) -> None:
    told.write_text(str(os.getpid()))
    while True:
        time.sleep(1)


def _process_in(told: Path) -> int:
    assert until(lambda: told.exists() and told.read_text() != "")
    return int(told.read_text())


def test_the_result_comes_from_another_process_however_large_it_is() -> None:
    with Beside(lambda: (os.getpid(), b"x" * 3_000_000)) as beside:
        process, data = beside.result()
    assert process != os.getpid()
    assert data == b"x" * 3_000_000
    assert not _is_there(process)


def test_an_error_is_raised_as_it_was_there() -> None:
    def work() -> None:
        raise HashMismatch("other bytes", expected="a", found="b", where="c", hint="d")

    with Beside(work) as beside, pytest.raises(HashMismatch) as caught:
        beside.result()
    assert caught.value.as_record() == {
        "error": "HashMismatch",
        "message": "other bytes",
        "expected": "a",
        "found": "b",
        "where": "c",
        "next": "d",
    }


def test_a_full_disk_is_told_as_such() -> None:
    def work() -> None:
        with Path("/dev/full").open("wb", buffering=0) as stream:
            stream.write(b"x")

    with Beside(work) as beside, pytest.raises(OSError, match="No space left"):
        beside.result()


def test_a_copy_that_is_killed_gives_an_error_and_no_result() -> None:
    with (
        Beside(lambda: os.kill(os.getpid(), signal.SIGKILL)) as beside,
        pytest.raises(Unavailable, match=r"was ended\n  found:    status -9"),
    ):
        beside.result()


def test_a_result_that_cannot_be_passed_on_is_an_error() -> None:
    with Beside(lambda: lambda: None) as beside, pytest.raises(Exception, match="pickle"):
        beside.result()


def test_the_copy_ends_with_the_block(tmp_path: Path) -> None:
    told = tmp_path / "process"
    with pytest.raises(ValueError, match="enough"), Beside(lambda: _endless(told)):
        process = _process_in(told)
        assert _is_there(process)
        raise ValueError("enough")
    assert not _is_there(process)


def test_requests_to_stop_are_left_to_the_one_it_was_copied_from(tmp_path: Path) -> None:
    told = tmp_path / "process"
    with Beside(lambda: _endless(told)):
        process = _process_in(told)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(process, number)
        time.sleep(0.1)
        assert _is_there(process)
    assert not _is_there(process)


def test_the_copy_dies_with_a_killed_process(tmp_path: Path) -> None:
    told = tmp_path / "process"
    script = (
        "import pathlib, sys, time\n"
        "from tests.base.test_beside import _endless\n"
        "from d4cbuild.base.beside import Beside\n"
        "with Beside(lambda: _endless(pathlib.Path(sys.argv[1]))): time.sleep(1000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(told)]) as process:
        copy = _process_in(told)
        assert _is_there(copy)
        process.kill()
        process.wait()
        assert until(lambda: not _is_there(copy))
