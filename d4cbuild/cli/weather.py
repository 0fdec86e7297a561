"""``d4cbuild weather``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from d4cbuild.build.folder import RecipeFolder
from d4cbuild.cli import common
from d4cbuild.cli.progress import make_progress
from d4cbuild.errors import InputError
from d4cbuild.model.quantities import parse_seconds
from d4cbuild.store import Store

_COLOURS = {
    "safe": "green",
    "ok": "green",
    "yes": "green",
    "lost": "red",
    "changed": "red",
    "no": "red",
}
_NAMED = 4
_BUILDABLE = {
    "yes": "can be built",
    "no": "cannot be built",
    "unknown": "not known whether it can be built",
}


@click.command("weather")
@common.recipes_argument
@common.all_option
@common.mirror_option
@click.option("--deep", is_flag=True, help="Read everything and hash it, instead of samples.")
@click.option(
    "--packages/--no-packages",
    default=True,
    show_default=True,
    help="Look for the packages of the environment as well.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Remember what was seen in FILE, instead of in the store.",
)
@click.option(
    "--fresh",
    type=click.FloatRange(0, 3650),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="For how long a copy that cannot be looked at counts as it was last seen.",
)
@click.option(
    "--time",
    "time",
    default="15m",
    show_default=True,
    metavar="DURATION",
    help="Longest time for all looking. What is not looked at by then counts as not looked at.",
)
@common.json_option
def command(
    recipes: tuple[Path, ...],
    every: bool,
    mirrors: tuple[str, ...],
    deep: bool,
    packages: bool,
    record: Path | None,
    fresh: float,
    time: str,
    as_json: bool,
) -> int:
    """Say whether recipes can still be built: who still has what their locks name.

    Looks into every place of every source and package, without fetching them: publishers, mirrors,
    the store, package archives and indexes. Says how many independent copies there are, since when
    they have not been seen, and how what has changed is other.

    Exit codes, OR-ed: 0 all can still be built, 1 something is lost, 2 somebody serves other bytes
    than the locked ones, 16 something could not be looked at.
    """
    # Imported late, for --help.
    from d4cbuild.weather.forecast import Forecaster
    from d4cbuild.weather.memory import FileMemory
    from d4cbuild.weather.watch import Watch, WeatherOptions

    options = WeatherOptions(
        mirrors=mirrors, deep=deep, packages=packages, fresh_days=fresh, seconds=_seconds(time)
    )
    store = Store()

    with store.in_use():
        memory = None if record is None else FileMemory(record)
        forecaster = Forecaster(Watch(store, options, make_progress(), memory))

        def look(recipe: Path) -> tuple[dict[str, Any], int]:
            report = forecaster.report(RecipeFolder(recipe))
            return {**report.as_json(), "exit_code": report.exit_code}, report.exit_code

        chosen = common.chosen_recipes(recipes, every)
        return common.each_recipe(chosen, as_json, look, _render)


def _seconds(text: str) -> float:
    try:
        seconds = parse_seconds(text)
    except ValueError as error:
        raise InputError("not a duration", found=str(error), where="--time") from error
    assert isinstance(seconds, int)  # noqa: S101 - a text is read, or refused
    return seconds


def _render(record: dict[str, Any]) -> str:
    risk, buildable = record["risk"], record["buildable"]
    lines = [
        f"{record['recipe']}: {_styled(risk)} ({record['weather']}),"
        f" {_styled(buildable, _BUILDABLE[buildable])}"
    ]
    lines += [f"  because {reason}" for reason in record["reasons"]]
    for source in record["sources"]:
        copies = _counted(source["copies"], "independent copy", "independent copies")
        lines.append(f"  source {source['name']}: {_styled(source['risk'])}, {copies}")
        for place in source["places"]:
            lines += _render_place(place)
    found = _styled("ok" if record["code"]["found"] else "lost")
    lines.append(f"  code: {found}: {record['code']['reason']}")
    if record["environment"] is not None:
        lines += _render_environment(record["environment"])
    return "\n".join(lines)


def _render_place(place: dict[str, Any]) -> list[str]:
    # What was never seen there is not gone for a reader.
    never = place["state"] == "gone" and place["last_good"] is None
    shown = "none" if never else place["state"]
    lines = [f"    {_styled(place['state'], shown.ljust(11))} {place['where']}"]
    lines.append(f"    {'':11} {place['reason']}{_age(place)}")
    change = place["change"]
    if change is not None:
        lines.append(f"    {'':11} {change['kind']}: {change['text']}")
        lines += [f"    {'':13} {member}" for member in change["members"]]
    return lines


def _age(place: dict[str, Any]) -> str:
    if place["state"] == "ok":
        return ""
    if place["last_good"] is None:
        return "" if place["state"] == "gone" else "; never seen good from here"
    if place["age_days"] < 1:
        return "; last seen good today"
    return f"; last seen good {place['age_days']:g} days ago"


def _render_environment(environment: dict[str, Any]) -> list[str]:
    image = ", assembled in the store" if environment["image_here"] else ""
    lines = [
        f"  environment {environment['name']}: {_styled(environment['risk'])},"
        f" {_counted(environment['packages'], 'package', 'packages')}{image}"
    ]
    for place in environment["places"]:
        unseen = f", {len(place['unseen'])} not looked at" if place["unseen"] else ""
        changed = f", {len(place['changed'])} changed" if place["changed"] else ""
        of = f"{place['has']} of {place['asked']}" if place["asked"] else "none"
        lines.append(f"    {of.ljust(11)} {place['where']}{unseen}{changed}")
        if place["reason"]:
            lines.append(f"    {'':11} {place['reason']}")
    for why, purls in _grouped(environment["wanting"]).items():
        named = ", ".join(purls[:_NAMED]) + (", …" if len(purls) > _NAMED else "")
        lines.append(f"    {_counted(len(purls), 'package', 'packages')} {why}: {named}")
    return lines


def _grouped(wanting: dict[str, str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for purl, why in wanting.items():
        groups.setdefault(why, []).append(purl.rsplit("/", 1)[1].split("?")[0])
    return groups


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _styled(word: str, shown: str | None = None) -> str:
    return click.style(shown or word, fg=_COLOURS.get(word, "yellow"), bold=True)
