"""``d4cbuild env``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from d4cbuild.base.files import write_atomically
from d4cbuild.build.project import project_root
from d4cbuild.cli import common
from d4cbuild.cli.progress import make_progress
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.describe import Description, describe
from d4cbuild.environment.dockerfile import export_context
from d4cbuild.environment.images import ensure_image, remove_image
from d4cbuild.environment.probe import probe_image
from d4cbuild.environment.resolve import lock_environment
from d4cbuild.errors import InputError
from d4cbuild.model.quantities import approximate_bytes
from d4cbuild.sandbox.choose import choose_runner
from d4cbuild.sandbox.image import Image
from d4cbuild.store import Store

name_argument = click.argument("name")


@click.group("env")
def command() -> None:
    """Environments: container filesystems assembled from locked packages.

    An environment is a folder under environments/: environment.toml is written by hand,
    environment.lock and Dockerfile are generated.
    """


@command.command("lock")
@name_argument
@common.runner_option
@common.json_option
def lock(name: str, runner: str, as_json: bool) -> int:
    """Find the packages of an environment, assemble it, and pin both.

    Needs apt, pip and their registries; nothing else does.
    """
    store = Store()
    folder = _folder(name)
    environment = folder.environment()

    def probe(image: Image) -> Mapping[str, str]:
        return probe_image(environment, image, choose_runner(runner), store)

    with store.in_use():
        lock_environment(folder, store, make_progress(), probe)
        return _show(describe(folder, store), as_json, packages=False)


@command.command("build")
@name_argument
@click.option("--again", is_flag=True, help="Throw away the image in the store first.")
@common.json_option
def build(name: str, again: bool, as_json: bool) -> int:
    """Fetch an environment's packages and assemble its image; its digest must be the locked one."""
    store = Store()
    folder = _folder(name)
    if again:
        # Somebody may be building in the image.
        with store.in_use(alone=True):
            remove_image(folder.lock().config, store)
    with store.in_use():
        ensure_image(folder, store, make_progress())
        return _show(describe(folder, store), as_json, packages=False)


@command.command("show")
@click.argument("name", required=False)
@common.json_option
def show(name: str | None, as_json: bool) -> int:
    """Show what an environment is made of; without a name, list the environments."""
    if name is None:
        names = [path.parent.name for path in _root().glob("*/environment.toml")]
        click.echo(json.dumps(sorted(names)) if as_json else "\n".join(sorted(names)))
        return 0
    store = Store()
    with store.in_use():
        described = describe(_folder(name), store)
    return _show(described, as_json, packages=True)


@command.command("export")
@name_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File, or with --context folder, to write. [default: NAME.oci.tar or NAME-context]",
)
@click.option(
    "--context", is_flag=True, help="A folder for plain `docker build`, instead of an archive."
)
@common.json_option
def export(name: str, output: Path | None, context: bool, as_json: bool) -> int:
    """Write the image as an archive that OCI tools and `docker load` both read."""
    store = Store()
    folder = _folder(name)
    target = output or Path(f"{name}-context" if context else f"{name}.oci.tar")
    with store.in_use():
        image = ensure_image(folder, store, make_progress())
        if context:
            export_context(image, folder, target)
        else:
            _refuse_folder(target)
            write_atomically(target, image.archive())
    if as_json:
        click.echo(json.dumps({"path": str(target), "config": str(image.config)}))
    else:
        click.echo(f"{target}  image {image.config}")
    return 0


def _refuse_folder(target: Path) -> None:
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise InputError(
            "the archive cannot be written there",
            expected="a file name in a folder that exists",
            found=str(target),
            where="--output",
            hint="name a file, such as -o geo.oci.tar",
        )


def _root() -> Path:
    return project_root(Path.cwd()) / "environments"


def _folder(name: str) -> EnvironmentFolder:
    return EnvironmentFolder(Path(name) if "/" in name else _root() / name)


def _show(found: Description, as_json: bool, *, packages: bool) -> int:
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
        return 0
    click.echo(f"{found.name}: {found.text['en']} / {found.text['fr']}")
    click.echo(f"  image     {found.config}")
    click.echo(f"  manifest  {found.manifest}")
    click.echo(f"  platform  {found.platform}, {found.cpu_floor}")
    layers = ", ".join(f"{name} {approximate_bytes(s)}" for name, s in found.layers.items())
    click.echo(f"  layers    {layers}")
    size = approximate_bytes(found.package_bytes)
    click.echo(f"  packages  {len(found.packages)}, {size} to download")
    click.echo(f"  built     {'yes' if found.built else 'no: d4cbuild env build ' + found.name}")
    for name, version in sorted(found.versions.items()):
        click.echo(f"  {name:<16} {version}")
    if packages:
        for package in found.packages:
            size = approximate_bytes(package.size)
            click.echo(f"  {package.kind:<5} {package.name:<28} {package.version:<26} {size:>10}")
    return 0
