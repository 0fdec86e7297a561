"""``d4cbuild init``."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import click

from d4cbuild.cli import common
from d4cbuild.cli.progress import make_progress
from d4cbuild.drafting.answers import Answers
from d4cbuild.drafting.request import COPY_UP_TO, Initialised, InitRequest
from d4cbuild.errors import InputError
from d4cbuild.model.facts import TableFacts
from d4cbuild.sandbox.choose import choose_runner
from d4cbuild.store import Store

_PROMPTS = {
    "region": "Region covered (ISO 3166, such as ca or ca-on)",
    "source": "Short name of the publisher",
    "package": "Data package",
    "topic": "Topic, in small letters and underscores",
    "vintage": "Time the data speak of (2021, 2021-05)",
    "title_en": "Title in English",
    "title_fr": "Titre en français",
    "licence": "Licence (SPDX, or LicenseRef-…)",
}


@click.command("init")
@click.argument("id", required=False)
@click.option(
    "--from",
    "places",
    multiple=True,
    metavar="FILE|FOLDER|URL",
    help="The raw file, or a folder of such. May be given several times.",
)
@click.option("--region", default="", metavar="CODE", help="ISO 3166, such as ca or ca-on.")
@click.option("--source", default="", metavar="NAME", help="Short name of the publisher.")
@click.option("--package", default="", metavar="NAME", help="The data package it belongs to.")
@click.option("--topic", default="", metavar="NAME", help="What it is about.")
@click.option("--vintage", default="", metavar="DATE", help="The time the data speak of.")
@click.option("--title-en", default="", metavar="TEXT", help="Title in English.")
@click.option("--title-fr", default="", metavar="TEXT", help="Title in French.")
@click.option("--licence", default="", metavar="ID", help="SPDX, or LicenseRef-….")
@click.option(
    "--copy-up-to",
    type=common.Size(),
    default=f"{COPY_UP_TO >> 20}MiB",
    show_default=True,
    metavar="SIZE",
    help="Larger files are not copied into the recipe's folder.",
)
@click.option("--yes", is_flag=True, help="Ask nothing; what is not given is guessed and listed.")
@common.runner_option
@common.json_option
def command(
    id: str | None,
    places: tuple[str, ...],
    copy_up_to: int,
    yes: bool,
    runner: str,
    as_json: bool,
    **said: str,
) -> int:
    """Draft a recipe of raw files: recipes/ID, with everything that can be found out.

    The files are looked at in the sandbox: format, encoding, where the table is, types, keys,
    shapes, licence. What was not sure is listed, and stands beside it in recipe.toml. Texts that
    somebody has to write are marked TODO.
    """
    asking = not (yes or as_json) and sys.stdin.isatty() and sys.stderr.isatty()
    if id is None or not places:
        if not asking:
            raise _lacking(id)
        id = id or click.prompt("Id of the dataset (a-z, 0-9 and -)", err=True)
        places = places or (click.prompt("File, folder or address of the raw data", err=True),)
    store = Store()
    request = InitRequest(
        Answers(id=str(id), **said), places, copy_up_to, _asked if asking else None
    )
    with store.in_use():
        made = request.answer(store, lambda: choose_runner(runner), make_progress())
    if as_json:
        click.echo(json.dumps(made.as_json(), indent=2, sort_keys=True, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(made)))
    return 0


def _lacking(id: str | None) -> InputError:
    return InputError(
        "init needs an id for the dataset, and raw files",
        hint=f"d4cbuild init {id or 'publisher-topic'} --from FILE, a folder, or an address",
    )


def _asked(likely: Answers) -> Answers:
    answers: dict[str, Any] = {
        name: click.prompt(text, default=getattr(likely, name), err=True)
        for name, text in _PROMPTS.items()
    }
    return replace(likely, **answers)


def _lines(made: Initialised) -> list[str]:
    lines = [f"{made.folder}: drafted"]
    for thing, output in zip(made.things, made.draft.recipe.outputs, strict=True):
        if isinstance(thing, TableFacts):
            shapes = f", {'/'.join(thing.geometry.types)}" if thing.geometry is not None else ""
            size = f"{thing.rows:,} rows, {len(thing.columns)} columns{shapes}"
        else:
            size = f"{thing.width} x {thing.height} cells, {thing.type}"
        lines.append(f"  {output.name}: {size}")
    lines += ["", f"not sure of ({len(made.draft.unsure)}), also said in recipe.toml:"]
    for each in made.draft.unsure:
        lines.append(f"  {each.about}: {each.shown}")
        if each.write is not None:
            lines.append(f"      otherwise: {each.write}")
    lines += ["", f"next: write the texts marked TODO in {made.folder}/recipe.toml, then"]
    return [*lines, *(f"  {each}" for each in made.next)]
