"""``d4cbuild show``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from d4cbuild.base.files import write_atomically
from d4cbuild.build.project import project_root
from d4cbuild.cli import common
from d4cbuild.cli.showing import record_of, render
from d4cbuild.errors import InputError
from d4cbuild.profile.subject import Look, Subject
from d4cbuild.report.show import INDEX, Entry, entry_of, site_index, subject_page
from d4cbuild.store import Store


@click.command("show")
@common.targets_argument
@common.all_option
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE|DIR",
    help="Write one page that needs nothing else; of several targets, a folder with a list.",
)
@common.dist_option
@common.json_option
def command(
    targets: tuple[Path, ...], every: bool, html: Path | None, dist: Path | None, as_json: bool
) -> int:
    """Show what is in recipes, manifests, Parquet files of any writer, or any other files.

    Statistics are of the built file, where it is in dist/ or in the store.
    """
    chosen = common.chosen_recipes(targets, every)
    look = Look(lambda folder: _dist(dist, folder), Store, draw=html is not None)
    is_site = html is not None and (every or len(chosen) > 1)
    site = _Site(html) if html is not None and is_site else None

    def work(target: Path) -> tuple[dict[str, Any], int]:
        subject = look.at(target)
        record = record_of(subject)
        if site is not None:
            record["html"] = str(site.add(subject))
        elif html is not None:
            _write(html, subject_page(subject))
            record["html"] = str(html)
        return record, 0

    status = common.each_recipe(chosen, as_json, work, render)
    if site is not None:
        site.finish()
    return status


class _Site:
    """A folder of pages with a list."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise InputError("a site is a folder", found="a file", where=str(folder))
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._entries: list[Entry] = []

    def add(self, subject: Subject) -> Path:
        """Write a recipe's page; returns where."""
        if subject.dataset is None:
            raise InputError(
                "a site is made of recipes and manifests",
                found="a file by itself",
                where=subject.where,
                hint=f"d4cbuild show --html FILE {subject.where}",
            )
        entry = entry_of(subject)
        path = self._folder / entry.page
        _write(path, subject_page(subject, INDEX))
        self._entries.append(entry)
        return path

    def finish(self) -> None:
        """Write the list."""
        _write(self._folder / INDEX, site_index(self._entries))


def _write(path: Path, page: bytes) -> None:
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(
            "the page cannot be written there",
            expected="a file's name in a folder that exists",
            where=str(path),
        )
    write_atomically(path, page)


def _dist(dist: Path | None, folder: Path) -> Path | None:
    if dist is not None:
        return dist
    try:
        return project_root(folder) / "dist"
    except InputError:
        return None  # a manifest outside of any project
