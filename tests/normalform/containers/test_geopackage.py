"""GeoPackages: one form for the same layers, whatever was done to the file before."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyogrio.raw
import pytest
import shapely

from d4cbuild.normalform.containers import Rewriting, rewrite_container

from .forms import kept, rewritten

ROWS = 3000
LAYERS = {"wards": 1, "été places": 2}


def write(path: Path) -> Path:
    """Write a GeoPackage of two layers and a table with GDAL."""
    path.unlink(missing_ok=True)
    for layer, seed in LAYERS.items():
        chance = np.random.default_rng(seed)
        x, y = chance.uniform(-140, -50, ROWS), chance.uniform(42, 70, ROWS)
        shapes = shapely.to_wkb(shapely.box(x, y, x + 0.3, y + 0.2))
        names = np.array([f"n{number}" for number in range(ROWS)], dtype=object)
        pyogrio.raw.write(
            path,
            geometry=shapes,
            field_data=[names, chance.integers(0, 9, ROWS)],
            fields=["name", "count"],
            geometry_type="Polygon",
            crs="EPSG:4326",
            layer=layer,
            driver="GPKG",
            append=path.exists(),
        )
    pyogrio.raw.write(
        path,
        geometry=None,
        field_data=[np.array(["a", None], dtype=object)],
        fields=["word"],
        geometry_type=None,
        crs=None,
        layer="words",
        driver="GPKG",
        append=True,
    )
    return path


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        # What GDAL's triggers ask for; they fire for rows that are changed and put back.
        for name in ("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(name, 1, _bound(name), deterministic=True)
        database.create_function("ST_IsEmpty", 1, lambda blob: 0, deterministic=True)
        for statement in statements:
            database.execute(statement)


def _bound(name: str) -> Callable[[bytes], float]:
    at = ("ST_MinX", "ST_MinY", "ST_MaxX", "ST_MaxY").index(name)
    return lambda blob: float(shapely.bounds(shapely.from_wkb(blob[40:]))[at])


def everything(path: Path) -> dict[str, list[Any]]:
    """All rows of all tables but the nodes of trees, and the schema, without times."""
    with closing(sqlite3.connect(path)) as database:
        database.text_factory = bytes
        assert database.execute("pragma integrity_check").fetchall() == [(b"ok",)]
        schema = database.execute("select type, name, tbl_name, sql from sqlite_master").fetchall()
        tables = [
            name.decode()
            for kind, name, _, _ in schema
            if kind == b"table" and not name.endswith((b"_node", b"_parent", b"_rowid"))
        ]
        found: dict[str, list[Any]] = {"": sorted(map(repr, schema))}
        for table in tables:
            if table.startswith("rtree_"):
                assert database.execute("select rtreecheck(?)", (table,)).fetchone() == (b"ok",)
            if table == "gpkg_contents":
                database.execute("update gpkg_contents set last_change = ''")
            if table != "sqlite_sequence":
                found[table] = sorted(map(repr, database.execute(f'select * from "{table}"')))
        return found


def test_what_is_in_a_geopackage_reads_back(tmp_path: Path) -> None:
    path = write(tmp_path / "w.gpkg")
    sql(
        path, "create table plain (a, b blob)", "insert into plain values (1, x'00ff'), ('1', null)"
    )
    sql(path, "create table w (a text primary key, b, c as (a || b)) without rowid")
    sql(path, "insert into w values ('x', 1)", "create view v as select * from wards")
    sql(
        path,
        "create index i on plain (a)",
        "delete from plain where a = 1",
        "pragma user_version = 10200",
    )
    (tmp_path / "new.gpkg").write_bytes(rewritten(path))
    assert everything(tmp_path / "new.gpkg") == everything(path)
    assert set(everything(path)) >= {"rtree_wards_geom", "gpkg_extensions", "plain", "w", "words"}
    for layer in (*LAYERS, "words"):
        new, old = (pyogrio.raw.read(each, layer=layer) for each in (tmp_path / "new.gpkg", path))
        assert repr(old[0]) == repr(new[0])
        for ours, theirs in zip(new[3], old[3], strict=True):
            assert list(ours) == list(theirs)
        if old[2] is not None:
            assert list(new[2]) == list(old[2])
    box = (-100, 45, -90, 55)
    new, old = (
        pyogrio.raw.read(each, layer="wards", bbox=box, return_fids=True)
        for each in (tmp_path / "new.gpkg", path)
    )
    assert 0 < len(old[1]) < ROWS
    assert sorted(new[1]) == sorted(old[1])
    with closing(sqlite3.connect(tmp_path / "new.gpkg")) as database:
        assert database.execute("pragma user_version").fetchone() == (10200,)
        assert database.execute("pragma application_id").fetchone() == (0x47504B47,)
        assert database.execute("select rowid, a from plain").fetchall() == [(2, "1")]


HISTORIES: dict[str, list[str]] = {
    "vacuum": ["vacuum"],
    "pages": ["pragma page_size = 8192", "vacuum"],
    "auto_vacuum": ["pragma auto_vacuum = full", "vacuum"],
    "statistics": ["analyze"],
    "later": ["update gpkg_contents set last_change = '2030-01-01T00:00:00.000Z'"],
    "log": ["pragma journal_mode = wal"],
    "emptied": ["create table t as select * from wards", "drop table t"],
    "put back": [
        "create temp table t as select * from wards where fid % 3 = 0",
        "delete from wards where fid % 3 = 0",
        "insert into wards select * from t order by fid desc",
    ],
    "contents put back": [
        "create temp table t as select * from gpkg_contents",
        "pragma foreign_keys = off",
        "delete from gpkg_contents",
        "insert into gpkg_contents select * from t order by table_name desc",
    ],
    "tree put back": [
        "create temp table t as select * from rtree_wards_geom",
        "delete from rtree_wards_geom",
        "insert into rtree_wards_geom select * from t order by id desc",
    ],
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("gpkg") / "w.gpkg")


@pytest.mark.parametrize("history", HISTORIES)
def test_what_was_done_to_the_file_does_not_show(
    tmp_path: Path, written: Path, history: str
) -> None:
    path = tmp_path / "w.gpkg"
    shutil.copy(written, path)
    expected = rewritten(path)
    sql(path, *HISTORIES[history])
    assert path.read_bytes() != written.read_bytes()
    assert rewritten(path) == expected


def test_written_again_it_is_the_same(tmp_path: Path, written: Path) -> None:
    again = write(tmp_path / "another name.gpkg")
    assert again.read_bytes() != written.read_bytes()
    shutil.copy(written, tmp_path / "w.gpkg")
    assert rewritten(again) == rewritten(tmp_path / "w.gpkg")


@pytest.mark.parametrize(
    "change",
    [
        "update wards set name = 'x' where fid = 7",
        "delete from words where fid = 2",
        "update gpkg_contents set identifier = 'x' where table_name = 'wards'",
        "create index i on wards (name)",
        "pragma user_version = 3",
    ],
)
def test_what_is_in_it_does_show(tmp_path: Path, written: Path, change: str) -> None:
    path = tmp_path / "w.gpkg"
    shutil.copy(written, path)
    expected = rewritten(path)
    sql(path, change)
    assert rewritten(path) != expected


LEFT_OPEN = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("pragma journal_mode = wal")
database.execute("pragma wal_autocheckpoint = 0")
database.execute("update gpkg_contents set description = 'x'")
os._exit(0)
"""


def test_what_would_lose_something_is_kept_with_a_reason(tmp_path: Path, written: Path) -> None:
    path = tmp_path / "w.gpkg"
    shutil.copy(written, path)
    subprocess.run([sys.executable, "-c", LEFT_OPEN, str(path)], check=True)
    assert "w.gpkg-wal" in kept(path)
    (tmp_path / "w.gpkg-wal").unlink()
    shutil.copy(written, path)
    sql(path, "create virtual table words_found using fts5(word)")
    assert "words_found" in kept(path)
    shutil.copy(written, path)
    with path.open("r+b") as stream:
        stream.truncate(200_000)
    assert "SQLite cannot copy it" in kept(path)
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("pragma encoding = 'UTF-16'")
        database.execute(f"pragma application_id = {0x47504B47}")
        database.execute("create table t (a)")
    assert "encoding" in kept(path)


def test_other_databases_are_no_containers(tmp_path: Path) -> None:
    sql(tmp_path / "d.sqlite", "create table t (a)")
    assert rewrite_container(tmp_path / "d.sqlite", tmp_path / "new") == Rewriting()
