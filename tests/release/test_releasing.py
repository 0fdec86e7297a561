"""From an accepted build to a tag: with everything that is missing named, and any step repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundle.received import files_of
from tests.project import Answer, Project

TRUST = """\
schema = "d4c.trust/1"

[[keys]]
key = "{key}"
builder = "ada"
roles = ["builder", "rebuilder"]

[default]
distinct_builders = 1
cpu_vendors = 0
"""
TAG = "places-v1.0.0"


def release(project: Project, *options: str) -> Answer:
    return project.run("release", "recipes/places", "--json", *options)


def make_key(project: Project) -> str:
    """A key of ada's, and a policy that trusts it."""
    key = str(project.root.parent / "ada.key")
    answer = project.run("key", "new", key, "--builder", "ada", "--json")
    assert answer.status == 0, answer.err
    (project.root / "trust.toml").write_text(TRUST.format(key=answer.json["key"]))
    return key


def accept(project: Project, key: str) -> None:
    """Build, sign, verify and commit."""
    project.built()
    for arguments in (("attest", "--key", key), ("verify", "--attest", key)):
        answer = project.run(*arguments, "recipes/places")
        assert answer.status == 0, answer.err
    project.commit("Sign")


@pytest.fixture(scope="module")
def accepted(
    tmp_path_factory: pytest.TempPathFactory, geo_image: object, shared_store: object
) -> tuple[Project, str]:
    """A project with a signed and verified build, and the key; released by the tests in order."""
    from tests.conftest import REPOSITORY

    assert geo_image is not None
    root = tmp_path_factory.mktemp("releasing")
    (root / "store").mkdir()
    (root / "store" / "images").symlink_to(REPOSITORY / ".cache" / "store" / "images")
    project = Project.create(root / "project", root / "store", REPOSITORY / "environments")
    key = make_key(project)
    accept(project, key)
    return project, key


def test_everything_that_is_missing_is_listed_at_once(project: Project) -> None:
    project.locked()
    assert project.run("build", "recipes/places").status == 0
    make_key(project)
    (project.recipe / "process.py").write_text("# changed\n")
    answer = release(project)
    assert answer.status == 64
    for lack in ("not committed: manifest.json, process.py", "not signed", "not verified"):
        assert lack in answer.err
    assert project.git("tag") == ""
    assert not (project.root / "dist" / "releases").exists()
    dry = release(project, "--dry-run")
    assert dry.status == 64
    assert len(dry.json["results"][0]["lacks"]) == 3
    assert all(lack["next"] for lack in dry.json["results"][0]["lacks"])


def test_without_a_policy_nobodys_signature_counts(accepted: tuple[Project, str]) -> None:
    project, _ = accepted
    answer = release(project, "--dry-run", "--policy", "none.toml")
    assert answer.status == 64
    (lack,) = answer.json["results"][0]["lacks"]
    assert "none.toml" in lack["what"]


def test_a_dry_run_shows_the_notes_and_writes_nothing(accepted: tuple[Project, str]) -> None:
    project, _ = accepted
    answer = release(project, "--dry-run")
    assert answer.status == 0, answer.err
    (record,) = answer.json["results"]
    assert record["status"] == "planned"
    assert record["lacks"] == []
    assert record["notes"]["fr"].startswith("# Lieux, 1.0.0")
    assert project.git("tag") == ""
    assert project.git("status", "--porcelain") == ""
    assert not (project.root / "dist" / "releases").exists()


def test_a_release_is_bundled_and_tagged_with_its_notes(accepted: tuple[Project, str]) -> None:
    project, _ = accepted
    answer = release(project)
    assert answer.status == 0, answer.err
    (record,) = answer.json["results"]
    assert record["status"] == "released"
    assert project.git("rev-parse", f"{TAG}^{{commit}}") == project.git("rev-parse", "HEAD")
    message = project.git("tag", "-l", "--format=%(contents)", TAG)
    assert "# Places, 1.0.0" in message
    assert "# Lieux, 1.0.0" in message
    folder = Path(record["bundle"])
    assert (folder / "RELEASE-NOTES.md").read_text() == record["notes"]["en"]
    assert len(list(folder.glob("*.intoto.json"))) == 2
    answer = project.run("verify", str(folder), "--policy", "trust.toml")
    assert answer.status == 0, answer.err
    assert "policy: satisfied" in answer.out


def test_a_release_that_was_interrupted_is_finished_by_running_it_again(
    accepted: tuple[Project, str], tmp_path: Path
) -> None:
    project, _ = accepted
    (folder,) = (project.root / "dist" / "releases").iterdir()
    whole = files_of(folder)
    again = release(project)
    assert again.status == 0, again.err
    assert again.json["results"][0]["status"] == "done"
    project.git("tag", "-d", TAG)  # as if it had been killed between bundle and tag
    again = release(project)
    assert again.json["results"][0]["status"] == "released"
    folder.rename(tmp_path / "gone")  # as if it had been killed before the bundle was there
    again = release(project)
    assert again.json["results"][0]["status"] == "done"
    assert files_of(folder) == whole
    bundle = project.run("bundle", "recipes/places", "--output", str(tmp_path / "out"), "--json")
    assert files_of(Path(bundle.json["results"][0]["bundle"])) == whole


def test_rows_that_were_added_ask_for_a_minor_version(accepted: tuple[Project, str]) -> None:
    project, key = accepted
    (project.recipe / "sources" / "places.csv").write_text(
        "id,name\n3,Iqaluit\n1,Moncton\n2,Trois-Rivieres\n4,Gimli\n"
    )
    project.edit("recipe.toml", 'version = "1.0.0"', 'version = "1.0.1"')
    project.commit("More")
    accept(project, key)
    answer = release(project)
    assert answer.status == 64
    assert 'version = "1.1.0"' in answer.err
    assert project.git("tag") == TAG
    project.edit("recipe.toml", 'version = "1.0.1"', 'version = "1.1.0"')
    project.commit("Call it 1.1.0")
    accept(project, key)
    answer = release(project)
    assert answer.status == 0, answer.err
    (record,) = answer.json["results"]
    assert (record["before"], record["size"]) == ("1.0.0", "minor")
    assert "from 3 to 4 rows: 1 added, 0 removed, 1 with other values" in record["notes"]["en"]
    assert project.git("tag").split() == [TAG, "places-v1.1.0"]


def test_a_version_is_released_once(accepted: tuple[Project, str]) -> None:
    project, key = accepted
    project.edit("recipe.toml", "Places with counts.", "Places and counts.")
    project.commit("Reword")
    accept(project, key)
    answer = release(project)
    assert answer.status == 64
    assert "released with another manifest" in answer.err
