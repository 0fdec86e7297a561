"""``python -m tests.drafting FOLDER``: draft and build a recipe of every real file, as they come.

It takes minutes, so it is part of a release and not of each commit; see CONTRIBUTING.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.drafting.real_files import draft_and_build, is_data, table_of
from tests.project import Project

ENOUGH = 18


def main(folder: Path) -> int:
    """Draft all; 0 if enough of them build and the others say what to do."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch, "store")
        store.mkdir()
        (store / "images").symlink_to(REPOSITORY / ".cache" / "store" / "images")
        project = Project.create(Path(scratch, "project"), store, REPOSITORY / "environments")
        files = sorted(path for path in folder.iterdir() if is_data(path))
        every = [draft_and_build(project, path) for path in files]
    print(table_of(every))
    well = [each for each in every if each.built]
    silent = [each for each in every if not each.built and not each.says_what_to_do]
    return int(len(well) < min(ENOUGH, len(files)) or bool(silent))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
