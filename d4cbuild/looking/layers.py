"""What GDAL reads: the layers of a file."""

from __future__ import annotations

from d4cbuild.looking.notes import NotReadable


def layers_of(path: str) -> list[str]:
    """The names of the layers, in the file's order.

    Args:
        path: The file, as GDAL names it.

    Raises:
        NotReadable: if GDAL cannot read it.
    """
    import pyogrio

    try:
        return [str(name) for name, _ in pyogrio.list_layers(path)]
    except pyogrio.errors.DataSourceError as error:
        raise NotReadable(f"GDAL cannot read it: {error}") from error


def raster_facts(path: str) -> dict[str, object]:
    """What a raster is like.

    Args:
        path: The file, as GDAL names it.

    Raises:
        NotReadable: if it is no raster with a CRS.
    """
    import rasterio

    try:
        with rasterio.open(path) as raster:
            if raster.crs is None:
                raise NotReadable("the raster does not say its CRS, so no raster step can write it")
            return {
                "width": raster.width,
                "height": raster.height,
                "bands": raster.count,
                "type": str(raster.dtypes[0]),
                "crs": raster.crs.to_string()[:200],
                "classes": not str(raster.dtypes[0]).startswith("float"),
            }
    except rasterio.errors.RasterioIOError as error:
        raise NotReadable(f"it is no raster that can be read: {error}") from error
