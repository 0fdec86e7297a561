"""``d4cbuild store``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
    with store.in_use():
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
    """Read every object and image; set aside those that are not what their name says (exit 2)."""
    from d4cbuild.environment.images import check_images

    store = Store()
    with store.in_use():
        damage = store.database.mend()
        progress = make_progress()
        faults = check_objects(store, progress) + check_images(store, progress)
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


@command.command("push")
@common.recipes_argument
@common.all_option
@click.option(
    "--to",
    "address",
    required=True,
    metavar="DIR|REMOTE:PATH",
    help="The shared store: a folder, or a folder on an rclone remote.",
)
@click.option(
    "--key",
    "key_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The private key to sign with; not needed to pass on what others signed.",
)
@click.option("--with-sources", is_flag=True, help="Push the raw sources as well.")
@common.mirror_option
@common.json_option
def push(
    recipes: tuple[Path, ...],
    every: bool,
    address: str,
    key_file: Path | None,
    with_sources: bool,
    mirrors: tuple[str, ...],
    as_json: bool,
) -> int:
    """Put what was built into a shared store, signed, so that others can take it.

    What is there already is not written again: after an interruption, the same command goes on.
    Give others only what the licences of its sources allow.
    """
    from d4cbuild.attest.keys import read_signing_key
    from d4cbuild.build.folder import RecipeFolder
    from d4cbuild.build.pushing import PushOptions, push_recipe
    from d4cbuild.build.substituting import read_settings
    from d4cbuild.sharing.place import place_of

    store = Store()
    progress = make_progress()
    place = place_of(address, read_settings()[0].stall)
    key = None if key_file is None else read_signing_key(key_file)
    options = PushOptions(place, key, with_sources, mirrors)

    def work(recipe: Path) -> tuple[dict[str, Any], int]:
        return push_recipe(RecipeFolder(recipe), store, options, progress).as_json(), 0

    place.prepare()
    with store.in_use():
        return common.each_recipe(
            common.chosen_recipes(recipes, every), as_json, work, _render_push
        )


def _render_push(record: dict[str, Any]) -> str:
    written = f"{record['written']} written, {approximate_bytes(record['bytes'])}"
    state = "written" if record["realisation_written"] else "was there"
    return "\n".join(
        [
            f"{record['recipe']}: pushed to {record['to']} ({record['build_key']})",
            f"  {record['objects']} objects: {written}",
            f"  {record['realisation']}: {state}, signed by {record['builder']}",
        ]
    )
