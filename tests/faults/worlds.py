"""Small worlds in which a verb runs: a project, a store and a shared store, put back in no time."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.progress import Silence
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.dockerfile import render_dockerfile
from d4cbuild.environment.images import ensure_image
from d4cbuild.store import Store
from tests.environment.tiny import make_tiny
from tests.faults.warm import Run, Warm
from tests.project import Answer, Project

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENTS = REPOSITORY / "tests" / "bundle" / "environments"
LIGHT = "clean"
"""The environment of a shell alone: a build in it takes a moment."""
TABLES = "small"
"""The environment that can write tables."""

_PLAIN_OUTPUT = """\
[[outputs]]
name = "places"
format = "file"
file = "places.csv"
container = "as-is"
"""
_SCRIPT = 'sort "$D4C_SOURCES/places.csv" >"$D4C_OUT/places.csv"\necho sorted\n'
_TRUST = """\
schema = "d4c.trust/1"

[[keys]]
key = "{key}"
builder = "ada"
roles = ["builder", "rebuilder"]

[default]
distinct_builders = 1
cpu_vendors = 0
"""


@dataclass
class World:
    """A project with its store, at a path that never changes.

    Attributes:
        root: The folder of all of it.
        name: What it is prepared for.
        warm: What runs ``d4cbuild`` in it.
    """

    root: Path
    name: str
    warm: Warm

    @property
    def here(self) -> Path:
        """Where it lies while a case runs in it."""
        return self.root / "world"

    @property
    def project(self) -> Project:
        """The project in it."""
        return Project(self.here / "project", self.here / "store")

    @property
    def store(self) -> Path:
        """The folder of its store."""
        return self.here / "store"

    @property
    def shared(self) -> Path:
        """The folder of the shared store."""
        return self.here / "shared"

    @property
    def _template(self) -> Path:
        return self.root / f"template-{self.name}"

    def keep(self) -> None:
        """Remember how it is now."""
        shutil.rmtree(self._template, ignore_errors=True)
        _copy(self.here, self._template)

    def restore(self) -> None:
        """Put it back as it was remembered."""
        remove(self.here)
        _copy(self._template, self.here)

    def run(self, *arguments: str) -> Answer:
        """Run ``d4cbuild`` in the project."""
        return self.start(*arguments).finish()

    def start(self, *arguments: str, **variables: str) -> Run:
        """Begin to run ``d4cbuild`` in the project."""
        project = self.project
        return self.warm.start(arguments, project.root, project.environment(variables))

    def ran(self, *arguments: str) -> Answer:
        """Run ``d4cbuild``, which must work."""
        answer = self.run(*arguments)
        if answer.status != 0:
            raise RuntimeError(f"{arguments}: {answer.status}\n{answer.err}{answer.out}")
        return answer


def remove(folder: Path) -> None:
    """Remove a folder, whatever the modes in it."""
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)


@dataclass(frozen=True)
class Verb:
    """A verb, the world it needs, and what it makes.

    Attributes:
        name: How it is called in tables.
        arguments: What is typed.
        prepare: Makes the world as it must be before.
        made: Files, below the world, that are its results; by glob.
        dull: Parts of paths where one moment is like another, so that a sample is enough.
    """

    name: str
    arguments: tuple[str, ...]
    prepare: Callable[[World], None]
    made: tuple[str, ...]
    dull: tuple[str, ...] = ("/lib/d4cbuild/", "/root/")

    def world(self, folder: Path, warm: Warm) -> World:
        """Make and remember the world before the verb.

        Args:
            folder: Where; what lies there of other worlds stays.
            warm: What runs ``d4cbuild`` in it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        world = World(folder, self.name.replace(" ", "-"), warm)
        remove(world.here)
        world.here.mkdir()
        self.prepare(world)
        world.keep()
        return world

    def results(self, world: World) -> dict[str, str]:
        """SHA-256 of what it made, and what git, the store and the shared store hold of it."""
        found = {
            path.relative_to(world.here).as_posix(): sha256_of(path)
            for pattern in self.made
            for path in sorted(world.here.glob(pattern))
            if path.is_file()
        }
        form = "--format=%(refname) %(objecttype) %(*objectname) %(contents)"
        return found | {"tags": world.project.git("for-each-ref", form, "refs/tags")}


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def shared_image(name: str) -> Path:
    """The folder of an environment's image in the store that all tests share."""
    store = Store(REPOSITORY / ".cache" / "store")
    image = ensure_image(EnvironmentFolder(ENVIRONMENTS / name), store, Silence())
    store.database.close()
    return image.root.parent


