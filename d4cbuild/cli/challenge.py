"""``d4cbuild challenge``."""

from __future__ import annotations

import json
from typing import Any

import click

from d4cbuild.attest.challenge import Voice, challenge
from d4cbuild.attest.places import ask_place
from d4cbuild.cli import common
from d4cbuild.cli.progress import make_progress
from d4cbuild.errors import D4CError

_COLOURS = {"agree": "green", "disagree": "red"}


@click.command("challenge")
@click.argument("places", nargs=-1, required=True, metavar="PLACE…")
@common.json_option
def command(places: tuple[str, ...], as_json: bool) -> int:
    """Ask several places for what they got, and say who agrees and who stands alone.

    A PLACE is a manifest or an attestation, as a file or at an address, or a folder of them. What
    they say is compared derivation by derivation. No signature is checked: d4cbuild verify
    --policy does that.
    """
    voices: list[Voice] = []
    faults: list[dict[str, Any]] = []
    status = 0
    progress = make_progress()
    for place in dict.fromkeys(places):
        try:
            voices += ask_place(place, progress)
        except D4CError as error:
            faults.append({"place": place, **error.as_record()})
            status |= int(error.exit_code)
            click.echo(f"error: {error}", err=True)
    answers = challenge(voices)
    for answer in answers:
        status |= answer.exit_code
    record = {
        "derivations": [answer.as_json() for answer in answers],
        "voices": [
            {"where": each.where, "says": each.says, "builder": each.builder} for each in voices
        ],
        "unheard": faults,
        "exit_code": status,
    }
    click.echo(json.dumps(record, indent=2, sort_keys=True) if as_json else _render(record))
    return status


def _render(record: dict[str, Any]) -> str:
    builders = {each["where"]: each["builder"] for each in record["voices"]}
    lines = []
    for derivation in record["derivations"]:
        verdict = derivation["verdict"]
        shown = click.style(verdict, fg=_COLOURS.get(verdict, "yellow"), bold=True)
        lines.append(f"{derivation['dataset']} {derivation['build_key']}: {shown}")
        for output in derivation["outputs"]:
            lines += _render_output(output, builders)
    lines += [f"not heard: {each['place']}: {each['message']}" for each in record["unheard"]]
    if len(record["derivations"]) > 1:
        lines.append("these are several derivations: between them nothing can be compared")
    return "\n".join(lines)


def _render_output(output: dict[str, Any], builders: dict[str, str | None]) -> list[str]:
    lines = [f"  {output['name']}:"]
    for group in output["groups"]:
        lines.append(f"    {group['sha256']}: {len(group['places'])}")
        for place in group["places"]:
            by = "" if builders[place] is None else f", by {builders[place]} as it says"
            alone = click.style(" <- stands alone", fg="red") if place in output["alone"] else ""
            lines.append(f"      {place}{by}{alone}")
    return lines + [f"    says nothing: {place}" for place in output["silent"]]
