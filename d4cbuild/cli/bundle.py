"""``d4cbuild bundle``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from d4cbuild.build.project import dist_folder
from d4cbuild.build.result import shown_path
from d4cbuild.bundle.folder import is_bundle
from d4cbuild.bundle.gather import Gathering
from d4cbuild.bundle.make import WrittenBundle, write_bundle
from d4cbuild.bundle.unpacking import contents_of
from d4cbuild.cli import bundling, common
from d4cbuild.cli.progress import make_progress
from d4cbuild.cli.trusting import attestations_folder
from d4cbuild.release.released import released_notes
from d4cbuild.store import Store

FAT = ".fat"


@click.command("bundle")
@common.targets_argument
@common.all_option
@bundling.fat_option
@bundling.split_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the bundle's folder is made. [default: dist/bundles of the project]",
)
@click.option("--replace", is_flag=True, help="Replace another bundle that is there already.")
@bundling.attestations_option
@common.mirror_option
@common.dist_option
@common.json_option
def command(
    targets: tuple[Path, ...],
    every: bool,
    fat: bool,
    split: int | None,
    output: Path | None,
    replace: bool,
    attestations: Path | None,
    mirrors: tuple[str, ...],
    dist: Path | None,
    as_json: bool,
) -> int:
    """Put a built dataset and all that it was made with into one folder of flat files.

    Data, manifest, pages in English and French, metadata for others, signatures, and the source
    artifacts: recipe, code with history, environment, formats, and rebuild.sh. The same build gives
    the same bundle, byte for byte, on every machine.

    A target is a recipe that was built, or a bundle, which is bundled anew.
    """
    store = Store()
    progress = make_progress()

    def work(target: Path) -> tuple[dict[str, Any], int]:
        is_received = is_bundle(target)
        place = Path("dist") if is_received else dist_folder(dist, target)
        signed = target if is_received else attestations_folder(attestations, target)
        gathering = Gathering(store, place, signed, mirrors, fat, progress)
        parent = output or place / "bundles"
        with contents_of(target, gathering, released_notes) as contents:
            folder = parent / (contents.manifest.dataset.file_base + (FAT if fat else ""))
            return _record(write_bundle(contents, folder, split, progress, replace=replace)), 0

    with store.in_use():
        return common.each_recipe(common.chosen_recipes(targets, every), as_json, work, _render)


def _record(bundle: WrittenBundle) -> dict[str, Any]:
    return {
        "recipe": bundle.facts.manifest.dataset.id,
        "bundle": str(bundle.folder),
        "fat": bundle.facts.fat,
        "sums": f"sha256:{bundle.sums}",
        "changed": bundle.changed,
        "files": [
            {
                "name": file.name,
                "role": file.role,
                "size": file.digests.size,
                "sha256": str(file.digests.sha256),
                "parts": list(file.parts),
            }
            for file in bundle.facts.files
        ],
        "left_out": [
            {"source": each.source.name, "reason": each.reason["en"]}
            for each in bundle.facts.left_out
        ],
    }


def _render(record: dict[str, Any]) -> str:
    done = "bundled" if record["changed"] else "was bundled already"
    lines = [f"{record['recipe']}: {done}: {shown_path(Path(record['bundle']))}"]
    for file in record["files"]:
        parts = f", in {len(file['parts'])} parts" if file["parts"] else ""
        lines.append(f"  {file['size']:>13,}  {file['name']} ({file['role']}{parts})")
    lines += [
        f"  left out: source {each['source']}: {each['reason']}" for each in record["left_out"]
    ]
    lines.append(f"  SHA256SUMS {record['sums']}")
    lines.append(f"  next: d4cbuild verify {shown_path(Path(record['bundle']))}")
    return "\n".join(lines)
