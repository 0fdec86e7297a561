"""Assembles the tiny environment as another user would, and prints the image's digests.

Run as a program: FOLDER UMASK USER ORDER, where USER is a number or ``same`` and ORDER is
``forwards`` or ``backwards``.
"""

# Before the user is changed, who may not be able to read this machine's Python.
import encodings.cp437
import encodings.utf_16_be  # noqa: F401
import os
import sys
from pathlib import Path

import installer  # noqa: F401
import rfc8785  # noqa: F401
import zstandard  # noqa: F401

sys.path.insert(0, str(Path(__file__).parents[2]))

import d4cbuild.environment.assemble  # noqa: F401
from d4cbuild.base.progress import Silence
from d4cbuild.environment.images import assemble_image
from d4cbuild.model.environment import Environment
from tests.environment.tiny import make_tiny

Environment.model_rebuild()  # records are made ready when the first is read


def main(folder: Path, umask: int, user: str, order: str) -> None:
    os.umask(umask)
    if user != "same":
        folder.mkdir(parents=True)
        os.chown(folder, int(user), int(user))
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    tiny = make_tiny(folder / "tiny", folder / "packages", None)
    packages, files = list(tiny.packages), dict(tiny.files)
    if order == "backwards":
        packages.reverse()
        files = dict(reversed(files.items()))
    made = assemble_image(
        tiny.folder.environment(), tuple(packages), files, folder / "image", Silence()
    )
    print(made.config, made.manifest, *(layer.sha256 for layer in made.layers))


main(Path(sys.argv[1]), int(sys.argv[2], 8), sys.argv[3], sys.argv[4])
