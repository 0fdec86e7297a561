"""Run in the sandbox, with its GDAL: writes TIFFs in many ways and compares what comes out.

Prints a JSON record of what is the same; nothing here judges.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.shutil import copy
from rasterio.transform import from_origin
from rasterio.windows import Window

from d4cbuild.normalform.containers import rewrite_container
from d4cbuild.normalform.containers.tiff import read_tiff

WIDTH, HEIGHT, BLOCK = 700, 600, 128
HERE = Path("/tmp")
PLAIN = {
    "driver": "GTiff",
    "width": WIDTH,
    "height": HEIGHT,
    "count": 2,
    "dtype": "int16",
    "crs": "EPSG:3979",
    "transform": from_origin(-1000, 2000, 30, 30),
    "tiled": True,
    "blockxsize": BLOCK,
    "blockysize": BLOCK,
    "compress": "deflate",
}


def pixels() -> Any:
    chance = np.random.default_rng(1)
    return np.cumsum(chance.integers(-3, 4, (2, HEIGHT, WIDTH)), axis=2).astype("int16")


def write(name: str, threads: int, seed: int, *, mask: bool, **more: Any) -> Path:
    """Write pixels in blocks of random order, with overviews, and say so in the tags."""
    path, data = HERE / name, pixels()
    places = [(x, y) for x in range(0, WIDTH, BLOCK) for y in range(0, HEIGHT, BLOCK)]
    random.Random(seed).shuffle(places)
    cache = {"GDAL_CACHEMAX": 1 << 20 if seed else 1 << 26}
    with rasterio.Env(GDAL_NUM_THREADS=str(threads), GDAL_TIFF_INTERNAL_MASK=True, **cache):
        with rasterio.open(path, "w", num_threads=threads, **{**PLAIN, **more}) as dataset:
            for x, y in places:
                window = Window(x, y, min(BLOCK, WIDTH - x), min(BLOCK, HEIGHT - y))
                part = data[:, y : y + BLOCK, x : x + BLOCK]
                dataset.write(part, window=window)
            if mask:
                dataset.write_mask(data[0] > 0)
            dataset.build_overviews([2, 4], Resampling.average)
        with rasterio.open(path, "r+") as dataset:
            dataset.update_tags(
                TIFFTAG_DATETIME=f"20{10 + seed}:01:01 00:00:00",
                TIFFTAG_SOFTWARE=f"program {seed}",
                TIFFTAG_IMAGEDESCRIPTION="Heights",
            )
    return path


def cog(source: Path, name: str, threads: int) -> Path:
    with rasterio.Env(GDAL_NUM_THREADS=str(threads)):
        options = {"compress": "deflate", "blocksize": BLOCK, "num_threads": threads}
        copy(source, HERE / name, driver="COG", **options)
    return HERE / name


def facts(path: Path) -> dict[str, Any]:
    """Everything GDAL says of a file, and checksums of all pixels at all resolutions."""
    found: dict[str, Any] = {}
    with rasterio.open(path) as dataset:
        levels = dataset.overviews(1)
        tags = {name: dataset.tags(ns=name) for name in (None, "IMAGE_STRUCTURE", "RPC")}
        for name in ("TIFFTAG_DATETIME", "TIFFTAG_SOFTWARE"):
            tags[None].pop(name, None)
        found |= {"profile": repr(dataset.profile), "levels": levels, "tags": repr(tags)}
        found["mask"] = repr(dataset.mask_flag_enums)
    for level in (None, *range(len(levels))):
        options = {} if level is None else {"overview_level": level}
        with rasterio.open(path, **options) as dataset:
            found[f"pixels {level}"] = zlib.crc32(dataset.read().tobytes())
            found[f"mask {level}"] = zlib.crc32(dataset.dataset_mask().tobytes())
    return found


def framed(path: Path) -> bool:
    """Whether each block has its size before it and its last bytes after it."""
    data = path.read_bytes()
    with path.open("rb") as stream:
        directories = read_tiff(stream).directories
    blocks = [b for d in directories for b in zip(d.places, d.sizes, strict=True) if b[0]]
    return all(
        data[at - 4 : at] == size.to_bytes(4, "little")
        and data[at + size : at + size + 4] == data[at + size - 4 : at + size]
        for at, size in blocks
    )


def rewritten(path: Path) -> Path:
    target = path.with_suffix(".new.tif")
    found = rewrite_container(path, target)
    assert found.rewritten == ("d4c.geotiff/1",), found.kept
    return target


def main() -> None:
    """Write, rewrite, compare, print."""
    record: dict[str, Any] = {"raw": {}, "new": {}, "same": {}, "facts": {}}
    record |= {"layout": {}, "framed": {}}
    for kind, more in {
        "plain": {},
        "masked": {"mask": True},
        "big": {"bigtiff": "yes"},
        "strips": {"tiled": False, "blockysize": 16, "blockxsize": WIDTH},
        "bands": {"interleave": "band"},
        "sparse": {"sparse_ok": True, "nodata": 0},
    }.items():
        options = {"mask": False, **more}
        paths = [write(f"{kind}{n}.tif", n, n - 1, **options) for n in (1, 4)]
        compare(record, kind, paths)
        cogs = [cog(path, f"cog{path.name}", n) for path, n in zip(paths, (1, 4), strict=True)]
        compare(record, f"cog {kind}", cogs)
    record["sqlite"], record["zlib"] = sqlite3.sqlite_version, zlib.ZLIB_RUNTIME_VERSION
    print(json.dumps(record))


def compare(record: dict[str, Any], kind: str, paths: list[Path]) -> None:
    new = [rewritten(path) for path in paths]
    record["raw"][kind] = len({hashlib.sha256(path.read_bytes()).hexdigest() for path in paths})
    record["new"][kind] = len({hashlib.sha256(path.read_bytes()).hexdigest() for path in new})
    record["same"][kind] = rewritten(new[0]).read_bytes() == new[0].read_bytes()
    record["facts"][kind] = [
        facts(one) == facts(other) for one, other in zip(paths, new, strict=True)
    ]
    record["framed"][kind] = framed(new[0])
    with rasterio.open(new[0]) as dataset:
        record["layout"][kind] = dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT")
        assert dataset.tags().get("TIFFTAG_IMAGEDESCRIPTION") == "Heights"
        assert "TIFFTAG_DATETIME" not in dataset.tags()


if __name__ == "__main__":
    main()
