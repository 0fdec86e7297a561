"""A built recipe becomes a folder of flat files, the same from everywhere."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from d4cbuild.bundle.archive import read_archive
from d4cbuild.bundle.writing import BundleWriter
from d4cbuild.model.licences import may_redistribute
from tests.bundle.conftest import ENVIRONMENTS
from tests.bundle.received import ARTIFACTS, DATA, MANIFEST, bundled, files_of
from tests.project import Project
from tests.running import running


def test_the_sums_are_as_sha256sum_wants_them(thin: Path, fat: Path) -> None:
    for folder in (thin, fat):
        done = subprocess.run(
            ["sha256sum", "--strict", "--check", "SHA256SUMS"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        named = {line.split(": ")[0] for line in done.stdout.splitlines()}
        assert named == {path.name for path in folder.iterdir()} - {"SHA256SUMS"}


def test_all_files_lie_flat_and_none_is_empty(fat: Path) -> None:
    for path in fat.iterdir():
        assert path.is_file()
        assert path.stat().st_size > 0


def test_data_and_manifest_are_those_of_the_build(thin: Path, built: Project) -> None:
    assert (thin / MANIFEST).read_bytes() == (built.recipe / "manifest.json").read_bytes()
    assert (thin / DATA).read_bytes() == (built.root / "dist" / DATA).read_bytes()


def test_bundling_again_changes_nothing(thin: Path, built: Project) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in thin.iterdir()}
    answer = built.run("bundle", "recipes/places", "--output", str(thin.parent), "--json")
    assert answer.status == 0, answer.err
    assert answer.json["results"][0]["changed"] is False
    assert {path.name: path.stat().st_mtime_ns for path in thin.iterdir()} == before


def test_another_clone_with_another_umask_gives_the_same_bundle(
    thin: Path, built: Project, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(built.root), str(clone)], check=True)
    # Git packs the objects of a clone otherwise than they were made.
    subprocess.run(["git", "-C", str(clone), "gc", "-q", "--aggressive"], check=True)
    (clone / "environments").symlink_to(built.root / "environments")
    other = Project(clone, built.store)
    subprocess.run(["chmod", "-R", "go-rwx", str(clone)], check=True)
    assert files_of(bundled(other, tmp_path / "out", "--thin")) == files_of(thin)


@pytest.mark.engine
def test_a_build_by_the_other_runner_gives_the_same_bundle(
    thin: Path, built: Project, stranger: Project
) -> None:
    clone = stranger.root / "clone"
    subprocess.run(["git", "clone", "-q", str(built.root), str(clone)], check=True)
    (clone / "environments").symlink_to(ENVIRONMENTS)
    other = Project(clone, stranger.store)
    answer = other.run("build", "recipes/places", "--runner", "docker", "--json")
    assert answer.status == 0, answer.err
    assert answer.json["results"][0]["status"] == "built"
    assert files_of(bundled(other, stranger.root / "out", "--thin")) == files_of(thin)


def test_git_clones_the_history_and_finds_the_locked_commit(
    thin: Path, built: Project, tmp_path: Path
) -> None:
    (history,) = [m for m in read_archive(thin / ARTIFACTS) if m.name == "history.gitbundle"]
    (tmp_path / "history").write_bytes(history.data())
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(tmp_path / "history"), str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "fsck", "--strict"], check=True, capture_output=True)
    lock = json.loads((built.recipe / "recipe.lock").read_bytes())
    head = subprocess.run(
        ["git", "-C", str(clone), "rev-parse", "HEAD", "HEAD:recipes/places"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert head.stdout.split() == [lock["code"]["commit"], lock["code"]["tree"]]


def test_the_source_artifacts_are_all_there(thin: Path) -> None:
    names = {member.name for member in read_archive(thin / ARTIFACTS)}
    assert {
        *("recipe/recipe.toml", "recipe/recipe.lock", "recipe/manifest.json"),
        *("code/process.py", "history.gitbundle", "swhid.txt"),
        *("environment/environment.toml", "environment/environment.lock"),
        *("environment/Dockerfile", "lib/d4cbuild/normalform/job.py"),
        *("formats/recipe-1.md", "formats/bundle-1.md", "formats/parquet-nf-1.md"),
        *("d4cbuild/d4cbuild/cli/main.py", "d4cbuild/pyproject.toml", "d4cbuild/LICENSE"),
        *("job/parameters.json", "job/normalise.json", "rebuild.sh"),
    } <= names


def test_a_bundle_of_a_bundle_is_the_same_bundle(
    thin: Path, fat: Path, built: Project, tmp_path: Path
) -> None:
    for folder, option in ((thin, "--fat"), (fat, "--fat"), (fat, "--thin")):
        output = tmp_path / f"{folder.name}{option}"
        answer = built.run("bundle", str(folder), option, "--output", str(output), "--json")
        assert answer.status == 0, answer.err
        again = Path(answer.json["results"][0]["bundle"])
        assert files_of(again) == files_of(thin if option == "--thin" else fat)
        shutil.rmtree(output)


def test_large_files_are_cut_and_put_together_again(
    thin: Path, built: Project, tmp_path: Path
) -> None:
    cut = bundled(built, tmp_path / "cut", "--thin", "--split", "1MiB")
    parts = sorted(cut.glob(f"{ARTIFACTS}.part-*"))
    assert len(parts) > 1
    assert all(path.stat().st_size <= 1 << 20 for path in cut.iterdir())
    assert b"".join(part.read_bytes() for part in parts) == (thin / ARTIFACTS).read_bytes()
    answer = built.run("verify", str(cut))
    assert answer.status == 0, answer.err
    answer = built.run("bundle", str(cut), "--output", str(tmp_path / "whole"), "--json")
    assert answer.status == 0, answer.err
    assert files_of(Path(answer.json["results"][0]["bundle"])) == files_of(thin)


def test_an_interrupted_bundle_leaves_nothing(built: Project, tmp_path: Path) -> None:
    output = tmp_path / "bundles"
    command = ("bundle", "--fat", "recipes/places", "--output", str(output))
    with running(
        [sys.executable, "-m", "d4cbuild", *command],
        cwd=built.root,
        env=built.environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until = monotonic() + 30
        while not list(output.glob("*/bundle/*image*")):  # the first of what is large
            assert process.poll() is None
            assert monotonic() < until
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "stopped" in errors
    assert "Traceback" not in errors
    assert list(output.iterdir()) == []
    assert not (built.store / "store.sqlite-wal").exists()


def test_what_puts_parts_together_is_never_cut(tmp_path: Path) -> None:
    with BundleWriter(tmp_path, split=10) as writer:
        assert writer.write("rebuild.sh", "script", (b"x" * 25,)).parts == ()
        assert len(writer.write("a.tar", "sources", (b"x" * 5, b"x" * 20)).parts) == 3
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {
        "rebuild.sh": 25,
        "a.tar.part-001": 10,
        "a.tar.part-002": 10,
        "a.tar.part-003": 5,
    }


def test_a_file_of_another_bundle_is_not_written_over(
    thin: Path, built: Project, tmp_path: Path
) -> None:
    folder = bundled(built, tmp_path, "--thin")
    (folder / "README.md").write_text("mine\n")
    answer = built.run("bundle", "recipes/places", "--output", str(tmp_path))
    assert answer.status == 64
    assert "--replace" in answer.err
    assert (folder / "README.md").read_text() == "mine\n"
    answer = built.run("bundle", "recipes/places", "--output", str(tmp_path), "--replace")
    assert answer.status == 0, answer.err
    assert files_of(folder) == files_of(thin)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


@pytest.fixture
def fresh(project: Project) -> Project:
    """A project of the test's own, locked and built."""
    return project.built()


