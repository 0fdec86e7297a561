"""Open Database of Healthcare Facilities v1.1: the published CSV as a table of points."""

import csv
import json
import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

# Published name -> our name. The order is the publisher's and is checked.
COLUMNS = {
    "index": "facility_id",
    "facility_name": "facility_name",
    "source_facility_type": "source_facility_type",
    "odhf_facility_type": "facility_type",
    "provider": "provider",
    "unit": "unit",
    "street_no": "street_number",
    "street_name": "street_name",
    "postal_code": "postal_code",
    "city": "city",
    "province": "province",
    "source_format_str_address": "source_address",
    "CSDname": "csd_name",
    "CSDuid": "csd_uid",
    "Pruid": "province_uid",
    "latitude": "latitude",
    "longitude": "longitude",
}
# The publisher's file went through a table of floating-point numbers: 4806016 became 4806016.0.
FLOAT_CODE = re.compile(r"([0-9]{7})\.0")


def read_rows(path: Path, encoding: str) -> list[dict[str, str | None]]:
    """Every row under our names; white space at the ends is cut and empty text is null."""
    with path.open(encoding=encoding, errors="strict", newline="") as file:
        reader = csv.reader(file, strict=True)
        header = next(reader)
        if header != list(COLUMNS):
            raise SystemExit(f"unknown header: {header}")
        rows = []
        for fields in reader:
            if len(fields) != len(COLUMNS):
                raise SystemExit(
                    f"line {reader.line_num}: {len(fields)} fields, not {len(COLUMNS)}"
                )
            values = (field.strip() or None for field in fields)
            rows.append(dict(zip(COLUMNS.values(), values, strict=True)))
    return rows


def code_of(text: str | None) -> str | None:
    """The census subdivision's code without the trace of a floating-point number."""
    if text is None:
        return None
    match = FLOAT_CODE.fullmatch(text)
    if match is None:
        raise SystemExit(f"census subdivision code {text!r} is not seven digits and '.0'")
    return match[1]


def point_of(row: dict[str, str | None]) -> bytes | None:
    """Longitude and latitude, exactly as published, as a WKB point."""
    longitude, latitude = row["longitude"], row["latitude"]
    if (longitude is None) != (latitude is None):
        raise SystemExit(f"facility {row['facility_id']} has half a coordinate")
    if longitude is None or latitude is None:
        return None
    return shapely.to_wkb(shapely.Point(float(longitude), float(latitude)), byte_order=1)


def main() -> None:
    """Read, tidy and write."""
    parameters = json.loads(Path(os.environ["D4C_PARAMETERS"]).read_text(encoding="utf-8"))
    source = Path(os.environ["D4C_SOURCES"]) / "odhf_v1.1.csv"
    rows = read_rows(source, parameters["encoding"])
    if len(rows) != parameters["rows"]:
        raise SystemExit(f"{len(rows)} rows read, {parameters['rows']} expected")
    for row in rows:
        row["csd_uid"] = code_of(row["csd_uid"])
        row["province"] = row["province"] and row["province"].upper()
        # Two rows of Yukon spell their type with a small initial.
        kind = row["facility_type"]
        row["facility_type"] = kind and kind[0].upper() + kind[1:]
    names = [name for name in COLUMNS.values() if name not in ("latitude", "longitude")]
    arrays = [pa.array([row[name] for row in rows], pa.string()) for name in names]
    arrays.append(pa.array([point_of(row) for row in rows], pa.binary()))
    table = pa.table(arrays, names=[*names, "geometry"])
    pq.write_table(table, Path(os.environ["D4C_OUT"]) / "facilities.parquet")


if __name__ == "__main__":
    main()
