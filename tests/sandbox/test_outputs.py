"""Outputs of a job that are not what they should be."""

import os
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.build.collect import collect_outputs, plain_file
from d4cbuild.errors import BuildFailed
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.recipe import Recipe

from .conftest import REPOSITORY, RunJob

HOSTILE = """
import os, socket
os.chdir("/d4c/out")
os.symlink("/etc/passwd", "facilities.parquet")
os.symlink("../../../../../../etc/shadow", "relative")
os.symlink("/proc/self/root", "root")
os.mkfifo("fifo")
socket.socket(socket.AF_UNIX).bind("socket")
os.makedirs("folder/inside")
os.close(os.open(b"not-\\xff-utf8", os.O_CREAT | os.O_WRONLY))
os.close(os.open("\\u202ename", os.O_CREAT | os.O_WRONLY))
os.close(os.open("line\\nbreak", os.O_CREAT | os.O_WRONLY))
"""


@pytest.fixture
def recipe() -> Recipe:
    path = REPOSITORY / "recipes" / "statcan-odhf" / "recipe.toml"
    return record_from_toml(Recipe, path.read_bytes(), str(path))


def test_everything_that_is_no_declared_plain_file_is_named_at_once(
    run_job: RunJob, recipe: Recipe
) -> None:
    ran = run_job(HOSTILE)
    assert ran.outcome.succeeded, ran.log
    with pytest.raises(BuildFailed) as raised:
        collect_outputs(ran.out, recipe, "recipes/statcan-odhf")
    found = (raised.value.found or "").splitlines()
    assert found == [
        "'facilities.parquet': a symbolic link, where a plain file was declared",
        "'fifo': a named pipe that is not declared",
        "'folder': a folder that is not declared",
        "'line\\nbreak': a file that is not declared",
        "'not-\\\\xff-utf8': a file that is not declared",
        "'relative': a symbolic link that is not declared",
        "'root': a symbolic link that is not declared",
        "'socket': a socket that is not declared",
        "'\\u202ename': a file that is not declared",
    ]


def test_a_sparse_file_longer_than_the_disk_is_refused(tmp_path: Path, recipe: Recipe) -> None:
    with (tmp_path / "facilities.parquet").open("wb") as stream:
        stream.truncate(recipe.build.resources.disk + 1)
    with pytest.raises(BuildFailed) as raised:
        collect_outputs(tmp_path, recipe, "recipes/statcan-odhf")
    assert "more than resources.disk" in (raised.value.found or "")


@pytest.mark.parametrize("name", ["../up", "/d4c/out/../../etc/up", "/up", "//up", "a/../../up"])
def test_a_name_cannot_lead_out_of_the_folder(run_job: RunJob, name: str) -> None:
    ran = run_job(
        "import os\nfrom attempts import attempt\nos.chdir('/d4c/out'); os.mkdir('a')\n"
        f"attempt('write', lambda: open({name!r}, 'w'))\n"
    )
    assert ran.answers["write"] in ("EROFS", "EACCES")
    assert _names(ran.job.scratch) == {"out", "out/a", "tmp"}


def test_a_plain_declared_file_is_collected(run_job: RunJob, recipe: Recipe) -> None:
    ran = run_job("open('/d4c/out/facilities.parquet', 'wb').write(b'PAR1')")
    collected = collect_outputs(ran.out, recipe, "recipes/statcan-odhf")
    assert collected.paths["facilities"].read_bytes() == b"PAR1"


@pytest.mark.parametrize("left", ["link", "fifo", "folder", "large", "missing"])
def test_what_the_writer_left_is_looked_at_with_the_same_suspicion(
    tmp_path: Path, left: str
) -> None:
    (tmp_path / "good").write_bytes(bytes(10))
    assert plain_file(tmp_path / "good", 10, "recipes/x") == tmp_path / "good"
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "large").write_bytes(bytes(11))
    with pytest.raises(BuildFailed) as raised:
        plain_file(tmp_path / left, 10, "recipes/x")
    assert left in str(raised.value)


def _names(folder: Path) -> set[Any]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
