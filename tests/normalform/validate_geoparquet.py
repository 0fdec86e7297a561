"""Run GDAL's own check of GeoParquet files, with a GDAL older than the check.

``python validate_geoparquet.py SCHEMA.json FILE…`` prints one JSON object, the complaints by file.
"""

import json
import sys
from contextlib import contextmanager

from osgeo import gdal, ogr, osr
from osgeo_utils.samples import validate_geoparquet


@contextmanager
def exceptions(useExceptions=True):  # noqa: N803 - GDAL's name
    """What GDAL 3.7 calls ExceptionMgr; nothing here turns exceptions off again."""
    for module in (gdal, ogr, osr):
        module.UseExceptions()
    yield


for library in (gdal, ogr, osr):
    library.ExceptionMgr = exceptions
schema, *files = sys.argv[1:]
check = validate_geoparquet.check
print(json.dumps({file: check(file, check_data=True, local_schema=schema) for file in files}))
