"""A git repository with the folder of one recipe in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from d4cbuild.code.folder import Code
from d4cbuild.code.history import committed_code, working_code

NOWHERE = "0" * 40
"""A commit or tree that is in no repository."""


class Repository:
    """A git repository with a recipe's folder in it."""

    def __init__(self, root: Path, inside: str = "recipes/r") -> None:
        self.root = root
        self.folder = root / inside
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        settings = ["user.name=Test", "user.email=test@example.invalid", "commit.gpgsign=false"]
        options = [part for setting in settings for part in ("-c", setting)]
        command = ["git", *options, *arguments]
        done = subprocess.run(command, cwd=self.root, capture_output=True, check=True)
        return os.fsdecode(done.stdout).strip()

    def write(self, files: dict[str, bytes]) -> None:
        for name, data in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "Change")
        return self.git("rev-parse", "HEAD")

    def committed(self) -> Code:
        """The code of HEAD, taken from git."""
        commit = self.git("rev-parse", "HEAD")
        code = working_code(self.folder)
        found, warning = committed_code(self.folder, commit, NOWHERE, code.digest)
        assert warning is None
        return found