def _project(world: World) -> Project:
    project = Project.create(world.here / "project", world.store, ENVIRONMENTS)
    (project.root / "environments").unlink()
    return project


def _own_environment(project: Project, name: str) -> None:
    folder = EnvironmentFolder(project.root / "environments" / name)
    shutil.copytree(ENVIRONMENTS / name, folder.path)
    folder.dockerfile_path.write_bytes(render_dockerfile(folder.environment(), folder.lock()))


def _new(world: World, environment: str = LIGHT) -> Project:
    image = shared_image(environment)
    store = Store(world.store)
    (store.images / image.name).symlink_to(image)
    project = _project(world)
    _own_environment(project, environment)
    recipe = project.recipe / "recipe.toml"
    text = recipe.read_text().replace('environment = "geo"', f'environment = "{environment}"')
    if environment == LIGHT:
        text = text[: text.index("[[outputs]]")] + _PLAIN_OUTPUT
        text = text.replace('["python", "process.py"]', '["sh", "process.sh"]')
        (project.recipe / "process.py").unlink()
        (project.recipe / "process.sh").write_text(_SCRIPT)
    recipe.write_text(text)
    project.commit("Build in less")
    return project


def _built(world: World, environment: str = LIGHT) -> Project:
    return _new(world, environment).built()


def _unlocked(world: World) -> None:
    _new(world)


def _locked(world: World) -> None:
    _new(world).locked()


def _locked_table(world: World) -> None:
    _new(world, TABLES).locked()


def _verifiable(world: World) -> None:
    _built(world)


def _unassembled(world: World) -> None:
    project = _project(world)
    store = Store(world.store)
    make_tiny(project.root / "environments" / "tiny", world.here / "packages", store)
    store.database.add_root(str(project.recipe))
    store.database.close()


def _rotten(world: World) -> None:
    """A built recipe, and much that nothing needs."""
    _built(world)
    store = Store(world.store)
    for number in range(4):
        store.put_chunks([b"garbage %d" % number])
    elsewhere = make_tiny(world.here / "elsewhere" / "tiny", world.here / "packages", store)
    ensure_image(elsewhere.folder, store, Silence())
    (store.quarantine / "rotten").write_text("x")
    (store.temporary / "left").mkdir()
    (store.temporary / "left" / "object").write_text("x")
    store.database.close()


def make_key(project: Project) -> str:
    """A key of ada's beside the project, and a policy that trusts it; the key's path."""
    key = str(project.root.parent / "ada.key")
    answer = project.run("key", "new", key, "--builder", "ada", "--json")
    (project.root / "trust.toml").write_text(_TRUST.format(key=answer.json["key"]))
    return key


def _pushable(world: World) -> None:
    make_key(_built(world))


def _accepted(world: World) -> None:
    project = _built(world)
    key = make_key(project)
    world.ran("attest", "--key", key, "recipes/places")
    world.ran("verify", "--attest", key, "recipes/places")
    project.commit("Sign")


RECIPE = "recipes/places"
VERBS = (
    Verb("lock", ("lock", RECIPE), _unlocked, ("project/recipes/places/recipe.lock",)),
    Verb("env build", ("env", "build", "tiny"), _unassembled, ("store/images/*/*.json",)),
    Verb(
        "build",
        ("build", RECIPE),
        _locked,
        ("project/recipes/places/manifest.json", "project/dist/*"),
    ),
    Verb(
        "build a table",
        ("build", RECIPE),
        _locked_table,
        ("project/recipes/places/manifest.json", "project/dist/*"),
    ),
    Verb("verify", ("verify", RECIPE), _verifiable, ("project/recipes/places/*",)),
    Verb("bundle", ("bundle", RECIPE), _verifiable, ("project/dist/bundles/*/*",)),
    Verb("release", ("release", RECIPE), _accepted, ("project/dist/releases/*/*",)),
    Verb("store gc", ("store", "gc"), _rotten, ("store/objects/*/*", "store/logs/*/*")),
    Verb(
        "store push",
        ("store", "push", RECIPE, "--to", "../shared", "--key", "../ada.key"),
        _pushable,
        ("shared/objects/*/*", "shared/realisations/*/*"),
    ),
)


def verb_named(name: str) -> Verb:
    """The verb of a row of the table."""
    return next(verb for verb in VERBS if verb.name == name)
