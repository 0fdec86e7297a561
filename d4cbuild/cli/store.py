"""``d4cbuild store``."""

from __future__ import annotations

import json

import click

from d4cbuild.cli import common
from d4cbuild.cli.progress import make_progress
from d4cbuild.errors import Exit
from d4cbuild.model.quantities import approximate_bytes
from d4cbuild.store import Store
from d4cbuild.store.reach import check_objects, collect_garbage, inventory


@click.group("store")
def command() -> None:
    """The store on this machine: objects by digest, images and known builds.

    It lies in $D4CBUILD_STORE, or in the platform's data directory.
    """


@command.command("ls")
@click.option("--objects", is_flag=True, help="List every object with its size.")
@common.json_option
def list_store(objects: bool, as_json: bool) -> int:
    """Say what lies in the store."""
    store = Store()
    found = inventory(store)
    listed = [
        {"blake3": str(digest), "size": path.stat().st_size}
        for digest, path in (store.object_files() if objects else ())
    ]
    if as_json:
        record = found.as_json() | {"path": str(store.root)}
        click.echo(json.dumps(record | ({"list": listed} if objects else {}), indent=2))
        return 0
    click.echo(f"{store.root}")
    click.echo(f"  {found.objects} objects, {approximate_bytes(found.bytes)}")
    click.echo(f"  {found.images} images, {found.realisations} known builds")
    for root in found.roots:
        click.echo(f"  kept for {root}")
    if found.quarantined:
        click.echo(f"  {found.quarantined} corrupt objects set aside in {store.quarantine}")
    for entry in listed:
        click.echo(f"{entry['size']:>14,}  {entry['blake3']}")
    return 0


@command.command("verify")
@common.json_option
def verify_store(as_json: bool) -> int:
    """Read every object; set aside those whose bytes do not have their name (exit 2)."""
    store = Store()
    with store.in_use():
        damage = store.database.mend()
        faults = check_objects(store, make_progress())
        swept = store.sweep()
    if damage is not None:
        faults.append(f"the database: {damage}")
    if as_json:
        click.echo(json.dumps({"faults": faults, "swept": swept}, indent=2))
    else:
        for fault in faults:
            click.echo(fault)
        click.echo(f"{len(faults)} faults" if faults else "every object has its name")
    return int(Exit.HASH_MISMATCH) if faults else 0


@command.command("gc")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@common.json_option
def collect(dry_run: bool, as_json: bool) -> int:
    """Remove what no recipe's lock or manifest on this machine needs."""
    store = Store()
    with store.in_use(alone=True):
        done = collect_garbage(store, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(done.as_json() | {"dry_run": dry_run}, indent=2))
        return 0
    verb = "would remove" if dry_run else "removed"
    click.echo(f"{verb} {done.removed} entries, {approximate_bytes(done.freed)}; kept {done.kept}")
    for root in done.lost_roots:
        click.echo(f"  {root} is gone and keeps nothing any more")
    return 0
