"""What ``verify`` says and asks of variations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from d4cbuild.base.ambient import random_token
from d4cbuild.build.vary.draw import named
from d4cbuild.build.vary.varying import VaryOptions
from d4cbuild.errors import InputError

_OPTIONS = (
    click.option(
        "--vary",
        metavar="all|NAME,…|none",
        help="Rebuild in other circumstances, and say which of them makes a difference.",
    ),
    click.option(
        "--rounds",
        type=click.IntRange(1, 1000),
        default=1,
        show_default=True,
        metavar="N",
        help="With --vary: repeat with choices drawn anew.",
    ),
    click.option(
        "--seed",
        metavar="TEXT",
        help="With --vary: draw the same choices again. [default: by chance]",
    ),
)
_Command = TypeVar("_Command", bound=Callable[..., Any])


def options(command: _Command) -> _Command:
    """Give a command ``--vary``, ``--rounds`` and ``--seed``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def vary_options(vary: str | None, rounds: int, seed: str | None) -> VaryOptions | None:
    """What is to be varied, or ``None`` for an ordinary rebuild.

    Raises:
        InputError: if the options do not fit together, or a name is none.
    """
    if vary is None:
        if rounds != 1 or seed is not None:
            raise InputError("--rounds and --seed belong to --vary", hint="add --vary all")
        return None
    return VaryOptions(named(vary), rounds, seed if seed is not None else random_token())


def render_varied(varied: dict[str, Any], coloured: Callable[[str], str]) -> list[str]:
    """What was varied and what that showed, as lines of text.

    Args:
        varied: The record.
        coloured: Makes the text of a verdict.
    """
    lines = []
    for number, said in enumerate(varied["rounds"], start=1):
        rebuilds = f", {varied['rebuilds']} rebuilds" if number == 1 else ""
        lines.append(f"  varied (round {number}, seed {varied['seed']}{rebuilds}):")
        lines += [f"    {name}: {what}" for name, what in said.items()] or ["    nothing"]
    lines += [
        f"  not varied here: {name}, because: {why}" for name, why in varied["not_varied"].items()
    ]
    for flip in varied["flips"]:
        lines += _render_flip(flip, coloured)
    if not varied["flips"]:
        lines.append("  nothing that was varied makes a difference")
    return lines


def _render_flip(flip: dict[str, Any], coloured: Callable[[str], str]) -> list[str]:
    if flip["warning"] is not None:
        head = f"  warning: {flip['output']}: {flip['warning']}"
    elif flip["variations"]:
        together = " (only together)" if len(flip["variations"]) > 1 else ""
        by = " + ".join(flip["variations"])
        head = f"  {flip['output']}: {coloured(flip['verdict'])} by {by}{together}"
    else:
        head = f"  {flip['output']}: {coloured(flip['verdict'])}"
    pairs = zip(flip["variations"], flip["choices"], strict=True)
    lines = [head, *(f"    {name}: {says}" for name, says in pairs)]
    return lines + [f"    {line}" for line in (flip["reason"] or "").splitlines()]
