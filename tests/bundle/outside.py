"""What others' validators object to in bundles."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.pinned_venv import ROOT, python_of


def objections(cache: Path, *folders: Path) -> dict[str, dict[str, list[str]]]:
    """Ask the validators of RO-Crate, Frictionless and DataCite.

    Args:
        cache: Where one of them may put things.
        folders: Bundles.

    Returns:
        What each has to object, by validator, by the bundle's name.
    """
    script = ROOT / "tests" / "bundle" / "outside_validators.py"
    command = [python_of("validators"), "-I", script, cache, *folders]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {Path(name).name: each for name, each in found.items()}
