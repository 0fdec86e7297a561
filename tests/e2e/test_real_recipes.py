"""The real recipes: the same bytes on both runners, wherever and by whomever they are built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from d4cbuild.sandbox.image import Image
from d4cbuild.store import Store
from tests.conftest import REPOSITORY

RECIPES = ("statcan-odhf", "statcan-cma-2016", "elections-canada-pollresults")
NOT_IN_THE_REPOSITORY = {"elections-canada-pollresults"}
NOBODY = 65534


@dataclass(frozen=True)
class Elsewhere:
    """Another user's, or the same user's, other circumstances."""

    clone: Path
    store: Path
    mirror: tuple[str, ...]

    def verify(self, recipe: str, *options: str, **how: object) -> dict:
        """Run ``verify`` there; returns its one result."""
        command = [
            *how.pop("before", ()),  # type: ignore[misc]
            *how.pop("python", (sys.executable, "-m", "d4cbuild")),  # type: ignore[misc]
            *("verify", "--json", *options, *self.mirror, f"recipes/{recipe}"),
        ]
        variables = {
            **os.environ,
            "D4CBUILD_STORE": str(self.store),
            **how.pop("variables", {}),  # type: ignore[dict-item]
        }
        done = subprocess.run(
            command, cwd=self.clone, env=variables, capture_output=True, text=True, **how
        )
        assert done.stdout, done.stderr
        (result,) = json.loads(done.stdout)["results"]
        return result


@pytest.fixture(params=RECIPES)
def recipe(request: pytest.FixtureRequest, raw_files: Path | None) -> str:
    name: str = request.param
    if name in NOT_IN_THE_REPOSITORY and raw_files is None:
        pytest.skip(f"{name}: its sources are not on this machine (D4CBUILD_TEST_SOURCES)")
    return name


@pytest.fixture
def elsewhere(
    tmp_path: Path, geo_image: Image, shared_store: Store, raw_files: Path | None
) -> Iterator[Elsewhere]:
    """A copy of the working copy's committed and uncommitted files, in another path."""
    clone = tmp_path / "somewhere else" / "d4cbuild"
    names = ("d4cbuild", "recipes", "environments")
    for name in names:
        shutil.copytree(
            REPOSITORY / name, clone / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    store = tmp_path / "store"
    store.mkdir()
    (store / "images").symlink_to(shared_store.images)
    mirror = () if raw_files is None else ("--mirror", str(raw_files))
    yield Elsewhere(clone, store, mirror)


def verdicts(result: dict) -> dict[str, str]:
    return {
        rebuild["runner"]: output["verdict"]
        for rebuild in result["rebuilds"]
        for output in rebuild["outputs"]
    }


@pytest.mark.engine
def test_both_runners_rebuild_the_committed_manifest(recipe: str, elsewhere: Elsewhere) -> None:
    here = Elsewhere(REPOSITORY, elsewhere.store, elsewhere.mirror)
    result = here.verify(recipe, "--runner", "all")
    assert verdicts(result) == {
        "bubblewrap": "identical",
        "docker": "identical",
        "bubblewrap = docker": "identical",
    }, result


@pytest.mark.engine
def test_another_path_zone_locale_umask_host_and_cpu_count_change_nothing(
    recipe: str, elsewhere: Elsewhere
) -> None:
    result = elsewhere.verify(
        recipe,
        *("--runner", "all", "--cpus", "1"),
        before=("unshare", "--uts", "sh", "-c", 'hostname elsewhere; exec "$@"', "sh"),
        variables={"TZ": "America/St_Johns", "LC_ALL": "fr_CA.UTF-8", "LANG": "fr_CA.UTF-8"},
        umask=0o077,
    )
    assert set(verdicts(result).values()) == {"identical"}, result


@pytest.mark.engine
@pytest.mark.parametrize("recipe", [n for n in RECIPES if n not in NOT_IN_THE_REPOSITORY])
def test_nothing_that_is_varied_makes_a_difference(recipe: str, elsewhere: Elsewhere) -> None:
    # Of the large recipe, this is for whoever releases it: it takes minutes.
    result = elsewhere.verify(recipe, "--runner", "bubblewrap", "--vary", "all", "--seed", "real")
    assert verdicts(result) == {"bubblewrap-varied": "identical", "docker": "identical"}, result
    assert result["varied"]["flips"] == []
    assert result["varied"]["not_varied"] == {}


def test_a_user_who_is_not_root_gets_the_same_with_bubblewrap(
    recipe: str, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    # pytest keeps its folders to its own user; another one is to walk through them here.
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    for path in (elsewhere.clone.parent, elsewhere.store):
        subprocess.run(["chown", "-R", str(NOBODY), str(path)], check=True)
    result = elsewhere.verify(
        recipe,
        *("--runner", "bubblewrap"),
        python=_python_for_everyone(tmp_path),
        variables={"HOME": str(elsewhere.store)},
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
    )
    assert verdicts(result) == {"bubblewrap": "identical"}, result


def _python_for_everyone(folder: Path) -> tuple[str, ...]:
    """A Python that another user may run, with the packages of this one."""
    copies = folder / "site-packages"
    packages = next(Path(p) for p in sys.path if p.endswith("site-packages"))
    shutil.copytree(packages, copies, symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", str(copies)], check=True)
    program = f"import sys; sys.path.append({str(copies)!r})\n" + (
        "from d4cbuild.cli.main import main\nmain()"
    )
    return ("/usr/bin/python3", "-c", program)
