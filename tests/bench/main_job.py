"""The cost of d4cbuild itself, above the work it was asked to do."""

from __future__ import annotations

import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from d4cbuild.base.progress import Silence
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import ensure_image
from d4cbuild.sandbox.bubblewrap import BubblewrapRunner
from d4cbuild.sandbox.docker import DockerRunner
from d4cbuild.sandbox.image import Image
from d4cbuild.sandbox.job import Job, Limits, Runner
from d4cbuild.store import Store
from tests.bench.measure import measure, milliseconds, print_table

REPOSITORY = Path(__file__).parents[2]
D4CBUILD = (sys.executable, "-m", "d4cbuild")
SANDBOX_RUNS = 21


def run(raw_files: Path | None) -> None:
    """Measure and print."""
    store = Store(REPOSITORY / ".cache" / "store")
    folder = EnvironmentFolder(REPOSITORY / "environments" / "geo")
    image = ensure_image(folder, store, Silence())
    env = {**os.environ, "D4CBUILD_STORE": str(store.root)}
    rows = [*_start(env), *_builds(env), *_sandboxes(image, store), _assembling(store, env)]
    if raw_files is not None:
        rows += [_elections_memory(env, raw_files), _elections_varied(env, raw_files)]
    else:
        rows.append(("peak memory building elections", "no sources here", "≤ 400 MB"))
        rows.append(("elections under --vary all", "no sources here", "identical"))
    print_table("The main job", rows)


def _start(env: dict[str, str]) -> list[tuple[str, str, str]]:
    return [
        (f"d4cbuild {option}", milliseconds(_median((*D4CBUILD, option), env)), "≤ 150 ms")
        for option in ("--version", "--help")
    ]


def _builds(env: dict[str, str]) -> list[tuple[str, str, str]]:
    recipe = "recipes/statcan-odhf"
    subprocess.run((*D4CBUILD, "build", recipe), cwd=REPOSITORY, env=env, check=True)
    nothing = _median((*D4CBUILD, "build", recipe), env)
    return [("build with nothing to do", milliseconds(nothing), "≤ 250 ms")]


def _median(command: tuple[str, ...], env: dict[str, str]) -> float:
    return measure(command, runs=11, cwd=REPOSITORY, env=env).median_s


def _sandboxes(image: Image, store: Store) -> list[tuple[str, str, str]]:
    rows = []
    runners: list[tuple[Runner, str]] = [(BubblewrapRunner(), "≤ 150 ms"), (DockerRunner(), "-")]
    for runner, wanted in runners:
        times = [_run_true(runner, image, store) for _ in range(SANDBOX_RUNS)][1:]
        rows.append(
            (f"{runner.name} around `true`", milliseconds(statistics.median(times)), wanted)
        )
    return rows


def _run_true(runner: Runner, image: Image, store: Store) -> float:
    with store.workspace() as workspace:
        for name in ("code", "lib", "run"):
            (workspace / name).mkdir()
        parameters = workspace / "parameters.json"
        parameters.write_text("{}")
        job = Job(
            image=image,
            command=("true",),
            sources=(),
            code=workspace / "code",
            parameters=parameters,
            lib=workspace / "lib",
            scratch=workspace / "run",
            limits=Limits(),
            source_date_epoch=0,
        )
        began = time.perf_counter()
        outcome = runner.run(job, io.BytesIO())
        seconds = time.perf_counter() - began
    assert outcome.succeeded
    return seconds


def _assembling(store: Store, env: dict[str, str]) -> tuple[str, str, str]:
    command = (*D4CBUILD, "env", "build", "geo", "--again")
    # In a store of its own that has the packages: others may be building in the image.
    with tempfile.TemporaryDirectory(dir=store.temporary) as folder:
        (Path(folder) / "objects").symlink_to(store.objects)
        shutil.copyfile(store.root / "store.sqlite", Path(folder) / "store.sqlite")
        env = {**env, "D4CBUILD_STORE": folder}
        median = measure(command, runs=3, warm_up=0, cwd=REPOSITORY, env=env).median_s
    return ("env build geo, packages downloaded", f"{median:.1f} s", "≤ 15 s")


def _elections_memory(env: dict[str, str], raw_files: Path) -> tuple[str, str, str]:
    recipe = "recipes/elections-canada-pollresults"
    with tempfile.TemporaryDirectory() as folder:
        command = (*D4CBUILD, "build", "--force", "--dist", folder, "--mirror", str(raw_files))
        found = measure((*command, recipe), runs=1, warm_up=0, cwd=REPOSITORY, env=env, memory=True)
    text = f"{found.peak_bytes / 1e6:.0f} MB in {found.median_s:.0f} s"
    return ("peak memory building elections", text, "≤ 400 MB")


def _elections_varied(env: dict[str, str], raw_files: Path) -> tuple[str, str, str]:
    """The largest recipe in other circumstances: too long for the tests, and part of a release."""
    recipe = "recipes/elections-canada-pollresults"
    command = (*D4CBUILD, "verify", "--json", "--vary", "all", "--mirror", str(raw_files), recipe)
    began = time.perf_counter()
    done = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, check=False)
    seconds = time.perf_counter() - began
    if not done.stdout:
        raise RuntimeError(done.stderr.decode())
    (result,) = json.loads(done.stdout)["results"]
    varied = result["varied"]
    left_out = "".join(f", without {name}" for name in varied["not_varied"])
    verdicts = {o["verdict"] for rebuild in result["rebuilds"] for o in rebuild["outputs"]}
    text = (
        f"{', '.join(sorted(verdicts))} in {varied['rebuilds']} rebuilds, {seconds:.0f} s{left_out}"
    )
    return ("elections under --vary all", text, "identical")
