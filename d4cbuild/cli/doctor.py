"""``d4cbuild doctor``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import click

from d4cbuild.base.ambient import usable_cpus
from d4cbuild.cli import common
from d4cbuild.errors import D4CError, Exit
from d4cbuild.model.quantities import approximate_bytes
from d4cbuild.sandbox.bubblewrap import BubblewrapRunner
from d4cbuild.sandbox.docker import DockerRunner
from d4cbuild.sandbox.floor import require_cpu_floor
from d4cbuild.store import Store


@click.command("doctor")
@common.json_option
def command(as_json: bool) -> int:
    """Say what this machine can do, and what to install."""
    checks = [
        _check("CPU", _cpu),
        _check("bubblewrap", BubblewrapRunner().version),
        _check("Docker engine", DockerRunner().version),
        _check("store", _store),
    ]
    can_build = checks[0]["works"] and checks[3]["works"]
    can_build = can_build and (checks[1]["works"] or checks[2]["works"])
    if as_json:
        click.echo(json.dumps({"checks": checks, "can_build": can_build}, indent=2))
    else:
        for check in checks:
            click.echo(f"{'ok ' if check['works'] else 'no '} {check['name']}: {check['found']}")
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
    store.database.roots()
    return f"{store.root}, {approximate_bytes(shutil.disk_usage(store.root).free)} free"
