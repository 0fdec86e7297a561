"""Census metropolitan areas and census agglomerations of 2016: the shapefile as multipolygons."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyproj import Transformer

# Published name -> our name. The order is the publisher's and is checked.
COLUMNS = {
    "CMAUID": "cma_uid",
    "CMAPUID": "cma_puid",
    "CMANAME": "cma_name",
    "CMATYPE": "cma_type",
    "PRUID": "province_uid",
    "PRNAME": "province_name",
}
# The .prj has no EPSG code, so its words are checked instead of being looked up.
PROJECTION = (
    'SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],'
    'PARAMETER["False_Easting",6200000.0],PARAMETER["False_Northing",3000000.0],'
    'PARAMETER["Central_Meridian",-91.86666666666666],PARAMETER["Standard_Parallel_1",49.0],'
    'PARAMETER["Standard_Parallel_2",77.0],PARAMETER["Latitude_Of_Origin",63.390675],'
    'UNIT["Meter",1.0]]'
)
# Spelled out, because PROJ asked for "EPSG:3347 to EPSG:4326" chooses among operations by the
# grids it finds. NAD83 and WGS 84 are taken as one: no datum shift.
PIPELINE = (
    "+proj=pipeline "
    "+step +inv +proj=lcc +lat_0=63.390675 +lon_0=-91.86666666666666 +lat_1=49 +lat_2=77 "
    "+x_0=6200000 +y_0=3000000 +ellps=GRS80 "
    "+step +proj=unitconvert +xy_in=rad +xy_out=deg"
)
POLYGON, MULTIPOLYGON = 3, 6


def read(archive: Path, layer: str, encoding: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Shapes in metres of the Lambert projection, and the attributes under our names."""
    with zipfile.ZipFile(archive) as container:
        if not container.read(f"{layer}.prj").decode("ascii").endswith(PROJECTION):
            raise SystemExit(f"{layer}.prj is not the projection of EPSG:3347")
    meta, _, shapes, values = pyogrio.raw.read(
        f"/vsizip/{{{archive}}}/{layer}.shp", encoding=encoding
    )
    if list(meta["fields"]) != list(COLUMNS):
        raise SystemExit(f"unknown columns: {list(meta['fields'])}")
    return shapely.from_wkb(shapes), dict(zip(COLUMNS.values(), values, strict=True))


def to_degrees(shapes: np.ndarray, decimals: int, tie_margin: float) -> np.ndarray:
    """Longitude and latitude, rounded so that the last bits of sin and log cannot show.

    A coordinate close to halfway between two rounded values could still fall either way; none may
    lie nearer to it than ``tie_margin`` degrees.
    """
    metres = shapely.get_coordinates(shapes)
    degrees = np.column_stack(
        Transformer.from_pipeline(PIPELINE).transform(metres[:, 0], metres[:, 1], errcheck=True)
    )
    scaled = degrees * 10.0**decimals
    nearest_tie = np.abs(scaled - np.floor(scaled) - 0.5).min() / 10.0**decimals
    if not nearest_tie > tie_margin:
        raise SystemExit(f"a coordinate lies {nearest_tie} degrees from a rounding tie")
    return shapely.set_coordinates(shapes, np.round(degrees, decimals))


def to_valid_multipolygons(shapes: np.ndarray) -> np.ndarray:
    """Valid shapes of one kind. Only invalid ones are touched, and may not change in area."""
    shapes = shapely.remove_repeated_points(shapes)
    mended = shapes.copy()
    broken = ~shapely.is_valid(shapes)
    mended[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
    if not np.allclose(shapely.area(mended), shapely.area(shapes), rtol=1e-9, atol=0):
        raise SystemExit("making a shape valid changed its area")
    kinds = set(shapely.get_type_id(mended).tolist())
    if not kinds <= {POLYGON, MULTIPOLYGON} or not shapely.is_valid(mended).all():
        raise SystemExit(f"shapes are not valid polygons: geometry types {kinds}")
    return np.array([shapely.multipolygons(shapely.get_parts(shape)) for shape in mended])


def main() -> None:
    """Read, project, mend and write."""
    parameters = json.loads(Path(os.environ["D4C_PARAMETERS"]).read_text(encoding="utf-8"))
    archive = Path(os.environ["D4C_SOURCES"]) / "lcma000b16a_e.zip"
    shapes, attributes = read(archive, parameters["layer"], parameters["encoding"])
    if len(shapes) != parameters["rows"]:
        raise SystemExit(f"{len(shapes)} shapes read, {parameters['rows']} expected")
    # A wrong encoding shows here, and nowhere else.
    missing = set(parameters["names_with_accents"]) - set(attributes["cma_name"])
    if missing:
        raise SystemExit(f"names not found, so the encoding is wrong: {sorted(missing)}")
    degrees = to_degrees(shapes, parameters["decimals"], parameters["tie_margin"])
    geometry = shapely.to_wkb(to_valid_multipolygons(degrees), byte_order=1)
    arrays = [pa.array([text.strip() for text in column]) for column in attributes.values()]
    arrays.append(pa.array(geometry, pa.binary()))
    table = pa.table(arrays, names=[*COLUMNS.values(), "geometry"])
    pq.write_table(table, Path(os.environ["D4C_OUT"]) / "areas.parquet")


if __name__ == "__main__":
    main()
