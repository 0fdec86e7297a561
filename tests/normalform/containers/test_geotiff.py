"""GeoTIFFs and cloud-optimised ones, written and read by the environment's own GDAL."""

from __future__ import annotations

import json
from pathlib import Path

from d4cbuild.build.carried import installed_normal_form
from d4cbuild.sandbox.bubblewrap import BubblewrapRunner
from d4cbuild.sandbox.image import Image
from tests.sandbox.jobs import MIB, make_job, run


def test_tiffs_of_one_content_are_one_file_and_read_back(tmp_path: Path, geo_image: Image) -> None:
    program_text = Path(__file__).with_name("inside.py").read_text()
    limits = {"cpus": 2, "memory": 1024 * MIB, "disk": 256 * MIB}
    job = make_job(geo_image, tmp_path / "job", program_text, limits)
    installed_normal_form().lay_out(job.lib)
    ran = run(BubblewrapRunner(), job)
    assert ran.outcome.succeeded, ran.log
    record = json.loads(ran.log.splitlines()[-1])
    kinds = ["plain", "masked", "big", "strips", "bands", "sparse"]
    assert set(record["raw"]) == {*kinds, *(f"cog {kind}" for kind in kinds)}
    # They do differ before: in the order of blocks, and in what they say of their making.
    assert set(record["raw"].values()) == {2}
    assert set(record["new"].values()) == {1}
    assert set(record["same"].values()) == {True}
    assert all(all(each) for each in record["facts"].values())
    for kind, layout in record["layout"].items():
        assert layout == ("COG" if kind.startswith("cog ") else None)
        assert record["framed"][kind] == kind.startswith("cog ")
