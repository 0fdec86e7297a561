"""Locking with the machine's real apt and pip."""

from pathlib import Path

import pytest

from d4cbuild.base.progress import Silence
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import ensure_image
from d4cbuild.environment.resolve import lock_environment
from d4cbuild.errors import InputError
from d4cbuild.model.parse import record_to_json
from d4cbuild.sandbox.image import Image
from d4cbuild.store.store import Store

DEFINITION = """\
schema = "d4c.environment/1"
name = "small"
description = { en = "Small", fr = "Petit" }
[debian]
suite = "bookworm"
packages = ["libattr1"]
without = ["libc6"]
[python]
version = "3.11"
requirements = ["openpyxl"]
[links]
"/lib" = "usr/lib"
"""


@pytest.fixture
def small(tmp_path: Path) -> EnvironmentFolder:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "environment.toml").write_text(DEFINITION)
    return EnvironmentFolder(folder)


@pytest.mark.slow
def test_locking_finds_packages_with_what_they_depend_on(
    small: EnvironmentFolder, shared_store: Store
) -> None:
    probed: list[Image] = []

    def probe(image: Image) -> dict[str, str]:
        probed.append(image)
        return {"answer": "42"}

    lock = lock_environment(small, shared_store, Silence(), probe)
    assert [each.name for each in lock.packages] == ["libattr1", "et-xmlfile", "openpyxl"]
    attr = lock.packages[0]
    assert attr.purl.startswith("pkg:deb/debian/libattr1@1%3A")
    assert attr.purl.endswith("?arch=amd64")
    assert attr.version.startswith("1:")
    assert attr.file.startswith("pool/main/a/attr/libattr1_")
    assert lock.versions == {"answer": "42"}
    assert record_to_json(lock) == small.lock_path.read_bytes()
    for path in (small.lock_path, small.dockerfile_path):
        assert "://" not in path.read_text()  # never a host
    assert "# answer      42" in small.dockerfile_path.read_text()
    image = ensure_image(small, shared_store, Silence())
    assert (image.root, image.config) == (probed[0].root, lock.config)
    site = image.root / "usr/local/lib/python3.11/dist-packages"
    assert (site / "openpyxl/__init__.py").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("libattr1", "libno-such-package9", "libno-such-package9"),
        ("openpyxl", "openpyxl==0.0.99", "openpyxl==0.0.99"),
    ],
)
def test_what_is_not_there_is_named_and_nothing_is_written(
    small: EnvironmentFolder, store: Store, old: str, new: str, said: str
) -> None:
    small.definition_path.write_text(DEFINITION.replace(old, new))
    with pytest.raises(InputError) as caught:
        lock_environment(small, store, Silence())
    assert said in str(caught.value)
    assert not small.lock_path.exists()
    assert not small.dockerfile_path.exists()