def test_what_is_not_built_or_not_of_the_lock_is_not_bundled(fresh: Project) -> None:
    fresh.edit("recipe.toml", 'greeting = "hello"', 'greeting = "good day"')
    answer = fresh.run("bundle", "recipes/places")
    assert answer.status == 2
    assert "d4cbuild lock recipes/places" in answer.err
    fresh.commit()
    fresh.locked()
    answer = fresh.run("bundle", "recipes/places")
    assert answer.status == 2
    assert "parameter greeting" in answer.err
    assert "d4cbuild build recipes/places" in answer.err
    (fresh.recipe / "manifest.json").unlink()
    answer = fresh.run("bundle", "recipes/places")
    assert answer.status == 64
    assert not (fresh.root / "dist" / "bundles").exists()


@pytest.mark.parametrize("weight", ["--thin", "--fat"])
def test_a_dockerfile_that_says_something_else_is_not_bundled(
    weight: str, project: Project, tmp_path: Path
) -> None:
    project.built()
    (project.root / "environments").unlink()
    shutil.copytree(ENVIRONMENTS, project.root / "environments")
    path = project.root / "environments" / "small" / "Dockerfile"
    path.write_text(path.read_text() + "RUN true\n")
    answer = project.run("bundle", weight, "recipes/places", "--output", str(tmp_path / "out"))
    assert answer.status == 64
    assert "d4cbuild env lock small" in answer.err
    assert list((tmp_path / "out").iterdir() if (tmp_path / "out").exists() else []) == []


def test_a_source_that_may_not_be_passed_on_stays_out_and_is_named(
    project: Project, tmp_path: Path
) -> None:
    project.edit("recipe.toml", '"OGL-Canada-2.0"', '"LicenseRef-Ours"')
    project.commit()
    project.built()
    folder = bundled(project, tmp_path, "--fat")
    assert read_archive(next(folder.glob("*.sources.tar"))) == []
    assert "LicenseRef-Ours" in (folder / "README.md").read_text()
    assert "places.csv" in (folder / "LISEZMOI.md").read_text()


@pytest.mark.parametrize(
    ("licence", "declared", "may"),
    [
        ("OGL-Canada-2.0", None, True),
        ("LicenseRef-Ours", None, False),
        ("LicenseRef-Ours", True, True),
        ("OGL-Canada-2.0", False, False),
    ],
)
def test_what_the_recipe_says_counts_more_than_what_is_known_of_a_licence(
    licence: str, declared: bool | None, may: bool
) -> None:
    assert may_redistribute(licence, declared) is may
