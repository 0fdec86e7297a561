"""``d4cbuild doctor``."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable, Iterator
from typing import Any

import click

from d4cbuild.base.ambient import now_utc, usable_cpus
from d4cbuild.cli import common
from d4cbuild.errors import D4CError, Exit
from d4cbuild.model.quantities import approximate_bytes
from d4cbuild.sandbox.abilities import abilities
from d4cbuild.sandbox.bubblewrap import BubblewrapRunner
from d4cbuild.sandbox.docker import DockerRunner
from d4cbuild.sandbox.floor import require_cpu_floor
from d4cbuild.store import Store

_NEEDED_BY_BUNDLES = ("sh", "tar", "sha256sum")
_ROOMY_BYTES = 10 << 30
_EARLIEST_YEAR = 2026  # before it no certificate of today is valid yet


@click.command("doctor")
@common.json_option
def command(as_json: bool) -> int:
    """Say what this machine can do, what to install, and what is weaker here than elsewhere."""
    checks = [
        _check("CPU", _cpu),
        _check("bubblewrap", BubblewrapRunner().version),
        _check("Docker engine", DockerRunner().version),
        _check("store", _store),
    ]
    can_build = checks[0]["works"] and checks[3]["works"]
    can_build = can_build and (checks[1]["works"] or checks[2]["works"])
    checks += _weaknesses()
    if as_json:
        click.echo(json.dumps({"checks": checks, "can_build": can_build}, indent=2))
    else:
        for check in checks:
            mark = "ok  " if check["works"] else "weak" if "weaker" in check else "no  "
            click.echo(f"{mark} {check['name']}: {check['found']}")
            if "weaker" in check and not check["works"]:
                click.echo(f"     weaker here: {check['weaker']}")
        click.echo("this machine can build" if can_build else "this machine cannot build yet")
    return 0 if can_build else int(Exit.UNKNOWN)


def _check(name: str, look: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"name": name, "works": True, "found": look()}
    except D4CError as error:
        return {"name": name, "works": False, "found": str(error)}


def _cpu() -> str:
    require_cpu_floor()
    return f"x86-64-v3, {len(usable_cpus())} usable"


def _store() -> str:
    store = Store()
    with store.in_use():
        store.database.roots()
    return f"{store.root}, {approximate_bytes(shutil.disk_usage(store.root).free)} free"


def _weaknesses() -> list[dict[str, Any]]:
    """What building does not need, but a promise rests on."""
    of_sandbox = [(each.name, each.held, each.found, each.weaker) for each in abilities()]
    return [
        {"name": name, "works": held, "found": found, "weaker": weaker}
        for name, held, found, weaker in (*of_sandbox, *_of_store(), *_of_programs(), *_of_clock())
    ]


_Weakness = tuple[str, bool, str, str | None]


def _of_store() -> Iterator[_Weakness]:
    try:
        root = Store().root
    except D4CError:
        return  # said already, with what to do
    mode = stat.S_IMODE(root.stat().st_mode)
    private = not mode & (stat.S_IWGRP | stat.S_IWOTH)
    weaker = "others can change what was fetched and built: chmod go-w it"
    yield "store: only you write in it", private, f"mode {mode:o}", None if private else weaker
    free = shutil.disk_usage(root).free
    weaker = "large recipes and fat bundles may find no room"
    room = free >= _ROOMY_BYTES
    yield "store: room", room, f"{approximate_bytes(free)} free", None if room else weaker


def _of_programs() -> Iterator[_Weakness]:
    missing = [name for name in _NEEDED_BY_BUNDLES if shutil.which(name) is None]
    weaker = "rebuild.sh of a bundle does not run here; d4cbuild verify does"
    found = f"without {', '.join(missing)}" if missing else ", ".join(_NEEDED_BY_BUNDLES)
    yield "bundles: rebuild.sh", not missing, found, weaker if missing else None


def _of_clock() -> Iterator[_Weakness]:
    now = now_utc()
    right = now.year >= _EARLIEST_YEAR
    weaker = "certificates of servers cannot be checked: set the clock"
    yield "clock", right, f"{now:%Y-%m-%d}", None if right else weaker
