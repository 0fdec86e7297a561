"""``pip install .``: the package is whole, and both ways of calling it work."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(target))
    command = [sys.executable, "-m", "pip", "wheel", *options, str(REPOSITORY)]
    subprocess.run(command, check=True, capture_output=True)
    (found,) = target.glob("*.whl")
    return found


def test_the_wheel_carries_all_that_the_package_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = REPOSITORY / "d4cbuild"
    wanted = {
        path.relative_to(REPOSITORY).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= names
    assert "d4cbuild/normalform/crs/epsg-4326.json" in wanted
    assert "d4cbuild/spec/environment-1.md" in wanted


def test_the_installed_command_and_the_module_are_the_same(wheel: Path, tmp_path: Path) -> None:
    options = ("--quiet", "--no-deps", "--target", str(tmp_path / "site"))
    command = [sys.executable, "-m", "pip", "install", *options, str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    env = {"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin"}
    script = [sys.executable, str(tmp_path / "site" / "bin" / "d4cbuild"), "--version"]
    module = [sys.executable, "-m", "d4cbuild", "--version"]
    answers = {
        subprocess.run(each, env=env, cwd=tmp_path, capture_output=True, check=True).stdout
        for each in (script, module)
    }
    assert answers == {b"d4cbuild, version 0.1.0\n"}
