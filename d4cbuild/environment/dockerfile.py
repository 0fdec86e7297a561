"""The inspectable definition: a Dockerfile with every package as text, and its build context."""

import json
from pathlib import Path
from typing import Any

from d4cbuild.base.files import write_atomically
from d4cbuild.environment import oci, skeleton
from d4cbuild.environment.definition import DOCKERFILE, EnvironmentFolder
from d4cbuild.environment.wholeness import read_layers
from d4cbuild.model.environment import Environment, EnvironmentLock
from d4cbuild.sandbox.image import Image

_TITLES = {
    skeleton.BASE: "Debian packages, links and files",
    skeleton.WHEELS: "Python wheels",
}


def render_dockerfile(environment: Environment, lock: EnvironmentLock) -> bytes:
    """Return the text of the Dockerfile.

    Args:
        environment: What is wanted.
        lock: What was found.
    """
    import jinja2  # imported late: only locking and exporting need it

    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("d4cbuild.environment", "."),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - a Dockerfile is not HTML
    )
    text = templates.get_template("Dockerfile.jinja").render(
        environment=environment,
        lock=lock,
        versions=sorted(lock.versions.items()),
        layers=_layers(lock),
        variables=skeleton.IMAGE_VARIABLES,
        user=skeleton.USER,
        working_directory=skeleton.WORKING_DIRECTORY,
        command=json.dumps(list(skeleton.COMMAND)),
    )
    return text.encode()


def export_context(image: Image, folder: EnvironmentFolder, target: Path) -> None:
    """Write a folder that plain ``docker build`` makes the same root filesystem from.

    Args:
        image: The finished image.
        folder: The environment that it is of.
        target: Where to write ``Dockerfile`` and the layers' tars; made when missing.

    Raises:
        StaleLock: if the environment changed since it was locked.
    """
    text = render_dockerfile(folder.environment(), folder.lock())
    target.mkdir(parents=True, exist_ok=True)
    for layer in read_layers(image.root.parent):
        chunks = oci.layer_chunks(image.root, layer.entries)
        write_atomically(target / f"{layer.locked.name}.tar", chunks)
    write_atomically(target / DOCKERFILE, text)


def _layers(lock: EnvironmentLock) -> list[dict[str, Any]]:
    return [
        {
            "title": _TITLES[layer.name],
            "locked": layer,
            "packages": [
                each for each in lock.packages if each.is_debian == (layer.name == skeleton.BASE)
            ],
        }
        for layer in lock.layers
    ]
