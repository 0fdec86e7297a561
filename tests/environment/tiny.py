"""A tiny environment: two Debian packages and a wheel that try every rule of the format."""

from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.digest import digests_of_file
from d4cbuild.base.progress import Silence
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import assemble_image
from d4cbuild.model.environment import EnvironmentLock, LockedPackage
from d4cbuild.model.parse import record_to_json
from d4cbuild.store.store import Store

from .packages import directory, file, link, write_deb, write_wheel

DEFINITION = """\
schema = "d4c.environment/1"
name = "tiny"
description = { en = "Tiny", fr = "Minuscule" }

[debian]
suite = "bookworm"
packages = ["alpha", "beta"]
drop = ["/usr/share/doc"]
keep = ["/usr/share/doc/*/copyright"]

[python]
version = "3.11"
requirements = ["gamma"]

[directories]
"/var/spool/work" = "1777"

[links]
"/bin" = "usr/bin"
"/lib" = "usr/lib"

[files]
"/etc/motd" = "Bonjour"
"""

LONG = "usr/share/" + "long-" * 30 + "name"


@dataclass(frozen=True)
class TinyEnvironment:
    folder: EnvironmentFolder
    packages: tuple[LockedPackage, ...]
    files: dict[str, Path]


def make_tiny(folder: Path, packages: Path, store: Store | None) -> TinyEnvironment:
    folder.mkdir(parents=True)
    (folder / "environment.toml").write_text(DEFINITION)
    files = _packages(packages)
    locked = tuple(lock_package(purl, path) for purl, path in files.items())
    tiny = TinyEnvironment(EnvironmentFolder(folder), locked, files)
    if store is not None:
        for path in files.values():
            store.put_file(path)
        seal(tiny, store)
    return tiny


def lock_package(purl: str, path: Path) -> LockedPackage:
    found = digests_of_file(path)
    name = f"pool/main/{path.name}" if purl.startswith("pkg:deb/") else path.name
    return LockedPackage(purl=purl, file=name, size=found.size, sha256=found.sha256)


def seal(tiny: TinyEnvironment, store: Store) -> EnvironmentLock:
    """Write the lock as it should come out."""
    environment = tiny.folder.environment()
    with store.workspace() as workspace:
        made = assemble_image(
            environment, tiny.packages, tiny.files, workspace / "image", Silence()
        )
    lock = EnvironmentLock(
        environment=environment.digest,
        packages=tiny.packages,
        layers=made.layers,
        config=made.config,
        manifest=made.manifest,
    )
    tiny.folder.lock_path.write_bytes(record_to_json(lock))
    return lock


def _packages(folder: Path) -> dict[str, Path]:
    alpha = write_deb(
        folder / "alpha.deb",
        directory("./"),
        directory("./bin/", 0o700),
        file("./bin/alpha", b"#!/bin/sh\n", 0o4755),
        link("./bin/sh", "alpha"),
        directory("./usr/share/doc/alpha/"),
        file("./usr/share/doc/alpha/changelog", b"no\n"),
        file("./usr/share/doc/alpha/copyright", b"yes\n"),
        file("./usr/share/same", b"same\n", 0o600),
    )
    beta = write_deb(
        folder / "beta.deb",
        file("./lib/libbeta.so.1.0", b"beta" * 1000),
        link("./lib/libbeta.so.1", "libbeta.so.1.0"),
        link("./usr/share/again", "./lib/libbeta.so.1.0", b"1"),
        file("./usr/share/same", b"same\n", 0o640),
        file("./usr/share/Montréal", "où\n".encode()),
        file(f"./{LONG}", b"long\n"),
        directory("./var/empty/"),
        compression=".zst",
    )
    gamma = write_wheel(
        folder,
        "gamma",
        "1.0",
        {
            "gamma/__init__.py": b"def main():\n    return 0\n",
            "gamma/__pycache__/gamma.cpython-311.pyc": b"compiled",
            "gamma/tool": b"tool\n",
            "gamma-1.0.data/scripts/old": b"#!python -x\nprint()\n",
            "gamma-1.0.data/data/share/gamma.txt": b"data\n",
            "gamma-1.0.dist-info/entry_points.txt": (
                b"[console_scripts]\nzeta = gamma:main\nalso = gamma:main\n"
            ),
        },
        executable="gamma/tool",
    )
    return {
        "pkg:deb/debian/alpha@1?arch=amd64": alpha,
        "pkg:deb/debian/beta@1?arch=amd64": beta,
        "pkg:pypi/gamma@1.0": gamma,
    }
