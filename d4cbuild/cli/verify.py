"""``d4cbuild verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from d4cbuild.build.result import shown_path
from d4cbuild.bundle.rebuild import RebuildRequest
from d4cbuild.cli import common, sharing
from d4cbuild.cli.progress import make_progress
from d4cbuild.cli.sharing import Shared
from d4cbuild.cli.trusting import Trusting, render_judged, render_signed
from d4cbuild.cli.trusting import options as with_trust
from d4cbuild.cli.varying import options as with_variations
from d4cbuild.cli.varying import render_varied, vary_options
from d4cbuild.cli.verifying import Verifier, wants_no_network
from d4cbuild.sandbox.offline import go_offline

_COLOURS = {"identical": "green", "equivalent": "yellow", "unknown": "yellow"}


@click.command("verify")
@common.targets_argument
@common.all_option
@click.option(
    "--offline/--online",
    default=None,
    help="Forbid this process the network, or not.  [default: --offline for fat bundles]",
)
@common.mirror_option
@common.dist_option
@common.cpus_option
@click.option(
    "--runner",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="What runs the sandbox: auto, bubblewrap, docker, or all for both.",
)
@sharing.options(outputs=False)
@with_variations
@with_trust
@common.json_option
def command(
    targets: tuple[Path, ...],
    every: bool,
    offline: bool | None,
    mirrors: tuple[str, ...],
    dist: Path | None,
    cpus: int | None,
    runner: str,
    shared: Shared,
    vary: str | None,
    rounds: int,
    seed: str | None,
    trusting: Trusting,
    as_json: bool,
) -> int:
    """Rebuild recipes or bundles and compare every output with the manifest.

    A recipe is rebuilt from its lock, a bundle from what is in it, after everything in it was
    checked. A fat bundle needs no network, and gets none.

    Says of each output: identical (the same bytes), equivalent (other bytes, the same table),
    different, failed, or unknown (it could not be checked).

    With --vary, the rebuild happens in other circumstances: other CPUs, another clock, another
    order of files, and so on (d4cbuild/spec/variations.md). What comes out otherwise is told
    together with what makes it so.

    With --policy, nothing is rebuilt: what others have signed is judged by trust.toml. With
    --attest as well, the rebuild is done, signed, and judged with the others.
    """
    chosen = common.chosen_recipes(targets, every)
    if wants_no_network(chosen, offline):
        go_offline()
    varying = vary_options(vary, rounds, seed)

    def request(target: Path) -> RebuildRequest:
        return RebuildRequest(target, shared, dist, mirrors, runner, cpus, varying)

    verifier = Verifier(request, dist, trusting, make_progress())
    if trusting.only_judges:
        return common.each_recipe(chosen, as_json, verifier.judge, render_judged)
    with verifier.store.in_use():
        return common.each_recipe(chosen, as_json, verifier.verify, _render, _print_table)


def _render(record: dict[str, Any]) -> str:
    lines = [f"{record['recipe']}: {_verdict(record['verdict'])}"]
    for rebuild in record["rebuilds"]:
        for output in rebuild["outputs"]:
            lines += _render_output(rebuild["runner"], output)
    if record["varied"] is not None:
        lines += render_varied(record["varied"], _verdict)
    return "\n".join([*lines, *render_signed(record)])


def _render_output(runner: str, output: dict[str, Any]) -> list[str]:
    lines = [f"  {runner}: {output['name']}: {_verdict(output['verdict'])}"]
    expected, found = output["expected"], output["found"]
    if output["verdict"] == "identical":
        lines.append(f"    {expected['sha256']}")
    elif found:
        for name in ("sha256", "content", "size", "rows"):
            mark = "" if expected[name] == found[name] else "   <- differs"
            lines.append(f"    {name}: expected {expected[name]}")
            lines.append(f"    {' ' * len(name)}  found    {found[name]}{mark}")
    if output["reason"] is not None:
        lines += [f"    {line}" for line in output["reason"].splitlines()]
    lines += [f"    kept: {shown_path(Path(path))}" for path in output["kept"]]
    lines += [f"    next: {output['next']}"] if output["next"] is not None else []
    return lines


def _print_table(results: list[dict[str, Any]]) -> None:
    """One line an output, under all that was said before."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("recipe", "output", "runner", "verdict"):
        table.add_column(heading, no_wrap=True)
    for heading in ("rows", "bytes"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("sha256", no_wrap=True)
    for result in results:
        for rebuild in result.get("rebuilds", ()):  # none where nothing could be read
            for output in rebuild["outputs"]:
                table.add_row(result["recipe"], *_table_cells(rebuild["runner"], output))
    console = Console()
    # In a pipe nobody sees a width, so nothing is to be cut off.
    Console(width=None if console.is_terminal else 200).print(table)


def _table_cells(runner: str, output: dict[str, Any]) -> tuple[str, ...]:
    facts = output["found"] or output["expected"]
    rows, size = facts.get("rows"), facts.get("size")
    return (
        output["name"],
        runner,
        output["verdict"],
        "" if rows is None else f"{rows:,}",
        "" if size is None else f"{size:,}",
        facts.get("sha256", "").removeprefix("sha256:")[:16],
    )


def _verdict(verdict: str) -> str:
    return click.style(verdict, fg=_COLOURS.get(verdict, "red"), bold=True)
