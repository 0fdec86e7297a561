"""Finding wheels: pip resolves and reports, and installs nothing."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from d4cbuild.base.ambient import host_facts
from d4cbuild.base.digest import Digest
from d4cbuild.environment.pip_client import TARGET, last_lines, run_pip
from d4cbuild.errors import InputError, Unavailable
from d4cbuild.model.environment import PythonPackages


class FoundWheel:
    """A wheel as pip reports it. Its size is known once it is downloaded.

    Attributes:
        name: Normalised name.
        version: Version.
        file: File name.
        sha256: Digest of the file.
    """

    def __init__(self, record: dict[str, Any]) -> None:
        download = record["download_info"]
        self.name: str = re.sub(r"[-_.]+", "-", record["metadata"]["name"]).lower()
        self.version: str = record["metadata"]["version"]
        self.file = unquote(urlsplit(download["url"]).path.rsplit("/", 1)[1])
        self.sha256 = Digest("sha256", download["archive_info"]["hashes"]["sha256"])

    @property
    def purl(self) -> str:
        """Package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def resolve_wheels(wanted: PythonPackages, folder: Path) -> list[FoundWheel]:
    """Find the wheels that are wanted and all they depend on.

    Args:
        wanted: The definition's Python part.
        folder: A folder for pip's report.

    Raises:
        Unavailable: if another Python is running, or the index cannot be read.
        InputError: if the requirements cannot be satisfied by wheels.
    """
    _check_python(wanted.version)
    if not wanted.requirements:
        return []
    report = folder / "report.json"
    answer = run_pip(_arguments(wanted.requirements, report, folder / "target"))
    if answer.returncode != 0:
        kind = InputError if "No matching distribution" in answer.stderr else Unavailable
        raise kind(
            "pip cannot find wheels for the requirements",
            expected=", ".join(wanted.requirements),
            found=last_lines(answer.stderr),
            hint="mend [python] requirements, or check the network and pip's configuration",
        )
    return [FoundWheel(record) for record in json.loads(report.read_bytes())["install"]]


def _arguments(requirements: Sequence[str], report: Path, target: Path) -> list[str]:
    return [
        "install",
        "--dry-run",
        "--ignore-installed",
        "--quiet",
        f"--report={report}",
        f"--target={target}",
        *TARGET,
        *requirements,
    ]


def _check_python(version: str) -> None:
    """pip evaluates conditions such as ``python_version < "3.12"`` for the Python it runs in."""
    running = host_facts()["python"]
    if not running.startswith(f"{version}."):
        raise Unavailable(
            f"locking wheels for Python {version} needs d4cbuild to run in Python {version}",
            found=f"Python {running}",
            hint=f"run d4cbuild env lock in Python {version}; building needs no certain Python",
        )
