"""Putting packages into one tree: links, conflicts and paths that would escape."""

import io
from pathlib import Path

import pytest

from d4cbuild.environment.dropping import Dropping
from d4cbuild.environment.tree import Tree
from d4cbuild.environment.wheels import install_wheel
from d4cbuild.errors import InputError

from .packages import write_wheel

LINKS = {"/bin": "usr/bin", "/usr/lib64": "lib", "/opt/x": "/usr/lib64/x"}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "root").mkdir()
    tree = Tree(tmp_path / "root", LINKS)
    tree.begin_layer("base")
    tree.make_declared_links()
    return tree


def add(tree: Tree, path: str, text: bytes = b"x", by: str = "a", executable: bool = False) -> str:
    return tree.add_file(path, executable, io.BytesIO(text), by)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("bin/ls", "usr/bin/ls"),
        ("usr/lib64/y/z", "usr/lib/y/z"),
        ("opt/x/deep", "usr/lib/x/deep"),
        ("usr/bin/ls", "usr/bin/ls"),
    ],
)
def test_a_path_through_a_declared_link_is_put_where_it_points(
    tree: Tree, path: str, place: str
) -> None:
    assert add(tree, path) == place
    assert (tree.root / place).read_bytes() == b"x"
    assert not (tree.root / place).is_symlink()


def test_two_packages_may_bring_the_same_file(tree: Tree) -> None:
    add(tree, "etc/f", b"same", "a")
    add(tree, "etc/f", b"same", "b")
    assert [entry.path for entry in tree.layers()[0][1]].count("etc/f") == 1


@pytest.mark.parametrize(
    ("text", "executable"), [(b"samE", False), (b"sam", False), (b"same+", False), (b"same", True)]
)
def test_two_packages_with_another_file_in_one_place_are_a_conflict(
    tree: Tree, text: bytes, executable: bool
) -> None:
    add(tree, "etc/f", b"same", "pkg:a")
    with pytest.raises(InputError, match="/etc/f") as caught:
        add(tree, "etc/f", text, "pkg:b", executable)
    assert "pkg:a" in str(caught.value)
    assert "pkg:b" in str(caught.value)


def test_kinds_conflict(tree: Tree) -> None:
    add(tree, "etc/f")
    tree.add_link("etc/l", "f", "a")
    with pytest.raises(InputError, match="/etc/f"):
        tree.add_directory("etc/f", "b")
    with pytest.raises(InputError, match="/etc/l"):
        tree.add_link("etc/l", "g", "b")
    with pytest.raises(InputError, match="/etc/l"):
        add(tree, "etc/l", by="b")


def test_nothing_is_written_through_a_packages_link(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    tree.add_link("srv", str(tmp_path / "outside"), "a")
    with pytest.raises(InputError, match="/srv"):
        add(tree, "srv/f", by="b")
    with pytest.raises(InputError, match="/srv"):
        tree.add_directory("srv/d", "b")
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("path", ["../f", "/f", "", "a/../../f", "a//f", "."])
def test_a_path_that_leaves_the_root_is_refused(tree: Tree, path: str) -> None:
    for attempt in (
        lambda: add(tree, path),
        lambda: tree.add_directory(path, "a"),
        lambda: tree.add_link(path, "x", "a"),
    ):
        with pytest.raises(InputError, match="leaves its folder"):
            attempt()


def test_a_circle_of_declared_links_is_an_error(tmp_path: Path) -> None:
    tree = Tree(tmp_path, {"/a": "b", "/b": "a"})
    tree.begin_layer("base")
    with pytest.raises(InputError, match="circle"):
        add(tree, "a/f")


def test_a_folder_keeps_the_mode_that_was_asked_first(tree: Tree) -> None:
    tree.add_directory("tmp", "contract", 0o1777)
    tree.add_directory("tmp", "a")
    assert (tree.root / "tmp").stat().st_mode & 0o7777 == 0o1777
    with pytest.raises(InputError, match="/tmp"):
        tree.add_directory("tmp", "[directories]", 0o755)


@pytest.mark.parametrize(
    ("path", "dropped"),
    [
        ("usr/share/doc", True),
        ("usr/share/doc/a/changelog", True),
        ("usr/share/doc/a/copyright", False),
        ("usr/share/doc/a/b/copyright", True),
        ("usr/share/docs", False),
    ],
)
def test_what_is_dropped_and_what_is_kept(path: str, dropped: bool) -> None:
    rule = Dropping(["/usr/share/doc"], ["/usr/share/doc/*/copyright"])
    assert rule.drops(path) is dropped


@pytest.mark.parametrize(
    "name",
    ["../../../../../etc/passwd", "/etc/passwd", "g-1.data/data/../../etc/passwd", "a/../b.py"],
)
def test_a_wheel_that_leaves_its_folder_is_refused(tree: Tree, tmp_path: Path, name: str) -> None:
    wheel = write_wheel(tmp_path, "g", "1", {name: b"evil"})
    with pytest.raises(InputError):
        install_wheel(wheel, wheel.name, tree, "pkg:pypi/g@1")
    assert not any("passwd" in entry.path for entry in tree.layers()[0][1])


def test_a_script_that_leaves_its_folder_is_refused(tree: Tree, tmp_path: Path) -> None:
    points = b"[console_scripts]\n../../../etc/x = g:main\n"
    wheel = write_wheel(tmp_path, "g", "1", {"g-1.dist-info/entry_points.txt": points})
    with pytest.raises(InputError):
        install_wheel(wheel, wheel.name, tree, "pkg:pypi/g@1")


def test_a_file_that_is_no_wheel_is_refused(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "g-1-py3-none-any.whl").write_bytes(b"PK no")
    with pytest.raises(InputError, match="g@1"):
        install_wheel(
            tmp_path / "g-1-py3-none-any.whl", "g-1-py3-none-any.whl", tree, "pkg:pypi/g@1"
        )
