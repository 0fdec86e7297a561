"""A recipe's code: the same bytes whether taken from the folder or from git."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.base.archive import read_canonical_tar
from d4cbuild.code.folder import Code, folder_state, plain_code
from d4cbuild.code.history import committed_code, provenance, uncommitted, working_code
from d4cbuild.errors import InputError
from tests.repository import NOWHERE, Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "project")


def names(code: Code) -> list[str]:
    return [entry.name for entry in read_canonical_tar(code.tar)]


parts = (
    st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8)
    .filter(lambda part: part not in (".", "..") and len(part.encode()) < 100)
    .filter(lambda part: not part.casefold().startswith(".git") and "~" not in part)
    .filter(lambda part: part.isprintable())
)
trees = st.recursive(
    st.tuples(st.binary(max_size=100), st.booleans()),
    lambda inner: st.dictionaries(parts, inner, min_size=1, max_size=3),
    max_leaves=6,
).filter(lambda tree: isinstance(tree, dict))


def write_tree(folder: Path, tree: dict) -> None:
    folder.mkdir(exist_ok=True)
    for name, inner in tree.items():
        path = folder / name
        if isinstance(inner, dict):
            write_tree(path, inner)
        else:
            path.write_bytes(inner[0])
            path.chmod(0o755 if inner[1] else 0o644)


@given(trees)
@settings(max_examples=25)
def test_code_from_git_is_the_code_in_the_folder(tree: dict) -> None:
    with tempfile.TemporaryDirectory() as place:
        repository = Repository(Path(place))
        write_tree(repository.folder, tree)
        commit = repository.commit()
        code = working_code(repository.folder)
        assert repository.committed() == code
        plain = plain_code(repository.folder)
        assert plain == code
        assert uncommitted(repository.folder) == []
        found = provenance(repository.folder, code.digest)
        if names(code):
            assert found is not None
            assert found.commit == commit


def test_the_code_of_a_folder_has_the_digest_it_always_had(repository: Repository) -> None:
    repository.write({"process.py": b"print('hello')\n", "lib/Données.py": b"", "run.sh": b"ls\n"})
    (repository.folder / "run.sh").chmod(0o755)
    repository.commit()
    code = working_code(repository.folder)
    assert names(code) == ["lib/Données.py", "process.py", "run.sh"]
    assert (
        str(code.digest)
        == "blake3:b04eb8fa69f948867a11d925ce2db4feb7d5b730d1bb50880feb4041d2081641"
    )


def test_records_sources_and_caches_are_no_code(repository: Repository) -> None:
    repository.write(
        {
            "process.py": b"",
            "recipe.toml": b"",
            "recipe.lock": b"",
            "manifest.json": b"",
            "README.md": b"",
            "sources/a.csv": b"",
            ".gitignore": b"",
            ".gitattributes": b"",
            "__pycache__/a.pyc": b"",
            "lib/__pycache__/a.pyc": b"",
            "lib/README.md": b"code",
            "lib/sources/a.csv": b"code",
        }
    )
    repository.commit()
    code = working_code(repository.folder)
    assert names(code) == ["lib/README.md", "lib/sources/a.csv", "process.py"]
    assert repository.committed() == code
    assert plain_code(repository.folder) == code


def test_the_right_to_run_a_file_is_part_of_the_code(repository: Repository) -> None:
    repository.write({"run.sh": b"ls"})
    repository.commit()
    before = working_code(repository.folder)
    (repository.folder / "run.sh").chmod(0o755)
    changed = working_code(repository.folder)
    assert changed != before
    repository.commit()
    assert repository.committed() == changed
    (repository.folder / "run.sh").chmod(0o711)
    assert working_code(repository.folder) == changed


def test_a_disk_that_knows_no_right_to_run_takes_gits_word(repository: Repository) -> None:
    repository.write({"run.sh": b"ls"})
    (repository.folder / "run.sh").chmod(0o755)
    repository.commit()
    code = working_code(repository.folder)
    repository.git("config", "core.fileMode", "false")
    (repository.folder / "run.sh").chmod(0o644)
    assert uncommitted(repository.folder) == []
    assert working_code(repository.folder) == code


@pytest.mark.parametrize("setting", ["true", "input"])
def test_line_ends_that_git_translates_do_not_change_the_code(
    repository: Repository, setting: str
) -> None:
    repository.write({"process.py": b"a\nb\n", "data.bin": b"\0\r\n"})
    repository.commit()
    code = working_code(repository.folder)
    repository.git("config", "core.autocrlf", setting)
    (repository.folder / "process.py").unlink()
    repository.git("checkout", "--", ".")
    written = (repository.folder / "process.py").read_bytes()
    assert written == (b"a\r\nb\r\n" if setting == "true" else b"a\nb\n")
    assert uncommitted(repository.folder) == []
    assert working_code(repository.folder) == code
    assert repository.committed() == code


def test_ignored_files_are_no_code_unless_committed(repository: Repository) -> None:
    (repository.root / ".gitignore").write_text("*.log\nbuild/\nlink\n")
    repository.write({"process.py": b"", "kept.log": b"kept"})
    repository.git("add", "-f", "recipes/r/kept.log")
    repository.commit()
    repository.write({"noise.log": b"", "build/x": b""})
    (repository.folder / "link").symlink_to("/nowhere")
    code = working_code(repository.folder)
    assert names(code) == ["kept.log", "process.py"]
    assert repository.committed() == code
    assert uncommitted(repository.folder) == []
    assert plain_code(repository.folder) is None
    folder_state(repository.folder)


def test_changed_and_new_files_are_named(repository: Repository) -> None:
    repository.write({"process.py": b"1", "old.py": b"1", "recipe.toml": b"1"})
    repository.commit()
    repository.write({"process.py": b"2", "new é.py": b"", "recipe.toml": b"2"})
    repository.write({"recipe.lock": b"", "manifest.json": b""})
    (repository.folder / "old.py").unlink()
    found = uncommitted(repository.folder)
    assert found == ["new é.py", "old.py", "process.py", "recipe.toml"]
    (repository.root / "recipes" / "another").mkdir()
    (repository.root / "recipes" / "another" / "f").write_text("")
    assert uncommitted(repository.folder) == found


def test_the_state_of_a_folder_changes_with_its_code_alone(repository: Repository) -> None:
    repository.write({"process.py": b"1", "lib/a.py": b""})
    before = folder_state(repository.folder)
    repository.write({"recipe.lock": b"x", "__pycache__/a": b"x"})
    assert folder_state(repository.folder) == before
    seen = {before}
    for change in ({"process.py": b"2"}, {"lib/b.py": b""}):
        repository.write(change)
        seen.add(folder_state(repository.folder))
    (repository.folder / "process.py").chmod(0o755)
    seen.add(folder_state(repository.folder))
    (repository.folder / "lib" / "b.py").rename(repository.folder / "lib" / "c.py")
    seen.add(folder_state(repository.folder))
    assert len(seen) == 5


# What is refused --------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["process.py", "/etc", "lib", "nowhere"])
def test_a_link_is_refused_from_the_folder_and_from_git(
    repository: Repository, target: str
) -> None:
    repository.write({"process.py": b"", "lib/a.py": b""})
    before = working_code(repository.folder)
    (repository.folder / "link").symlink_to(target)
    with pytest.raises(InputError, match="plain files") as caught:
        working_code(repository.folder)
    assert "link" in str(caught.value.where)
    commit = repository.commit()
    with pytest.raises(InputError, match="plain files"):
        working_code(repository.folder)
    with pytest.raises(InputError, match="plain files"):
        committed_code(repository.folder, commit, NOWHERE, before.digest)


def test_a_submodule_is_refused_from_the_folder_and_from_git(
    repository: Repository, tmp_path: Path
) -> None:
    repository.write({"process.py": b""})
    repository.commit()
    before = working_code(repository.folder)
    other = Repository(tmp_path / "other")
    other.write({"a.py": b""})
    other.commit()
    allow = ["-c", "protocol.file.allow=always"]
    repository.git(*allow, "submodule", "add", "-q", str(other.root), "recipes/r/other")
    commit = repository.commit()
    with pytest.raises(InputError, match="plain files") as caught:
        working_code(repository.folder)
    assert "submodule" in str(caught.value.found)
    with pytest.raises(InputError, match="plain files"):
        committed_code(repository.folder, commit, NOWHERE, before.digest)


def test_a_repository_inside_the_code_is_refused(repository: Repository) -> None:
    repository.write({"process.py": b""})
    repository.commit()
    Repository(repository.folder / "inner").write({"a.py": b""})
    with pytest.raises(InputError, match="plain files"):
        working_code(repository.folder)
    (repository.root / ".gitignore").write_text("inner\n")
    assert names(working_code(repository.folder)) == ["process.py"]


def test_a_name_that_is_not_utf8_is_refused(repository: Repository) -> None:
    repository.write({"process.py": b""})
    before = working_code(repository.folder)
    Path(os.fsdecode(os.fsencode(repository.folder) + b"/caf\xe9.py")).write_bytes(b"")
    with pytest.raises(InputError, match="not UTF-8"):
        working_code(repository.folder)
    commit = repository.commit()
    with pytest.raises(InputError, match="not UTF-8"):
        working_code(repository.folder)
    with pytest.raises(InputError, match="not UTF-8"):
        committed_code(repository.folder, commit, NOWHERE, before.digest)


def test_a_file_that_is_data_is_refused_by_its_size(repository: Repository) -> None:
    with (repository.folder / "data.csv").open("wb") as stream:
        stream.truncate((64 << 20) + 1)
    with pytest.raises(InputError, match="too large"):
        working_code(repository.folder)


def test_a_pipe_is_refused_and_not_read(repository: Repository) -> None:
    os.mkfifo(repository.folder / "pipe")
    with pytest.raises(InputError, match="plain files"):
        working_code(repository.folder)


# Where the folder lies --------------------------------------------------------------------


@pytest.mark.parametrize("inside", [".", ".hidden/r", "..r", "a b/é", "recipes/r"])
def test_a_recipe_may_lie_anywhere_in_its_repository(tmp_path: Path, inside: str) -> None:
    repository = Repository(tmp_path / "project", inside)
    repository.write({"process.py": b"1", "recipe.toml": b""})
    commit = repository.commit()
    code = working_code(repository.folder)
    assert names(code) == ["process.py"]
    assert repository.committed() == code
    assert uncommitted(repository.folder) == []
    found = provenance(repository.folder, code.digest)
    assert found is not None
    assert found.commit == commit
    repository.write({"process.py": b"2"})
    assert uncommitted(repository.folder) == ["process.py"]


def test_a_folder_reached_through_a_link_is_the_same(
    repository: Repository, tmp_path: Path
) -> None:
    repository.write({"process.py": b"", "noise.log": b""})
    (repository.root / ".gitignore").write_text("*.log\n")
    commit = repository.commit()
    (tmp_path / "link").symlink_to(repository.folder)
    (tmp_path / "project-link").symlink_to(repository.root)
    code = working_code(repository.folder)
    for folder in (tmp_path / "link", tmp_path / "project-link" / "recipes" / "r"):
        assert working_code(folder) == code
        assert uncommitted(folder) == []
        assert committed_code(folder, commit, NOWHERE, code.digest) == (code, None)
        assert provenance(folder, code.digest) is not None


def test_a_relative_folder_is_the_same(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write({"process.py": b"", "lib/a.py": b""})
    repository.commit()
    code = working_code(repository.folder)
    monkeypatch.chdir(repository.folder)
    assert working_code(Path()) == code
    assert uncommitted(Path()) == []
    monkeypatch.chdir(repository.folder / "lib")
    assert working_code(Path("..")) == code


def test_a_shallow_clone_knows_its_code(repository: Repository, tmp_path: Path) -> None:
    repository.write({"process.py": b"1"})
    repository.commit()
    repository.write({"process.py": b"2"})
    repository.commit()
    (repository.root / "other").write_text("")
    last = repository.commit()
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.root}", str(clone))
    folder = clone / "recipes" / "r"
    code = working_code(repository.folder)
    assert working_code(folder) == code
    found = provenance(folder, code.digest)
    assert found is not None
    assert found.commit == last, "the commit before is not there to be named"
    assert committed_code(folder, last, NOWHERE, code.digest) == (code, None)


def test_a_second_working_tree_knows_its_code(repository: Repository, tmp_path: Path) -> None:
    repository.write({"process.py": b"1"})
    repository.commit()
    repository.git("worktree", "add", "-q", str(tmp_path / "second"))
    folder = tmp_path / "second" / "recipes" / "r"
    assert working_code(folder) == working_code(repository.folder)
    assert uncommitted(folder) == []


def test_outside_git_the_folder_alone_counts(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "process.py").write_bytes(b"1")
    code = working_code(folder)
    found, warning = committed_code(folder, NOWHERE, NOWHERE, code.digest)
    assert found == code
    assert "the folder has the same code" in str(warning)
    with pytest.raises(InputError, match="not in a git repository"):
        uncommitted(folder)


def test_before_the_first_commit_git_commit_is_asked_for(repository: Repository) -> None:
    repository.write({"process.py": b"1"})
    with pytest.raises(InputError, match="nothing was committed yet") as caught:
        provenance(repository.folder, working_code(repository.folder).digest)
    assert "git commit" in str(caught.value.hint)
