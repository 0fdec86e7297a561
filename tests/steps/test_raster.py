"""The raster step: the same cells, as COG, in the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from d4cbuild.steps.raster import write_raster
from tests.steps.raw import refused, zipped


def _raw(path: Path, crs: str | None = "EPSG:3979") -> Path:
    cells = np.arange(700 * 600, dtype="float32").reshape(700, 600)
    cells[:10] = -9999
    profile = {
        "driver": "GTiff",
        "dtype": "float32",
        "count": 1,
        "width": 600,
        "height": 700,
        "nodata": -9999,
        "crs": crs,
        "transform": from_origin(1_900_000, 100_000, 1, 1),
    }
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(cells, 1)
    return path


def test_a_raster_keeps_its_cells_place_and_nodata(tmp_path: Path) -> None:
    raw = _raw(tmp_path / "raw.tif")
    write_raster(raw, tmp_path / "made.tif", block=256)
    with rasterio.open(raw) as before, rasterio.open(tmp_path / "made.tif") as after:
        assert np.array_equal(before.read(), after.read())
        for field in ("crs", "transform", "nodata", "dtypes"):
            assert getattr(after, field) == getattr(before, field)
        assert after.block_shapes == [(256, 256)]
        assert after.overviews(1) == [2, 4]
        assert after.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_a_raster_is_written_in_the_same_bytes_from_an_archive_too(tmp_path: Path) -> None:
    raw = _raw(tmp_path / "raw.tif")
    archive = zipped(tmp_path / "raw.zip", {"a/raw.tif": raw.read_bytes()})
    write_raster(raw, tmp_path / "one.tif")
    write_raster(archive, tmp_path / "two.tif", members="*.tif")
    assert (tmp_path / "one.tif").read_bytes() == (tmp_path / "two.tif").read_bytes()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_without_a_crs_or_none_at_all_is_refused(tmp_path: Path) -> None:
    bare = _raw(tmp_path / "bare.tif", crs=None)
    assert "does not say its CRS" in refused(write_raster, bare, tmp_path / "made.tif")
    (tmp_path / "text.tif").write_text("no raster")
    assert "cannot be read" in refused(write_raster, tmp_path / "text.tif", tmp_path / "made.tif")
    assert not (tmp_path / "made.tif").exists()
