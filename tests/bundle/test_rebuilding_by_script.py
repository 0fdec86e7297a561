"""rebuild.sh: from a fat bundle to the same bytes with a shell, tar and a sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from d4cbuild.sandbox.image import Image
from d4cbuild.store import Store
from tests.bundle.machine import clean_machine, rebuild_in
from tests.bundle.received import DATA, Received, bundled
from tests.project import Project


@pytest.fixture(scope="module")
def machine(shared_store: Store) -> Image:
    """The image of a clean machine, in the engine."""
    return clean_machine(shared_store)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script here."""
    return subprocess.run(
        ["sh", str(folder / "rebuild.sh"), *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.engine
def test_a_clean_machine_without_a_network_gets_the_same_bytes(fat: Path, machine: Image) -> None:
    done = rebuild_in(machine, fat)
    assert done.returncode == 0, done.stderr
    assert f"rebuild: identical: {DATA}" in done.stdout
    assert done.stdout.splitlines()[-1] == "rebuild: identical"


@pytest.mark.engine
def test_docker_gets_the_same_bytes_and_leaves_what_it_made(fat: Path, tmp_path: Path) -> None:
    done = run(fat, "docker", str(tmp_path / "work"))
    assert done.returncode == 0, done.stderr
    made = tmp_path / "work" / "made" / "places.parquet"
    assert made.read_bytes() == (fat / DATA).read_bytes()


def test_a_bundle_in_parts_and_with_other_code_is_not_identical(
    fat: Path, built: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "cut"
    folder.mkdir()
    for path in fat.iterdir():
        os.link(path, folder / path.name)
    data = (folder / DATA).read_bytes()
    (folder / DATA).unlink()
    (folder / f"{DATA}.part-001").write_bytes(data[:100])
    (folder / f"{DATA}.part-002").write_bytes(data[100:])
    image = next(folder.glob("*.image.tar"))
    whole = image.read_bytes()
    image.unlink()
    half = len(whole) // 2
    Path(f"{image}.part-001").write_bytes(whole[:half])
    Path(f"{image}.part-002").write_bytes(whole[half:])
    script = folder / "rebuild.sh"
    text = script.read_text()
    script.unlink()
    expected = next(line for line in text.splitlines() if line.startswith("compare "))
    script.write_text(text.replace(expected, expected[:-4] + "0000"))
    Received(folder, built).sum_up()
    done = run(folder, "bubblewrap")
    assert done.returncode == 4, done.stderr
    assert f"NOT identical: {DATA}" in done.stdout


def test_a_damaged_folder_is_not_rebuilt(received: Received) -> None:
    (received.folder / "README.md").write_text("other\n")
    done = run(received.folder)
    assert done.returncode == 2
    assert "README.md: FAILED" in done.stderr


def test_a_thin_bundle_asks_for_what_it_lacks(
    received: Received, fat: Path, built: Project
) -> None:
    done = run(received.folder)
    assert done.returncode == 16
    assert "https://example.invalid/places.csv" in done.stderr
    source = received.folder / "places.csv"
    source.write_text("id,name\n")
    done = run(received.folder)
    assert done.returncode == 2
    assert "SHA-256" in done.stderr
    shutil.copyfile(built.recipe / "sources" / "places.csv", source)
    done = run(received.folder)
    assert done.returncode == 16
    image = next(fat.glob("*.image.tar"))
    assert image.name in done.stderr
    os.link(image, received.folder / image.name)
    done = run(received.folder)
    assert done.returncode == 0, done.stderr


def test_code_that_fails_is_said_with_what_it_printed(project: Project, tmp_path: Path) -> None:
    project.built()
    folder = bundled(project, tmp_path / "out", "--fat")
    script = folder / "rebuild.sh"
    text = script.read_text()
    assert "python process.py" in text
    script.write_text(text.replace("python process.py", "python nothing.py"))
    Received(folder, project).sum_up()
    done = run(folder, "bubblewrap")
    assert done.returncode == 1
    assert "nothing.py" in done.stderr + done.stdout
    assert "the recipe's code failed" in done.stderr
