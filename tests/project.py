"""A small project in a folder of its own: a git repository, a recipe, and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECIPE = """\
schema = "d4c.recipe/1"

[dataset]
id = "{id}"
region = "ca"
source = "test"
package = "d4c-datapkg-test"
vintage = "2020"
version = "1.0.0"
title = {{ en = "Places", fr = "Lieux" }}
description = {{ en = "Places with counts.", fr = "Lieux et nombres." }}

[[sources]]
name = "places.csv"
url = "https://example.invalid/places.csv"
mirrors = ["sources/places.csv"]
licence = "OGL-Canada-2.0"
attribution = {{ en = "Contains test data.", fr = "Contient des données d’essai." }}

[build]
environment = "geo"
command = ["python", "process.py"]
resources = {{ cpus = 1, memory = "1GiB", disk = "256MiB", time = "60s" }}

[parameters]
greeting = "hello"

[[outputs]]
name = "places"
format = "parquet"
sort_by = ["id"]
rows = {{ min = 1, max = 10 }}

[[outputs.columns]]
name = "id"
type = "int16"
unique = true
min = 1
description = {{ en = "Number", fr = "Numéro" }}

[[outputs.columns]]
name = "name"
type = "string"
nullable = true
pattern = "[A-Z].*"
description = {{ en = "Name", fr = "Nom" }}
"""

CODE = """\
import os

import pyarrow.csv as csv
import pyarrow.parquet as pq

table = csv.read_csv(os.environ["D4C_SOURCES"] + "/places.csv")
pq.write_table(table, os.environ["D4C_OUT"] + "/places.parquet")
print("wrote", table.num_rows, "rows")
"""

DATA = "id,name\n3,Iqaluit\n1,Moncton\n2,Trois-Rivières\n"


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass
class Project:
    """A project on disk.

    Attributes:
        root: Its folder.
        store: The store its commands use.
        extra: Further environment variables of its commands.
    """

    root: Path
    store: Path
    extra: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, root: Path, store: Path, environments: Path) -> Project:
        """Make a repository with one committed recipe named ``places``."""
        root.mkdir()
        project = cls(root, store)
        (root / "environments").symlink_to(environments)
        (root / ".gitignore").write_text("environments\ndist\n")
        project.git("init", "-q", "-b", "main")
        project.git("config", "user.email", "test@example.invalid")
        project.git("config", "user.name", "Test")
        project.add_recipe("places")
        project.commit("Add a recipe")
        return project

    @property
    def recipe(self) -> Path:
        """The folder of the recipe ``places``."""
        return self.root / "recipes" / "places"

    def add_recipe(self, name: str) -> Path:
        """Write a recipe without committing it."""
        folder = self.root / "recipes" / name
        (folder / "sources").mkdir(parents=True)
        (folder / "recipe.toml").write_text(RECIPE.format(id=name))
        (folder / "process.py").write_text(CODE)
        (folder / "sources" / "places.csv").write_text(DATA)
        return folder

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in a file of the recipe ``places``."""
        path = self.recipe / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new))

    def git(self, *arguments: str) -> str:
        """Run git in the project."""
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str = "Change") -> str:
        """Commit everything; returns the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def run(self, *arguments: str, **variables: str) -> Answer:
        """Run ``d4cbuild`` in the project."""
        done = subprocess.run(
            [sys.executable, "-m", "d4cbuild", *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            env=self.environment(variables),
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def environment(self, variables: dict[str, str] | None = None) -> dict[str, str]:
        """The environment variables of this project's commands."""
        return {
            **os.environ,
            "D4CBUILD_STORE": str(self.store),
            "PYTHONPATH": str(Path(__file__).parent.parent),
            **self.extra,
            **(variables or {}),
        }

    def locked(self) -> Project:
        """Lock the recipe and commit the lock; it must work."""
        answer = self.run("lock", "recipes/places")
        assert answer.status == 0, answer.err
        self.commit("Lock")
        return self

    def built(self) -> Project:
        """Lock, build and commit; it must work."""
        self.locked()
        answer = self.run("build", "recipes/places")
        assert answer.status == 0, answer.err
        self.commit("Build")
        return self
