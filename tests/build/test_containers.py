"""Files that a recipe writes: known containers come out the same, whatever differs in a run."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from d4cbuild.build.folder import RecipeFolder
from d4cbuild.model.derivation import output_declaration
from tests.project import Project

OUTPUTS = """
[[outputs]]
name = "packed"
format = "file"
file = "packed.zip"

[[outputs]]
name = "rolled"
format = "file"
file = "rolled.tar.gz"

[[outputs]]
name = "layers"
format = "file"
file = "layers.gpkg"

[[outputs]]
name = "heights"
format = "file"
file = "heights.tif"

[[outputs]]
name = "text"
format = "file"
file = "notes.txt"

[[outputs]]
name = "odd"
format = "file"
file = "odd.zip"

[[outputs]]
name = "raw"
format = "file"
file = "raw.zip"
container = "as-is"
"""

CODE = """
import io, os, random, tarfile, time, zipfile
import geopandas, numpy, rasterio, shapely

out = os.environ["D4C_OUT"] + "/"
chance = random.Random(os.urandom(8))
members = {f"{n}.csv": b"id\\n" * n * 1000 for n in range(9)}
names = chance.sample(sorted(members), len(members))
now = time.localtime(time.time() - chance.randrange(10**8))[:6]

with zipfile.ZipFile(out + "packed.zip", "w") as archive:
    for name in names:
        archive.writestr(zipfile.ZipInfo(name, now), members[name], chance.choice([0, 8, 12]))
with tarfile.open(out + "rolled.tar.gz", "w:gz", compresslevel=chance.randint(1, 9)) as archive:
    for name in names:
        info = tarfile.TarInfo(name)
        info.size, info.mtime = len(members[name]), time.time()
        archive.addfile(info, io.BytesIO(members[name]))
del os.environ["OGR_CURRENT_DATE"]
for layer in ("a", "b"):
    shapes = geopandas.GeoSeries(shapely.points(range(500), range(500)), crs=4326)
    table = geopandas.GeoDataFrame({"n": range(500)}, geometry=shapes)
    table.to_file(out + "layers.gpkg", layer=layer)
with rasterio.open(
    out + "heights.tif", "w", driver="GTiff", width=400, height=300, count=1, dtype="uint8",
    tiled=True, blockxsize=64, blockysize=64, compress="deflate", num_threads=4, crs="EPSG:3979",
    transform=rasterio.Affine(30, 0, 0, 0, -30, 0),
) as heights:
    rows = list(range(0, 300, 64))
    for row in chance.sample(rows, len(rows)):
        part = numpy.full((min(64, 300 - row), 400), row % 251, "uint8")
        heights.write(part, 1, window=rasterio.windows.Window(0, row, 400, len(part)))
    heights.update_tags(TIFFTAG_DATETIME=time.strftime("%Y:%m:%d %H:%M:%S"))
open(out + "notes.txt", "w").write("notes\\n")
for name in ("odd.zip", "raw.zip"):
    with zipfile.ZipFile(out + name, "w") as archive:
        archive.writestr(zipfile.ZipInfo("../up"), "up")
"""


@pytest.fixture
def packing(project: Project) -> Project:
    """A project whose recipe writes containers, each time others."""
    recipe, code = project.recipe / "recipe.toml", project.recipe / "process.py"
    recipe.write_text(recipe.read_text() + OUTPUTS)
    code.write_text(code.read_text() + CODE)
    project.commit()
    return project.locked()


@pytest.mark.engine
def test_containers_are_rewritten_and_rebuilt_identically(packing: Project) -> None:
    answer = packing.run("build", "--runner", "bubblewrap", "recipes/places")
    assert answer.status == 0, answer.err
    assert "rewritten: d4c.gzip/1, d4c.tar/1" in answer.out
    assert "odd: kept as it is: the member name '../up'" in answer.err
    manifest = json.loads((packing.recipe / "manifest.json").read_text())
    outputs = {output["name"]: output for output in manifest["outputs"]}
    assert {name: output.get("rewritten") for name, output in outputs.items()} == {
        "places": None,
        "packed": ["d4c.zip/1"],
        "rolled": ["d4c.gzip/1", "d4c.tar/1"],
        "layers": ["d4c.geopackage/1"],
        "heights": ["d4c.geotiff/1"],
        "text": None,
        "odd": None,
        "raw": None,
    }
    assert [name for name, output in outputs.items() if "kept" in output] == ["odd"]
    packed = packing.root / "dist" / outputs["packed"]["file"]
    with zipfile.ZipFile(io.BytesIO(packed.read_bytes())) as archive:
        assert {name: len(archive.read(name)) for name in archive.namelist()} == {
            f"{number}.csv": 3000 * number for number in range(9)
        }
    packing.commit()
    answer = packing.run("verify", "--runner", "all", "recipes/places")
    assert answer.status == 0, answer.out + answer.err
    (known,) = packing.run("build", "--json", "recipes/places").json["results"]
    assert {o["name"]: o["rewritten"] for o in known["outputs"]}["layers"] == ["d4c.geopackage/1"]


def test_as_is_belongs_to_plain_files_and_to_the_key(packing: Project) -> None:
    def declared() -> list[object]:
        return [
            output_declaration(output) for output in RecipeFolder(packing.recipe).recipe().outputs
        ]

    before = declared()
    packing.edit("recipe.toml", 'container = "as-is"', "")
    assert declared() != before
    packing.edit("recipe.toml", 'format = "parquet"', 'format = "parquet"\ncontainer = "as-is"')
    answer = packing.run("lock", "recipes/places")
    assert answer.status != 0
    assert 'container is for format = "file"' in answer.err
