"""The real environment, with the real engine: the same image and the same root filesystem."""

import hashlib
import os
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from d4cbuild.base.progress import Silence
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.dockerfile import export_context, render_dockerfile
from d4cbuild.environment.fetch import fetch_packages
from d4cbuild.environment.images import assemble_image, ensure_image
from d4cbuild.environment.wholeness import read_layers
from d4cbuild.sandbox.image import Image
from d4cbuild.store.store import Store

pytestmark = pytest.mark.slow

# What an engine puts into any container that it makes, whatever its image has there.
ADDED_BY_ENGINE = {".dockerenv", "dev/console", "dev/pts", "dev/shm", "etc/mtab"}
BOUND_BY_ENGINE = {"etc/hostname", "etc/hosts", "etc/resolv.conf"}

PROGRAM = """
import blake3, duckdb, geopandas, lxml.etree, numpy, openpyxl, os, pandas, pyarrow, pyarrow.parquet
import pyogrio, pyproj, rasterio, shapely, shutil, locale, ssl, sqlite3, zoneinfo
assert os.getuid() == 1000
assert locale.setlocale(locale.LC_ALL, "") == "C.UTF-8"
assert all(shutil.which(name) for name in ("python", "python3", "sh", "ls"))
assert pyproj.CRS("EPSG:3347").name == "NAD83 / Statistics Canada Lambert"
assert str(zoneinfo.ZoneInfo("America/St_Johns"))
assert geopandas.GeoSeries([shapely.Point(-75.7, 45.4)], crs=4326).to_crs(3347).is_valid.all()
assert duckdb.sql("select 1").fetchall() == [(1,)]
assert not [name for name in os.listdir("/usr/bin") if name in ("perl", "dpkg", "apt")]
print("ok")
"""


class Streamed:
    """Chunks as a file, for tarfile."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = b""

    def read(self, size: int) -> bytes:
        while len(self._left) < size and (chunk := next(self._chunks, b"")):
            self._left += chunk
        data, self._left = self._left[:size], self._left[size:]
        return data


def tree_of(chunks: Iterable[bytes]) -> dict[str, tuple[Any, ...]]:
    """Everything that can be told of a root filesystem, by path."""
    found: dict[str, tuple[Any, ...]] = {}
    with tarfile.open(fileobj=Streamed(chunks), mode="r|") as archive:  # type: ignore[call-overload]
        for info in archive:
            content = archive.extractfile(info) if info.isreg() else None
            digest = hashlib.file_digest(content, "sha256").hexdigest() if content else ""
            mode = 0o777 if info.issym() else info.mode & 0o7777  # Docker adds the kind
            found[info.name.rstrip("/")] = (
                *(info.type, mode, info.uid, info.gid, info.size, info.linkname, digest),
                info.mtime if info.isreg() else 0,
            )
    return found


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env(timeout=300)
    yield client
    client.close()


@pytest.fixture
def image(geo: EnvironmentFolder, shared_store: Store) -> Image:
    return ensure_image(geo, shared_store, Silence())


def exported(engine: docker.DockerClient, name: str) -> dict[str, tuple[Any, ...]]:
    container = engine.containers.create(name)
    try:
        found = tree_of(container.export(chunk_size=1 << 20))
    finally:
        container.remove()
    own = ADDED_BY_ENGINE | BOUND_BY_ENGINE
    return {path: what for path, what in found.items() if path not in own}


def test_geo_is_assembled_a_second_time_as_locked(
    geo: EnvironmentFolder, shared_store: Store
) -> None:
    lock = geo.lock()
    files = fetch_packages(reversed(lock.packages), shared_store, Silence())
    old = os.umask(0o077)
    try:
        with shared_store.workspace() as workspace:
            made = assemble_image(
                geo.environment(), lock.packages[::-1], files, workspace / "image", Silence()
            )
    finally:
        os.umask(old)
    assert (made.config, made.manifest, made.layers) == (lock.config, lock.manifest, lock.layers)


def test_the_committed_dockerfile_is_the_one_the_lock_gives(geo: EnvironmentFolder) -> None:
    text = geo.dockerfile_path.read_bytes()
    lock = geo.lock()
    assert text == render_dockerfile(geo.environment(), lock)
    for package in lock.packages:
        assert f"{package.purl}\n".encode() in text
        assert str(package.sha256).encode() in text


def test_every_library_works_in_the_root(image: Image) -> None:
    variables = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/tmp"}
    command = ["bwrap", "--unshare-all", "--uid", "1000", "--gid", "1000", "--clearenv"]
    for name, value in variables.items():
        command += ["--setenv", name, value]
    command += ["--ro-bind", str(image.root), "/", "--proc", "/proc", "--dev", "/dev"]
    command += ["--tmpfs", "/tmp", "python3", "-c", PROGRAM]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.stdout, answer.stderr) == ("ok\n", "")


@pytest.mark.engine
def test_docker_load_shows_the_locked_image(image: Image, engine: docker.DockerClient) -> None:
    (loaded,) = engine.images.load(image.archive())
    assert loaded.id in (str(image.config), str(image.manifest))
    assert f"d4cbuild/geo:{image.config.short}" in loaded.tags
    engine.images.remove(loaded.id, force=True)


@pytest.mark.engine
def test_docker_build_gives_the_same_root_filesystem(
    geo: EnvironmentFolder, image: Image, engine: docker.DockerClient, tmp_path: Path
) -> None:
    export_context(image, geo, tmp_path / "context")
    assert (tmp_path / "context/Dockerfile").read_bytes() == geo.dockerfile_path.read_bytes()
    (loaded,) = engine.images.load(image.archive())
    built, _log = engine.images.build(path=str(tmp_path / "context"), rm=True)
    try:
        by_docker, by_us = exported(engine, str(built.id)), exported(engine, str(loaded.id))
        config = engine.api.inspect_image(str(built.id))["Config"]
    finally:
        for each in (built, loaded):
            engine.images.remove(str(each.id), force=True)
    assert by_docker == by_us
    declared = {
        entry.path: entry for layer in read_layers(image.root.parent) for entry in layer.entries
    }
    assert set(declared) == set(by_docker) | BOUND_BY_ENGINE
    for path, entry in declared.items():
        if path in BOUND_BY_ENGINE:
            continue
        _type, mode, uid, gid, size, target, _digest, mtime = by_docker[path]
        assert (mode, uid, gid, target, mtime) == (entry.mode, 0, 0, entry.target, 0), path
        assert size == entry.size, path
    assert (config["User"], config["WorkingDir"]) == ("1000:1000", "/d4c/code")
    assert "LC_ALL=C.UTF-8" in config["Env"]
