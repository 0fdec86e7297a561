"""A machine that has nothing but what rebuild.sh asks for: a container without a network."""

from __future__ import annotations

import subprocess
from pathlib import Path

from d4cbuild.base.progress import Silence
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import ensure_image
from d4cbuild.environment.oci import image_reference
from d4cbuild.sandbox.image import Image
from d4cbuild.store import Store

FOLDER = Path(__file__).parent / "environments" / "clean"


def clean_machine(store: Store) -> Image:
    """The image of a shell, coreutils, tar and bubblewrap; in the Docker engine afterwards."""
    image = ensure_image(EnvironmentFolder(FOLDER), store, Silence())
    process = subprocess.Popen(["docker", "load"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin is not None  # asked for above
    for chunk in image.archive():
        process.stdin.write(chunk)
    process.stdin.close()
    assert process.wait() == 0
    return image


def rebuild_in(image: Image, bundle: Path) -> subprocess.CompletedProcess[str]:
    """Run a bundle's rebuild.sh there, as the owner of a machine would."""
    return subprocess.run(
        [
            *("docker", "run", "--rm", "--network", "none", "--user", "0:0"),
            # What an engine takes from a container that bubblewrap finds on a machine.
            *(
                f"--security-opt={what}=unconfined"
                for what in ("seccomp", "apparmor", "systempaths")
            ),
            *("--volume", f"{bundle}:/bundle:ro", "--workdir", "/"),
            # An environment is many files: they come and go in memory.
            *("--tmpfs", "/tmp:exec,mode=1777"),
            image_reference("clean", image.config),
            *("sh", "/bundle/rebuild.sh"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
