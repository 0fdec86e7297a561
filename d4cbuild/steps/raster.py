"""Rasters as Cloud-Optimised GeoTIFF, the same bytes each time."""

from __future__ import annotations

from pathlib import Path

from .members import gdal_path, members_of
from .refusal import refuse, some


def write_raster(
    source: Path,
    target: Path,
    *,
    members: str | None = None,
    resampling: str = "average",
    block: int = 512,
) -> None:
    """Write a raster as COG: tiled, with overviews, compressed by deflate without loss.

    Cells, transform, CRS and nodata are those of the source.

    Args:
        source: The raw file.
        target: The file to write.
        members: Where the source is an archive: which file in it.
        resampling: How overviews are made: ``average``, ``nearest`` (for classes), ``bilinear``,
            ``cubic`` or ``mode``.
        block: Cells along a tile's side.
    """
    import rasterio
    import rasterio.shutil

    path = str(source)
    if members is not None:
        found = members_of(source, members)
        if len(found) != 1:
            refuse("a raster is one file", expected=members, found=some(found))
        path = gdal_path(source, found[0])
    with rasterio.Env(GDAL_NUM_THREADS="1", GDAL_TIFF_INTERNAL_MASK="YES"):
        try:
            with rasterio.open(path) as raster:
                if raster.crs is None:
                    refuse("the raster does not say its CRS", found=source.name)
                kind = "3" if raster.dtypes[0].startswith("float") else "2"
        except rasterio.errors.RasterioIOError as error:
            refuse("the raster cannot be read", found=str(error))
        rasterio.shutil.copy(
            path,
            str(target),
            driver="COG",
            COMPRESS="DEFLATE",
            LEVEL="9",
            PREDICTOR=kind,
            BLOCKSIZE=str(block),
            OVERVIEW_RESAMPLING=resampling.upper(),
            OVERVIEWS="IGNORE_EXISTING",
            NUM_THREADS="1",
            BIGTIFF="IF_SAFER",
        )
    print(f"{target.name}: {target.stat().st_size} bytes")
