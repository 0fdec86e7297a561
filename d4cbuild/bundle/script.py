"""``rebuild.sh``, and the two files that tell a sandbox what to do."""

from __future__ import annotations

import shlex
from importlib.resources import files

from d4cbuild.base.canonical import canonical_json
from d4cbuild.base.sameness import SANDBOX_GID, SANDBOX_HOSTNAME, SANDBOX_UID
from d4cbuild.build.make import NORMALISE, normalisation
from d4cbuild.bundle.archive import Member
from d4cbuild.bundle.contents import Contents
from d4cbuild.bundle.layout import NORMALISATION, PARAMETERS, Layout
from d4cbuild.environment.oci import image_reference
from d4cbuild.model.manifest import OutputRecord
from d4cbuild.model.recipe import Output, Recipe
from d4cbuild.sandbox.job import Limits, contract_environment

TEMPLATE = "rebuild.sh.jinja"


def render_script(contents: Contents) -> bytes:
    """Write ``rebuild.sh``. It is the same for a thin and a fat bundle, cut or whole.

    Args:
        contents: What the bundle is made from.
    """
    import jinja2

    environment = jinja2.Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - it writes no HTML
    )
    environment.filters["sh"] = shlex.quote
    text = files("d4cbuild.bundle").joinpath("templates", TEMPLATE).read_text(encoding="utf-8")
    layout, recipe = Layout.of(contents.manifest), contents.recipe
    variables = contract_environment(recipe.build.resources.cpus, contents.lock.source_date_epoch)
    return (
        environment.from_string(text)
        .render(
            outputs=_outputs(contents),
            artifacts=layout.source_artifacts,
            sources_archive=layout.sources,
            image=layout.image,
            sources=_sources(contents),
            layers=contents.environment.layers,
            reference=image_reference(recipe.build.environment, contents.environment.config),
            variables=sorted(variables.items()),
            command=[shlex.quote(word) for word in recipe.build.run],
            normalise=[shlex.quote(word) for word in NORMALISE],
            uid=SANDBOX_UID,
            gid=SANDBOX_GID,
            hostname=SANDBOX_HOSTNAME,
        )
        .encode()
    )


def job_files(recipe: Recipe) -> tuple[Member, Member]:
    """What the recipe's code and the writer of the normal form are told, each as a file."""
    wanted = recipe.build.resources
    limits = Limits(wanted.cpus, wanted.memory, wanted.disk, wanted.time)
    records = (
        (PARAMETERS, recipe.parameters),
        (NORMALISATION, normalisation(recipe, limits)),
    )
    first, second = (_member(name, canonical_json(record) + b"\n") for name, record in records)
    return first, second


def _member(name: str, data: bytes) -> Member:
    return Member(name, len(data), lambda: (data,))


def _sources(contents: Contents) -> list[dict[str, object]]:
    return [
        {
            "name": source.name,
            "sha256": source.sha256,
            "address": source.url
            if source.member is None
            else f"{source.url} ({source.member} in it)",
        }
        for source in contents.manifest.sources
    ]


def _outputs(contents: Contents) -> list[dict[str, object]]:
    declared = {output.name: output for output in contents.recipe.outputs}
    return [
        {
            "file": record.file,
            "sha256": record.sha256,
            "made": _made(record, declared[record.name]),
        }
        for record in contents.manifest.outputs
    ]


def _made(record: OutputRecord, declared: Output) -> str:
    """Where the script finds what was made, below its working folder."""
    if record.format != "file":
        return f"made/{record.name}.parquet"
    return f"made/{record.name}.rewritten" if record.rewritten else f"written/{declared.written_as}"
