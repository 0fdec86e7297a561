"""A bundle in somebody's hands, to be changed and looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.bundle.archive import Member, archive, read_archive
from tests.project import Answer, Project

BASE = "ca_test_d4c-datapkg-test_2020_v1.0.0"
ARTIFACTS = f"{BASE}.source-artifacts.tar"
MANIFEST = f"{BASE}.manifest.json"
DATA = f"{BASE}.parquet"


def bundled(project: Project, output: Path, *options: str) -> Path:
    """Bundle the project's recipe; returns the bundle's folder."""
    answer = project.run("bundle", "recipes/places", "--output", str(output), "--json", *options)
    assert answer.status == 0, answer.err
    return Path(answer.json["results"][0]["bundle"])


def files_of(folder: Path) -> dict[str, str]:
    """SHA-256 by name of all files of a folder."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


@dataclass(frozen=True)
class Received:
    """A bundle.

    Attributes:
        folder: Where it is.
        project: Whose store is used to look at it.
    """

    folder: Path
    project: Project

    def sum_up(self) -> None:
        """Write ``SHA256SUMS`` anew, as somebody would who hides a change."""
        sums = files_of(self.folder)
        sums.pop("SHA256SUMS", None)
        lines = [f"{digest}  {name}\n" for name, digest in sums.items()]
        (self.folder / "SHA256SUMS").unlink()  # it may be one with the original's
        (self.folder / "SHA256SUMS").write_text("".join(lines))

    def edit(self, name: str, old: bytes, new: bytes) -> None:
        """Replace bytes in a file, and the sums with it."""
        path = self.folder / name
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new))
        self.sum_up()

    def repack(self, change: Callable[[dict[str, Member]], None]) -> None:
        """Change the source artifacts, and the sums with them."""
        path = self.folder / ARTIFACTS
        members = {member.name: _in_memory(member) for member in read_archive(path)}
        change(members)
        path.write_bytes(b"".join(archive(members.values(), 0)))
        self.sum_up()

    def verify(self, *options: str) -> Answer:
        """Verify it."""
        return self.project.run("verify", str(self.folder), *options)


def member(name: str, data: bytes) -> Member:
    """A file for an archive."""
    return Member(name, len(data), lambda: (data,))


def _in_memory(old: Member) -> Member:
    data = old.data()
    return Member(old.name, len(data), lambda: (data,), old.executable)
