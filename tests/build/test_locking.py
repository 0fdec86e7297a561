"""``lock``: what it pins, what it refuses, what it says."""

import json
from pathlib import Path

from tests.project import Project


def lock_of(project: Project) -> dict:
    return json.loads((project.recipe / "recipe.lock").read_text())


def test_a_lock_pins_sources_code_environment_and_epoch(project: Project) -> None:
    commit = project.git("rev-parse", "HEAD")
    answer = project.run("lock", "recipes/places")
    assert answer.status == 0, answer.err
    lock = lock_of(project)
    assert lock["schema"] == "d4c.lock/1"
    assert lock["code"]["commit"] == commit
    assert lock["code"]["tree"] == project.git("rev-parse", "HEAD:recipes/places")
    assert lock["sources"][0]["size"] == (project.recipe / "sources/places.csv").stat().st_size
    environment = json.loads((project.root / "environments/geo/environment.lock").read_text())
    assert lock["environment"]["config"] == environment["config"]
    assert lock["source_date_epoch"] == int(project.git("log", "-1", "--format=%ct"))


def test_locking_twice_changes_nothing_and_says_so(project: Project) -> None:
    project.run("lock", "recipes/places")
    before = (project.recipe / "recipe.lock").read_bytes()
    answer = project.run("lock", "recipes/places")
    assert "nothing has changed" in answer.out
    assert (project.recipe / "recipe.lock").read_bytes() == before


def test_a_lock_has_sorted_keys_and_two_spaces(project: Project) -> None:
    project.run("lock", "recipes/places")
    text = (project.recipe / "recipe.lock").read_text()
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=2) + "\n"


def test_uncommitted_changes_are_refused_by_name(project: Project) -> None:
    project.edit("process.py", "wrote", "has written")
    answer = project.run("lock", "recipes/places")
    assert answer.status == 64
    assert "process.py" in answer.err
    assert "git commit" in answer.err
    assert "--dirty" in answer.err
    assert not (project.recipe / "recipe.lock").exists()


def test_an_untracked_file_is_an_uncommitted_change(project: Project) -> None:
    (project.recipe / "new.sql").write_text("select 1")
    answer = project.run("lock", "recipes/places")
    assert answer.status == 64
    assert "new.sql" in answer.err


def test_what_a_killed_run_left_is_removed_and_no_change(project: Project) -> None:
    left = project.recipe / f".d4cbuild-{'0' * 16}"
    left.write_text("half a lock")
    answer = project.run("lock", "recipes/places")
    assert answer.status == 0, answer.err
    assert not left.exists()
    left.write_text("half a manifest")
    assert project.run("lock", "--check", "recipes/places").status == 0
    assert not left.exists()


def test_an_ignored_file_is_not_code(project: Project) -> None:
    project.run("lock", "recipes/places")
    (project.root / ".gitignore").write_text("environments\ndist\n*.log\n")
    project.commit()
    (project.recipe / "noise.log").write_text("noise")
    assert project.run("lock", "--check", "recipes/places").status == 0


def test_a_changed_source_is_printed_with_both_digests(project: Project) -> None:
    project.locked()
    before = lock_of(project)["sources"][0]["blake3"]
    (project.recipe / "sources" / "places.csv").write_text("id,name\n1,Gander\n")
    project.commit()
    answer = project.run("lock", "recipes/places")
    assert answer.status == 0, answer.err
    assert f"{before} -> 17 bytes, blake3:" in answer.out


def test_a_comment_in_the_recipe_does_not_make_the_lock_stale(project: Project) -> None:
    project.locked()
    path = project.recipe / "recipe.toml"
    path.write_text("# a comment\n\n" + path.read_text())
    assert project.run("lock", "--check", "recipes/places").status == 0


def test_a_changed_recipe_makes_the_lock_stale(project: Project) -> None:
    project.locked()
    project.edit("recipe.toml", '"hello"', '"bonjour"')
    answer = project.run("lock", "--check", "recipes/places")
    assert answer.status == 2
    assert "recipe.toml has changed" in answer.out
    assert "d4cbuild lock recipes/places" in answer.out


def test_changed_code_makes_the_lock_stale(project: Project) -> None:
    project.locked()
    project.edit("process.py", "wrote", "has written")
    answer = project.run("lock", "--check", "--json", "recipes/places")
    assert answer.status == 2
    assert answer.json["results"][0]["reasons"] == [
        "the recipe's code has changed since it was locked"
    ]


def test_a_recipe_that_was_never_locked_is_stale(project: Project) -> None:
    assert project.run("lock", "--check", "recipes/places").status == 2


def test_an_unrelated_commit_changes_no_lock(project: Project) -> None:
    project.locked()
    before = (project.recipe / "recipe.lock").read_bytes()
    (project.root / "other.txt").write_text("other")
    project.commit()
    project.run("lock", "recipes/places")
    assert (project.recipe / "recipe.lock").read_bytes() == before


def test_a_squash_merge_keeps_the_epoch_and_so_the_build_key(project: Project) -> None:
    project.built()
    before = lock_of(project)
    key = json.loads((project.recipe / "manifest.json").read_text())["build_key"]
    project.git("checkout", "-q", "--orphan", "squashed")
    project.git("commit", "-q", "-m", "Everything", "--date", "2030-01-01T00:00:00")
    project.git("branch", "-q", "-D", "main")
    project.git("reflog", "expire", "--expire=now", "--all")
    project.git("gc", "-q", "--prune=now")
    answer = project.run("lock", "recipes/places")
    assert answer.status == 0, answer.err
    after = lock_of(project)
    assert after["code"]["commit"] != before["code"]["commit"]
    assert after["source_date_epoch"] == before["source_date_epoch"]
    project.commit()
    assert project.run("build", "--json", "recipes/places").json["results"][0]["build_key"] == key


def test_a_lost_commit_is_a_warning_while_the_code_is_there(project: Project) -> None:
    project.locked()
    path = project.recipe / "recipe.lock"
    lock = lock_of(project)
    lock["code"]["commit"] = "1" * 40
    lock["code"]["tree"] = "2" * 40
    path.write_text(json.dumps(lock))
    (project.recipe / "process.py").write_text("raise SystemExit(1)\n")  # HEAD still has it
    answer = project.run("build", "recipes/places")
    assert answer.status == 0, answer.err
    assert "commit 111111111111 is gone; HEAD has the same code" in answer.err
    assert "the locked code is built" in answer.err


def test_lost_code_is_an_error_that_says_what_to_do(project: Project) -> None:
    project.locked()
    lock = lock_of(project)
    lock["code"] = {"commit": "1" * 40, "tree": "2" * 40, "blake3": "blake3:" + "3" * 64}
    (project.recipe / "recipe.lock").write_text(json.dumps(lock))
    answer = project.run("build", "recipes/places")
    assert answer.status == 64
    assert "nowhere to be found" in answer.err
    assert "git fetch" in answer.err


def test_a_folder_outside_git_is_refused(project: Project, tmp_path: Path) -> None:
    project.root.joinpath(".git").rename(tmp_path / "elsewhere")
    answer = project.run("lock", "recipes/places")
    assert answer.status == 64
    assert "not in a git repository" in answer.err


def test_a_symlink_in_the_code_is_refused(project: Project) -> None:
    (project.recipe / "link.py").symlink_to("/etc/passwd")
    project.commit()
    answer = project.run("lock", "recipes/places")
    assert answer.status == 64
    assert "symbolic link" in answer.err
    assert "link.py" in answer.err
