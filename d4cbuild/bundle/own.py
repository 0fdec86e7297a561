"""d4cbuild's own source, and the pages of its formats, as they go into a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import d4cbuild
from d4cbuild.base.archive import TarEntry
from d4cbuild.base.files import regular_files

_PROJECT_FILES: Final = ("LICENSE", "pyproject.toml", "requirements.txt")
_PROJECT: Final = "project"
"""In an installed package, the project's files lie in a folder of this name."""

_SOURCE: Final = frozenset({".py", ".md", ".json", ".jinja", ".css", ".toml", ".typed"})


def own_source() -> tuple[TarEntry, ...]:
    """The package as it runs now, with what is needed to install it."""
    package = _package()
    entries = [
        TarEntry(f"d4cbuild/{path.as_posix()}", (package / path).read_bytes())
        for path in regular_files(package)
        if path.suffix in _SOURCE and path.parts[0] != _PROJECT
    ]
    return (*entries, *(TarEntry(name, _project_file(name)) for name in _PROJECT_FILES))


def formats() -> tuple[TarEntry, ...]:
    """The pages that say how everything in a bundle is written."""
    folder = _package() / "spec"
    return tuple(
        TarEntry(path.as_posix(), (folder / path).read_bytes())
        for path in regular_files(folder)
        if path.suffix == ".md"
    )


def _package() -> Path:
    (place,) = d4cbuild.__path__
    return Path(place)


def _project_file(name: str) -> bytes:
    installed = _package() / _PROJECT / name
    return (installed if installed.exists() else _package().parent / name).read_bytes()
