"""Locked packages to one tree, in the order that the lock gives and no other."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from d4cbuild.base.progress import Progress
from d4cbuild.environment import skeleton
from d4cbuild.environment.debian import Member, control_of, members_of, unpacking
from d4cbuild.environment.dropping import Dropping
from d4cbuild.environment.tree import Tree
from d4cbuild.environment.wheels import install_wheel
from d4cbuild.model.environment import Environment, LockedPackage

# Where scanners look for the packages of an image that has no package manager.
_PACKAGE_RECORDS = "var/lib/dpkg/status.d"


def assemble(
    environment: Environment,
    packages: Sequence[LockedPackage],
    files: Mapping[str, Path],
    root: Path,
    progress: Progress,
) -> Tree:
    """Put a root filesystem together.

    Args:
        environment: What is wanted.
        packages: What was found; their order here does not matter.
        files: Per purl, the package's bytes.
        root: An empty folder.
        progress: Told how far it is, in bytes of packages.

    Raises:
        InputError: if a package cannot be unpacked, or two want different things in one place.
    """
    root.chmod(0o755)  # whatever the umask
    ordered = sorted(packages, key=lambda package: package.purl.encode())
    tree = Tree(root, environment.links)
    with progress.task("assembling", sum(package.size for package in ordered)) as advance:
        tree.begin_layer(skeleton.BASE)
        _add_declared(environment, tree)
        dropping = Dropping(environment.debian.drop, environment.debian.keep)
        for package in ordered:
            if package.is_debian:
                _add_debian(package, files[package.purl], dropping, tree)
                advance(package.size)
        tree.begin_layer(skeleton.WHEELS)
        for package in ordered:
            if not package.is_debian:
                install_wheel(files[package.purl], package.file, tree, package.purl)
                advance(package.size)
    tree.finish()
    return tree


def _add_declared(environment: Environment, tree: Tree) -> None:
    tree.make_declared_links()
    for path, mode in skeleton.DIRECTORIES.items():
        tree.add_directory(path, "the sandbox contract", mode)
    for path, octal in sorted(environment.directories.items()):
        tree.add_directory(path.removeprefix("/"), "[directories]", int(octal, 8))
    for path, text in skeleton.FILES.items():
        tree.add_file(path, False, io.BytesIO(text.encode()), "the sandbox contract")
    for path, text in sorted(environment.files.items()):
        tree.add_file(path.removeprefix("/"), False, io.BytesIO(text.encode()), "[files]")


def _add_debian(package: LockedPackage, file: Path, dropping: Dropping, tree: Tree) -> None:
    by = package.purl
    with unpacking(file, by):
        for member in members_of(file, by):
            if not dropping.drops(member.path):
                _add_member(member, tree, by)
    record = io.BytesIO(control_of(file, by))
    tree.add_file(f"{_PACKAGE_RECORDS}/{package.name}", False, record, by)


def _add_member(member: Member, tree: Tree, by: str) -> None:
    if member.kind == "directory":
        tree.add_directory(member.path, by)
    elif member.kind == "link":
        tree.add_link(member.path, member.target, by)
    elif member.kind == "same":
        # A second name becomes a second file: hard links do not survive every copy.
        content, executable = tree.open(member.target, by)
        with content:
            tree.add_file(member.path, executable, content, by)
    else:
        assert member.content is not None  # noqa: S101 - a file always has content
        tree.add_file(member.path, member.executable, member.content, by)
