"""``init`` as it is asked for: look, ask, draft, write."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from d4cbuild.base.ambient import now_utc
from d4cbuild.base.progress import Progress
from d4cbuild.build.project import project_root, relative
from d4cbuild.drafting.answers import Answers, completed
from d4cbuild.drafting.draft import Draft, draft, things_of
from d4cbuild.drafting.gather import RawFile, gather
from d4cbuild.drafting.look import Given, look_at_files
from d4cbuild.drafting.toml import table
from d4cbuild.drafting.writing import require_new, write_draft
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.model.facts import Facts, RasterFacts, TableFacts
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.recipe import Dataset
from d4cbuild.sandbox.job import Runner
from d4cbuild.store import Store

COPY_UP_TO = 2 << 20
_ENVIRONMENT = "geo"

Ask = Callable[[Answers], Answers]
"""Shows a person what is likely, and gives back what they say."""


@dataclass(frozen=True)
class Initialised:
    """A new recipe.

    Attributes:
        folder: Where it is.
        draft: What was drafted.
        facts: What was found.
        files: What was written.
        mirrors: Folders to name with ``--mirror``, for files that lie only there.
    """

    folder: Path
    draft: Draft
    facts: Facts
    files: tuple[Path, ...]
    mirrors: tuple[Path, ...]

    @property
    def things(self) -> list[TableFacts | RasterFacts]:
        """All tables and rasters that were found."""
        return [thing for source in self.facts.sources for thing in things_of(source)]

    @property
    def next(self) -> list[str]:
        """The commands that follow."""
        where = shlex.quote(str(self.folder))
        mirror = "".join(f" --mirror {shlex.quote(str(each))}" for each in self.mirrors)
        return [
            f"d4cbuild build --dirty{mirror} {where}",
            f"git add {where}",
            f'git commit -m "Add {self.draft.recipe.dataset.id}"',
            f"d4cbuild lock{mirror} {where}",
            f"d4cbuild build {where}",
            f"d4cbuild verify {where}",
        ]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "recipe": str(self.folder),
            "files": [str(path) for path in self.files],
            "facts": self.facts.as_json(),
            "unsure": [each.as_json() for each in self.draft.unsure],
            "next": self.next,
            "exit_code": 0,
        }


@dataclass(frozen=True)
class InitRequest:
    """A recipe that is to be drafted.

    Attributes:
        answers: What is said of the dataset; its id at least.
        places: Files, folders and addresses of the raw files.
        copy_up_to: Files of at most so many bytes are copied into the recipe's folder.
        ask: Asks a person for what was not said.
    """

    answers: Answers
    places: Sequence[str]
    copy_up_to: int = COPY_UP_TO
    ask: Ask | None = None

    def answer(self, store: Store, runner: Callable[[], Runner], progress: Progress) -> Initialised:
        """Look at the raw files and write the recipe.

        Raises:
            D4CError: saying what is wrong and what to do.
        """
        root = project_root(Path.cwd())
        folder = relative(root / "recipes" / self.answers.id)
        _require_sound(self.answers)
        require_new(folder)
        with store.workspace() as workspace:
            files = gather(self.places, workspace, progress)
            given = [Given(file.name, file.path, file.is_document) for file in files]
            environment = EnvironmentFolder(root / "environments" / _ENVIRONMENT)
            facts = look_at_files(given, environment, store, runner(), progress)
            answers = completed(self.answers, facts, [file.given for file in files], now_utc().year)
            said = self.answers
            if self.ask is not None:
                # What a person was asked is no guess any more.
                said = answers = self.ask(answers)
                _require_sound(answers)
            drafted = draft(facts, files, said, answers, self.copy_up_to)
            written = write_draft(drafted, folder)
        return Initialised(folder, drafted, facts, tuple(written), _mirrors(drafted))


def _mirrors(drafted: Draft) -> tuple[Path, ...]:
    apart = [file for file in drafted.used if file not in drafted.copied and not file.fetched]
    return tuple(dict.fromkeys(_folder(file) for file in apart))


def _folder(file: RawFile) -> Path:
    return relative(file.path.absolute()).parent


def _require_sound(answers: Answers) -> None:
    """Refuse what no recipe could say, before anything is looked at."""
    record = {
        "id": answers.id,
        "region": answers.region or "ca",
        "source": answers.source or "source",
        "package": answers.package or "package",
        "topic": answers.topic or None,
        "vintage": answers.vintage or "2000",
        "version": "1.0.0",
        "title": {"en": answers.title_en or "title", "fr": answers.title_fr or "titre"},
        "description": {"en": "description", "fr": "description"},
    }
    text = table("[dataset]", record).removeprefix("[dataset]\n")
    record_from_toml(Dataset, text.encode(), f"recipe {answers.id}")
