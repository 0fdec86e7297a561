"""Other libraries that read Parquet, installed once and kept in ``.cache``."""

import hashlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.pinned_venv import ROOT, python_of

HERE = Path(__file__).parent
SCRIPT = HERE / "read_with.py"
LIBRARIES = ("pyarrow", "duckdb", "duckdb_spatial", "polars", "geopandas", "gdal")


@cache
def environment() -> Path:
    """The virtual environment of all of them but GDAL."""
    folder = python_of("readers").parents[1]
    (spatial,) = folder.glob("lib/*/site-packages/duckdb_extension_spatial/extensions/v*/*")
    # Where DuckDB looks for it, if this is the user's home.
    link = folder / "home" / ".duckdb/extensions" / spatial.parent.name / "linux_amd64"
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        # Relative, for the day this folder is moved; replaced, as others may do the same now.
        fresh = link.with_name(f"{link.name}.{os.getpid()}")
        fresh.symlink_to(os.path.relpath(spatial.parent, link.parent))
        fresh.replace(link)
    return folder


@cache
def debian_gdal() -> Path:
    """A folder that makes Debian's GDAL read Parquet; see ``.ci/ensure_gdal``."""
    script, pins = ROOT / ".ci" / "ensure_gdal", ROOT / ".ci" / "gdal_python.txt"
    folder = ROOT / ".cache" / f"gdal-{_digest(script, pins)}"
    variables = {**os.environ, "PYTHON": sys.executable}
    subprocess.run(["sh", script, folder], check=True, env=variables)
    return folder


def run_with_gdal(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Debian's Python, with Debian's GDAL."""
    folder = debian_gdal()
    variables = {"PYTHONPATH": f"{folder}/python", "GDAL_DRIVER_PATH": f"{folder}/plugins"}
    return _run("/usr/bin/python3", *command, **variables)


def run_in_environment(program: str, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of the virtual environment, which finds DuckDB's extension at home."""
    folder = environment()
    return _run(folder / "bin" / program, *command, HOME=str(folder / "home"))


def read_with(library: str, pairs: list[tuple[Path, Path]]) -> None:
    """Let a library read files.

    Args:
        library: One of ``LIBRARIES``.
        pairs: Parquet files, and where to write what was read, as Arrow files.
    """
    command = [SCRIPT, library, *(path for pair in pairs for path in pair)]
    ran = run_with_gdal(*command) if library == "gdal" else run_in_environment("python", *command)
    assert ran.returncode == 0, ran.stderr


def _run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
