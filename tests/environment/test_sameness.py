"""The image's digest is the same for everybody."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from d4cbuild.base.progress import Silence
from d4cbuild.environment.images import ensure_image
from d4cbuild.environment.wholeness import read_layers
from d4cbuild.store.store import Store

from .tiny import LONG, TinyEnvironment

# Golden: a change here is a change of the format, and needs d4c.environment.lock/2.
CONFIG = "sha256:a1aa541b778744de31d36a034792fba0b0dbb384e1538b1013dd1785c86de413"
BASE = "sha256:7d66e792da80658650be04a531554e485ec4cdf74bbb1f55de869d96c4c987c5"
WHEELS = "sha256:d6d9f7b122379463bfcc5cabd4310305c36c05d4af353e3c8d9ce310639f7f1a"

# A machine whose file names are not UTF-8.
ASCII = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
NOBODY = "65534" if os.geteuid() == 0 else "same"


def test_the_tiny_image_has_its_golden_digests(tiny: TinyEnvironment) -> None:
    lock = tiny.folder.lock()
    found = (str(lock.config), *(str(layer.sha256) for layer in lock.layers))
    assert found == (CONFIG, BASE, WHEELS)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach, which pytest's own temporary folders are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize(
    ("umask", "user", "order", "variables"),
    [
        ("022", "same", "forwards", {}),
        ("077", "same", "forwards", {"TZ": "Asia/Tokyo"}),
        ("000", NOBODY, "backwards", {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8"}),
        ("027", NOBODY, "forwards", {**ASCII, "PYTHONHASHSEED": "42"}),
    ],
)
def test_whoever_assembles_gets_the_golden_digest(
    open_folder: Path, umask: str, user: str, order: str, variables: dict[str, str]
) -> None:
    child = Path(__file__).with_name("assemble_elsewhere.py")
    answer = subprocess.run(
        [sys.executable, str(child), str(open_folder / f"à {user}"), umask, user, order],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    config, _manifest, base, wheels = answer.stdout.split()
    assert (config, base, wheels) == (CONFIG, BASE, WHEELS)


def test_every_rule_of_the_format_shows_in_the_tiny_image(
    tiny: TinyEnvironment, store: Store
) -> None:
    image = ensure_image(tiny.folder, store, Silence())
    base, wheels = read_layers(image.root.parent)
    found = {entry.path: entry for entry in base.entries}
    assert list(found) == sorted(found, key=str.encode)
    assert (found["bin"].kind, found["bin"].target) == ("link", "usr/bin")
    assert (found["usr/bin/alpha"].mode, found["usr/bin/sh"].target) == (0o755, "alpha")
    assert (found["usr/bin"].mode, found["usr/share/same"].mode) == (0o755, 0o644)
    assert found["usr/share/again"].size == found["usr/lib/libbeta.so.1.0"].size == 4000
    assert {"usr/share/doc/alpha/copyright", LONG, "usr/share/Montréal", "var/empty"} <= set(found)
    assert "usr/share/doc/alpha/changelog" not in found
    assert (found["tmp"].mode, found["var/spool/work"].mode) == (0o1777, 0o1777)
    assert (image.root / "etc/motd").read_text() == "Bonjour"
    site = "usr/local/lib/python3.11/dist-packages"
    modes = {entry.path: entry.mode for entry in wheels.entries}
    assert modes[f"{site}/gamma/tool"] == modes["usr/local/bin/also"] == 0o755
    assert not any(path.endswith(".pyc") for path in modes)
    assert (image.root / "usr/local/bin/old").read_text() == "#!/usr/bin/python3.11\nprint()\n"
    assert (image.root / "usr/local/share/gamma.txt").read_text() == "data\n"
    assert not set(found) & set(modes)
    record = (image.root / site / "gamma-1.0.dist-info/RECORD").read_text().splitlines()
    assert record[0].startswith("../../../bin/also,sha256=")
    assert record[-1] == "gamma-1.0.dist-info/RECORD,,"


def test_the_unpacked_root_can_be_read_by_anybody(tiny: TinyEnvironment, store: Store) -> None:
    old = os.umask(0o077)
    try:
        image = ensure_image(tiny.folder, store, Silence())
    finally:
        os.umask(old)
    for place, folders, files in os.walk(image.root.parent):
        for name in (".", *folders, *files):
            path = Path(place, name)
            wanted = 0o5 if path.is_dir() else 0o4
            assert path.is_symlink() or path.stat().st_mode & wanted == wanted, path
    assert image.root.stat().st_mtime == (image.root / "etc/motd").stat().st_mtime == 0
    assert store.images.stat().st_mode & 0o111 == store.root.stat().st_mode & 0o111 == 0o111
