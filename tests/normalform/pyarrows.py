"""Several releases of pyarrow side by side, installed once and kept in ``.cache``."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("23.0.1", "24.0.0", "25.0.1", "26.0.1")


def installed(version: str) -> Path:
    """A folder to put on the path, which holds that release."""
    folder = ROOT / ".cache" / f"pyarrow-{version}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary"]
        command += [":all:", "--target", f"{scratch}/new", f"pyarrow=={version}"]
        subprocess.run(command, check=True)
        shutil.rmtree(f"{scratch}/new/pyarrow/tests", ignore_errors=True)
        Path(f"{scratch}/new").rename(folder)
    return folder


def run(
    module: str, *arguments: str, path: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a module of this project in another Python, with another pyarrow if a path is given."""
    places = [str(place) for place in (path, ROOT) if place is not None]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(places), **environment}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=variables, check=True, capture_output=True, text=True
    )
