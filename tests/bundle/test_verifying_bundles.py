"""A bundle is checked, then rebuilt; whatever was done to it on the way is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.bundle.archive import Member
from d4cbuild.bundle.opening import open_bundle
from d4cbuild.errors import D4CError, HashMismatch, InputError
from tests.bundle.received import ARTIFACTS, DATA, MANIFEST, Received, files_of, member
from tests.project import Project


def test_a_thin_bundle_is_verified_with_sources_from_a_mirror(
    received: Received, built: Project, stranger: Project
) -> None:
    mirror = str(built.recipe / "sources")
    answer = stranger.run("verify", str(received.folder), "--mirror", mirror, "--json")
    assert answer.status == 0, answer.err
    assert answer.json["results"][0]["verdict"] == "identical"


def test_a_fat_bundle_is_verified_offline_in_an_empty_store(
    fat: Path, tmp_path: Path, built: Project
) -> None:
    elsewhere = Project(tmp_path, tmp_path / "store")
    answer = elsewhere.run("verify", str(fat), "--json")
    assert answer.status == 0, answer.err
    assert answer.json["results"][0]["verdict"] == "identical"


def test_a_thin_bundle_borrows_from_its_fat_sibling(
    received: Received, fat: Path, stranger: Project
) -> None:
    answer = stranger.run("verify", str(received.folder), "--mirror", str(fat), "--offline")
    assert answer.status == 0, answer.err


def test_what_cannot_be_had_offline_is_unknown_and_not_identical(
    received: Received, stranger: Project
) -> None:
    answer = stranger.run("verify", str(received.folder), "--offline", "--json")
    assert answer.status == 16
    assert answer.json["results"][0]["verdict"] == "unknown"


def test_offline_no_process_gets_a_socket_that_leads_anywhere() -> None:
    script = (
        "import socket, subprocess, sys\n"
        "from d4cbuild.sandbox.offline import go_offline\n"
        "socket.socket(socket.AF_INET).close()\n"
        "go_offline()\n"
        "for family in (socket.AF_INET, socket.AF_INET6, socket.AF_PACKET, socket.AF_VSOCK):\n"
        "    try:\n"
        "        socket.socket(family, socket.SOCK_DGRAM)\n"
        "    except PermissionError:\n"
        "        print('refused')\n"
        "socket.socket(socket.AF_UNIX).close()\n"
        "child = 'import socket; socket.socket(socket.AF_INET)'\n"
        "done = subprocess.run([sys.executable, '-c', child], capture_output=True, text=True)\n"
        "print(done.stderr.splitlines()[-1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:4] == ["refused"] * 4
    assert "PermissionError" in done.stdout


def test_a_rebuild_that_differs_is_said_and_both_files_are_kept(
    project: Project, tmp_path: Path
) -> None:
    project.edit("process.py", "import os\n", "import os\nimport time\n")
    code = (project.recipe / "process.py").read_text()
    chance = "table = table.set_column(1, 'name', [[f'N{time.time_ns()}'] * 3])\n"
    (project.recipe / "process.py").write_text(code.replace("pq.write", f"{chance}pq.write"))
    project.commit()
    project.built()
    answer = project.run("bundle", "recipes/places", "--output", str(tmp_path / "out"), "--json")
    assert answer.status == 0, answer.err
    folder = Path(answer.json["results"][0]["bundle"])
    before = files_of(folder)
    answer = project.run("verify", str(folder), "--json")
    assert answer.status == 4 | 8, answer.err
    (output,) = answer.json["results"][0]["rebuilds"][0]["outputs"]
    assert output["verdict"] == "different"
    assert [Path(path).name.partition("_")[0] for path in output["kept"]] == ["expected", "found"]
    assert files_of(folder) == before


# What somebody may have done to it -----------------------------------------------------------


def _swap(name: str, data: bytes) -> object:
    def change(members: dict[str, Member]) -> None:
        assert name in members
        members[name] = member(name, data)

    return change


def _drop(name: str) -> object:
    def change(members: dict[str, Member]) -> None:
        del members[name]

    return change


def _add(name: str, data: bytes = b"x") -> object:
    def change(members: dict[str, Member]) -> None:
        members[name] = member(name, data)

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_swap("code/process.py", b"print('other')\n"), "the code, and the lock"),
        (_add("code/more.py"), "the code, and the lock"),
        (_drop("code/process.py"), "the code, and the lock"),
        (_swap("lib/d4cbuild/normalform/job.py", b"pass\n"), "what was built, and the manifest"),
        (_swap("recipe/manifest.json", b"{}"), "recipe/manifest.json"),
        (_swap("recipe/recipe.lock", b"{}"), "recipe.lock"),
        (_drop("recipe/recipe.toml"), "recipe.toml"),
        (_drop("environment/environment.lock"), "environment.lock"),
        (_swap("job/parameters.json", b"{}\n"), "job/parameters.json"),
        (_swap("job/normalise.json", b"{}\n"), "job/normalise.json"),
        (_swap("rebuild.sh", b"rm -rf /\n"), "rebuild.sh"),
        (_swap("swhid.txt", b"swh:1:dir:0\n"), "swhid.txt"),
        (_swap("history.gitbundle", b"# v2 git bundle\n"), "history"),
        (_add("elsewhere/file"), "elsewhere/file"),
        (_add("hidden"), "hidden"),
    ],
)
def test_parts_of_other_bundles_are_found_though_the_sums_are_right(
    received: Received, change: object, says: str
) -> None:
    received.repack(change)  # type: ignore[arg-type]
    answer = received.verify()
    assert answer.status in (2, 64), answer.err
    assert says in answer.err
    assert "Traceback" not in answer.err


def test_a_recipe_with_another_meaning_is_found(received: Received) -> None:
    def change(members: dict[str, Member]) -> None:
        name = "recipe/recipe.toml"
        text = members[name].data().replace(b'greeting = "hello"', b'greeting = "bonjour"')
        members[name] = member(name, text)

    received.repack(change)
    answer = received.verify()
    assert answer.status == 2
    assert "the recipe, and its lock" in answer.err


def test_a_manifest_that_names_other_data_is_found(received: Received) -> None:
    record = json.loads((received.folder / MANIFEST).read_bytes())
    sha256 = record["outputs"][0]["sha256"].encode()
    received.edit(MANIFEST, sha256, b"sha256:" + b"0" * 64)
    answer = received.verify()
    assert answer.status == 2
    assert DATA in answer.err


def test_other_data_under_the_right_name_are_found(received: Received) -> None:
    received.edit(DATA, b"PAR1", b"PAR2")
    answer = received.verify()
    assert answer.status == 2
    assert DATA in answer.err


@pytest.mark.parametrize("name", ["extra.txt", "SHA256SUMS.asc", "README"])
def test_a_file_that_no_sum_names_is_refused(received: Received, name: str) -> None:
    (received.folder / name).write_text("what is this?\n")
    answer = received.verify()
    assert answer.status == 2
    assert f"{name}: not listed" in answer.err


def test_a_strange_file_with_a_sum_is_refused(received: Received) -> None:
    (received.folder / "extra.txt").write_text("what is this?\n")
    received.sum_up()
    answer = received.verify()
    assert answer.status == 64
    assert "extra.txt" in answer.err


@pytest.mark.parametrize("name", [DATA, ARTIFACTS, MANIFEST, "rebuild.sh", "README.md"])
def test_a_file_that_is_missing_is_named(received: Received, name: str) -> None:
    (received.folder / name).unlink()
    answer = received.verify()
    assert answer.status == 2
    assert f"{name}: missing" in answer.err
    received.sum_up()
    assert received.verify().status == 64


def test_links_and_folders_are_refused(received: Received, tmp_path: Path) -> None:
    (received.folder / "README.md").unlink()
    (received.folder / "README.md").symlink_to("/etc/passwd")
    assert received.verify().status == 64
    (received.folder / "README.md").unlink()
    (received.folder / "README.md").mkdir()
    assert received.verify().status == 64


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"no sums at all",
        b"00  README.md\n",
        b"0" * 64 + b"  ../../etc/passwd\n",
        b"0" * 64 + b"  /etc/passwd\n",
        b"0" * 64 + b" *README.md\n",
        b"0" * 64 + b"  SHA256SUMS\n",
        (b"0" * 64 + b"  README.md\n") * 2,
        b"\xff\xfe" * 100,
        b"0" * 64 + b"  README.md",
    ],
)
def test_sums_that_are_no_sums_are_refused(received: Received, text: bytes) -> None:
    (received.folder / "SHA256SUMS").write_bytes(text)
    answer = received.verify()
    assert answer.status == 64, answer.err
    assert "SHA256SUMS" in answer.err


def test_nothing_of_a_refused_bundle_gets_into_the_store(
    received: Received, tmp_path: Path
) -> None:
    received.edit(DATA, b"PAR1", b"PAR2")
    elsewhere = Project(tmp_path, tmp_path / "store")
    assert elsewhere.run("verify", str(received.folder)).status == 2
    assert list((tmp_path / "store").rglob("objects/*/*")) == []
    assert list((tmp_path / "store" / "tmp").iterdir()) == []


@settings(max_examples=40)
@given(data=st.data())
def test_no_byte_of_a_bundle_can_be_changed_unseen(
    thin: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    names = sorted(path.name for path in thin.iterdir())
    name = data.draw(st.sampled_from(names))
    original = (thin / name).read_bytes()
    place = data.draw(st.integers(0, len(original) - 1))
    root = tmp_path_factory.mktemp("flipped")
    folder = root / "bundle"
    folder.mkdir()
    for other in names:
        os.link(thin / other, folder / other)
    (folder / name).unlink()
    changed = bytearray(original)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    (folder / name).write_bytes(changed)
    (root / "scratch").mkdir()
    with pytest.raises((HashMismatch, InputError)):
        open_bundle(folder, root / "scratch")
    shutil.rmtree(root)


def test_a_bundle_that_is_whole_opens(thin: Path, tmp_path: Path) -> None:
    opened = open_bundle(thin, tmp_path)
    assert opened.warnings == ()
    assert opened.contents.heavy is None
    assert issubclass(HashMismatch, D4CError)
