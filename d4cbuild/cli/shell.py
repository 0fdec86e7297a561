"""``d4cbuild shell``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.make import Maker
from d4cbuild.build.plan import plan_dirty
from d4cbuild.build.project import find_recipe
from d4cbuild.build.result import shown_path
from d4cbuild.build.shell import Left, Shell
from d4cbuild.cli import common, sharing
from d4cbuild.cli.progress import make_progress
from d4cbuild.cli.sharing import Shared
from d4cbuild.difference.shown import printable
from d4cbuild.model.quantities import render_bytes
from d4cbuild.sandbox.choose import choose_runner
from d4cbuild.sandbox.console import Console
from d4cbuild.sandbox.job import CODE, OUT, PARAMETERS, SOURCES, Job
from d4cbuild.store import Store

_STDOUT, _STDERR = 1, 2


@click.command("shell")
@click.argument("recipe", type=click.Path(path_type=Path))
@click.argument("words", metavar="[-- COMMAND]", nargs=-1)
@common.runner_option
@common.mirror_option
@common.cpus_option
@sharing.options(outputs=False)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help=f"Keep what is written to {OUT} in this new or empty folder. Else it is lost.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Say how it ended as one JSON document on stdout; what is printed goes to stderr.",
)
def command(
    recipe: Path,
    words: tuple[str, ...],
    runner: str,
    mirrors: tuple[str, ...],
    cpus: int | None,
    shared: Shared,
    keep: Path | None,
    as_json: bool,
) -> int:
    """Open a shell in a recipe's sandbox, or run one command there.

    There is what the recipe's code finds in a build: environment, sources, parameters, code; no
    network, the same variables and limits, but no limit of time. The code is as it lies in the
    recipe's folder, committed or not, and follows when you save. Where input or output is no
    terminal, commands are read from standard input.

    Exits with the status of the shell or command.
    """
    store, progress = Store(), make_progress()
    with store.in_use():
        folder = RecipeFolder(find_recipe(recipe))
        maker = Maker(store, choose_runner(runner), mirrors, progress, cpus, substituters=shared())
        plan = plan_dirty(folder, store, mirrors, progress)
        shell = Shell(words, keep, _STDERR if as_json else _STDOUT)

        def greet(job: Job, console: Console) -> None:
            if console.is_terminal and not words:
                usual = shlex.join(plan.recipe.build.run)
                click.echo(
                    "\n".join(_greeting(folder, job, usual, maker.runner.name, keep)), err=True
                )

        left = shell.run(plan, maker, greet)
    _tell(left)
    if as_json:
        click.echo(json.dumps(_record(left, folder), indent=2, sort_keys=True))
    return left.outcome.status


def _greeting(
    folder: RecipeFolder, job: Job, usual: str, runner: str, keep: Path | None
) -> list[str]:
    sources = ", ".join(name for name, _ in job.sources)
    memory, disk = render_bytes(job.limits.memory), render_bytes(job.limits.disk)
    fate = "lost at the end; --keep DIR keeps it" if keep is None else f"kept in {shown_path(keep)}"
    return [
        f"{folder.where}: a shell in {runner}; exit or Ctrl-D ends it",
        f"  to run the recipe's code:  {usual}",
        f"  {CODE}: the code, as you save it in {folder.where}",
        f"  {SOURCES}: {sources}",
        f"  {PARAMETERS}: the parameters",
        f"  {OUT}: what you write, {fate}",
        f"  no network; {memory} of memory, {disk} of disk, no limit of time",
    ]


def _tell(left: Left) -> None:
    outcome = left.outcome
    for note in outcome.not_enforced:
        click.echo(f"not enforced here: {note}", err=True)
    if outcome.stopped_by is not None:
        click.echo(f"stopped: it went beyond its limit of {outcome.stopped_by}", err=True)
    if not left.files:
        return
    names = [f"  {printable(name)}  {size:,} bytes" for name, size in left.files]
    if left.kept is None:
        click.echo(f"lost, as it was only in {OUT} (--keep DIR keeps it):", err=True)
    else:
        click.echo(f"kept in {shown_path(left.kept)}:", err=True)
    click.echo("\n".join(names), err=True)


def _record(left: Left, folder: RecipeFolder) -> dict[str, object]:
    return {
        "recipe": folder.where,
        "exit_code": left.outcome.status,
        "stopped_by": left.outcome.stopped_by,
        "out": [{"name": name, "size": size} for name, size in left.files],
        "kept": None if left.kept is None else str(left.kept),
    }
