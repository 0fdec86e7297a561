"""Calling pip: the ordinary client of the wheels' registry, with the machine's own settings."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from d4cbuild.base.ambient import environment_for_tools, variable
from d4cbuild.environment.registries import WHEELS_VARIABLE

# Wheels for bookworm's Python and C library (glibc 2.36), whatever machine asks.
TARGET: Final = (
    "--only-binary=:all:",
    "--python-version=3.11",
    "--implementation=cp",
    "--abi=cp311",
    "--abi=abi3",
    "--abi=none",
    *(
        f"--platform={tag}_x86_64"
        for tag in (
            "manylinux_2_28",
            "manylinux_2_27",
            "manylinux_2_26",
            "manylinux_2_24",
            "manylinux_2_17",
            "manylinux2014",
            "manylinux_2_12",
            "manylinux2010",
            "manylinux_2_5",
            "manylinux1",
        )
    ),
)


def run_pip(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run pip and return what it said.

    With ``D4CBUILD_PYPI_INDEX`` set, that index is the only one asked: pip's configuration files
    and find-links are not read.
    """
    environment = environment_for_tools()
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    environment["PIP_NO_INPUT"] = "1"
    environment["PIP_REQUIRE_VIRTUALENV"] = "0"  # nothing is installed
    environment["PIP_USER"] = "0"
    chosen = variable(WHEELS_VARIABLE)
    if chosen is not None:
        for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
            environment.pop(name, None)
        environment["PIP_CONFIG_FILE"] = os.devnull
        environment["PIP_INDEX_URL"] = chosen
    return subprocess.run(  # noqa: S603 - a list, no shell
        [sys.executable, "-m", "pip", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def last_lines(text: str, count: int = 8) -> str:
    """The end of what a tool said, for an error."""
    return "\n".join(text.strip().splitlines()[-count:])
