"""``verify --vary``: each variation takes effect, is named where it matters, and only there."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.plan import plan_locked
from d4cbuild.build.vary.bisect import causes
from d4cbuild.build.vary.draw import draw
from d4cbuild.build.vary.elsewhere import lay_out_elsewhere
from d4cbuild.build.vary.errand import environment_of
from d4cbuild.build.vary.surroundings import Surroundings
from d4cbuild.build.vary.variation import VARIATIONS, Here
from d4cbuild.store import Store
from tests.conftest import REPOSITORY
from tests.project import Answer, Project

IN_BUBBLEWRAP = ",".join(v.name for v in VARIATIONS if v.name != "runner")

# What a job can see of each variation. Text, so that the job computes it.
SEEN = {
    "cpus": "os.cpu_count()",
    "directory-order": "os.listdir(os.environ['D4C_CODE'])",
    "clock": "time.strftime('%Y-%m')",
    "memory": "open('/proc/meminfo').readline()",
    "kernel": "os.uname().release + open('/proc/sys/kernel/osrelease').read()",
    "cpu-features": "[math.exp(i / 7000) * math.sin(i) for i in range(5000)]",
    "address-space": "id(object())",
}
ALSO_SEEN = {
    "threads": ("cpus", "os.environ['OMP_NUM_THREADS']"),
    "modified": ("clock", "os.path.getmtime(os.environ['D4C_SOURCES'] + '/places.csv')"),
    "temporary": ("directory-order", "[open(f'/tmp/{n}', 'w') and n for n in 'caebdfhg']"
                  " and os.listdir('/tmp')"),
}  # fmt: skip


def saw(name: str) -> str:
    return "saw_" + name.replace("-", "_")


def watching(project: Project, prelude: str = "", /, **expressions: str) -> Project:
    """Make the recipe write what it sees: one file for each expression."""
    head = (project.recipe / "recipe.toml").read_text().partition("[[outputs]]")[0]
    for name in expressions:
        head += f'[[outputs]]\nname = "{name}"\nformat = "file"\nfile = "{name}.txt"\n\n'
    (project.recipe / "recipe.toml").write_text(head)
    lines = [prelude, "import math, os, sys, time", "OUT = os.environ['D4C_OUT']"]
    for name, expression in expressions.items():
        lines += [
            f"with open(OUT + '/{name}.txt', 'w') as out:",
            f"    out.write(str({expression}))",
        ]
    (project.recipe / "process.py").write_text("\n".join(lines) + "\n")
    for name in "caebdfhg":
        (project.recipe / f"{name}.txt").write_text(name)
    project.commit("Watch")
    return project.built()


def vary(project: Project, names: str, *options: str, **variables: str) -> Answer:
    arguments = ("verify", "--json", "--runner", "bubblewrap", "--vary", names, *options)
    return project.run(*arguments, "recipes/places", **variables)


def result(answer: Answer) -> dict[str, Any]:
    assert answer.out, answer.err
    (found,) = answer.json["results"]
    assert isinstance(found, dict)
    return found


def flips(answer: Answer) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for flip in result(answer)["varied"]["flips"]:
        found.setdefault(flip["output"], []).append(flip["variations"])
    return found


def test_each_variation_flips_what_sees_it_and_nothing_else(project: Project) -> None:
    seen = {saw(name): expression for name, expression in SEEN.items()}
    also = {saw(name): expression for name, (_, expression) in ALSO_SEEN.items()}
    watching(project, **seen, **also, nothing="'the same'")
    answer = vary(project, IN_BUBBLEWRAP, "--seed", "one")
    assert flips(answer) == {
        **{saw(name): [[name]] for name in SEEN},
        **{saw(name): [[cause]] for name, (cause, _) in ALSO_SEEN.items()},
    }
    assert result(answer)["verdict"] == "different"
    assert answer.status == 12


WAIT = """\
import ctypes, time
libc = ctypes.CDLL(None)
def waited(clock):
    attributes, condition, lock = (ctypes.create_string_buffer(64) for _ in range(3))
    libc.pthread_condattr_init(attributes)
    libc.pthread_condattr_setclock(attributes, clock)
    libc.pthread_cond_init(condition, attributes)
    libc.pthread_mutex_init(lock, None)
    libc.pthread_mutex_lock(lock)
    until = time.clock_gettime_ns(clock) + 50_000_000
    moment = (ctypes.c_long * 2)(*divmod(until, 1_000_000_000))
    start = time.perf_counter()
    libc.pthread_cond_timedwait(condition, lock, moment)
    return time.perf_counter() - start > 0.049
"""


def test_under_another_clock_threads_wait_as_long_as_they_mean_to(project: Project) -> None:
    clocks = {"real": "waited(time.CLOCK_REALTIME)", "steady": "waited(time.CLOCK_MONOTONIC)"}
    watching(project, WAIT, **clocks)
    assert {path.read_text() for path in project.root.glob("**/dist/*.txt")} == {"True"}
    assert vary(project, "clock").status == 0


def test_a_good_recipe_comes_through_all_of_them_in_one_rebuild(project: Project) -> None:
    answer = vary(project.built(), IN_BUBBLEWRAP)
    assert answer.status == 0, answer.out
    varied = result(answer)["varied"]
    assert varied["flips"] == []
    assert varied["not_varied"] == {}
    assert varied["rebuilds"] == 1
    assert set(varied["rounds"][0]) == set(IN_BUBBLEWRAP.split(","))


def test_what_needs_the_cpu_floor_is_warned_of_and_still_identical(project: Project) -> None:
    watching(project, sines=SEEN["cpu-features"])
    answer = project.run("verify", "--vary", "umask,cpu-features", "recipes/places")
    assert answer.status == 0, answer.out
    assert "warning: sines: needs x86-64-v3" in answer.out
    assert "places: identical" in answer.out


def test_what_is_other_on_every_run_is_blamed_on_no_variation(project: Project) -> None:
    watching(project, chance="os.urandom(8)")
    found = result(vary(project, "umask,cpus"))
    (flip,) = found["varied"]["flips"]
    assert flip["variations"] == []
    assert flip["reason"] == "comes out otherwise from time to time, with nothing varied"
    assert found["verdict"] == "different"


def test_what_depends_on_how_threads_take_turns_is_blamed_on_cpus(project: Project) -> None:
    project.edit("recipe.toml", "cpus = 1", "cpus = 2")
    watching(project, race="1 if len(os.sched_getaffinity(0)) == 1 else os.urandom(8)")
    (flip,) = result(vary(project, "umask,cpus"))["varied"]["flips"]
    assert flip["variations"] == ["cpus"]
    assert flip["choices"] == ["1 CPU is seen"]
    assert "the same every time on one CPU" in flip["reason"]


def test_code_that_fails_because_of_a_variation_is_failed_by_it(project: Project) -> None:
    watching(project, year="time.localtime().tm_year < 2100 and os.umask(0o022)")
    project.edit(
        "process.py",
        "import math",
        "import os\nif os.cpu_count() == 4:\n    raise SystemExit(5)\nimport math",
    )
    project.commit()
    project.built()
    answers = [vary(project, "cpus", "--rounds", "3", "--seed", "x")]
    (flip,) = result(answers[0])["varied"]["flips"]
    assert (flip["variations"], flip["verdict"]) == (["cpus"], "failed")
    assert "exit status 5" in flip["reason"]
    assert answers[0].status == 1


def test_an_output_that_differs_anyway_is_told_apart_from_one_that_is_varied(
    project: Project,
) -> None:
    watching(project, steady="'the same'", seen="os.cpu_count()")
    path = project.recipe / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["outputs"][0].update(sha256="sha256:" + "0" * 64)
    path.write_text(json.dumps(manifest))
    answer = vary(project, "umask,cpus,paths")
    assert flips(answer) == {"steady": [[]], "seen": [["cpus"]]}
    (steady, _) = result(answer)["varied"]["flips"]
    assert "the same every time" in steady["reason"]


def test_rounds_draw_choices_and_a_seed_repeats_them(project: Project) -> None:
    watching(project, nothing="'the same'")
    options = ("memory,clock,umask", "--rounds", "3", "--seed", "snow")
    first, again = (result(vary(project, *options)) for _ in range(2))
    assert first["varied"]["seed"] == "snow"
    assert first["varied"]["rebuilds"] == 3
    rounds = first["varied"]["rounds"]
    moments = [said["clock"].partition("(")[2] for said in rounds]
    assert moments[0] != moments[1]
    assert rounds[0]["memory"] != rounds[1]["memory"]
    repeated = again["varied"]["rounds"]
    assert [said["memory"] for said in repeated] == [said["memory"] for said in rounds]
    assert [said["clock"].partition("(")[2] for said in repeated] == moments
    assert [rebuild["runner"] for rebuild in first["rebuilds"]] == [
        "bubblewrap-varied",
        "bubblewrap-varied-2",
        "bubblewrap-varied-3",
    ]


def test_what_cannot_be_varied_here_is_said_and_counts_as_nothing(project: Project) -> None:
    watching(project, nothing="'the same'")
    nowhere = {"DOCKER_HOST": "unix:///nonexistent.sock"}
    answer = vary(project, "runner,umask", **nowhere)
    assert answer.status == 0, answer.out
    varied = result(answer)["varied"]
    assert list(varied["not_varied"]) == ["runner"]
    assert "no Docker engine answers" in varied["not_varied"]["runner"]
    assert list(varied["rounds"][0]) == ["umask"]
    text = project.run("verify", "--vary", "runner,umask", "recipes/places", **nowhere)
    assert "not varied here: runner, because: docker: no Docker engine answers" in text.out


@pytest.mark.engine
def test_the_other_runner_is_a_rebuild_of_its_own(project: Project) -> None:
    answer = vary(project.built(), "runner,umask")
    assert answer.status == 0, answer.out
    names = [rebuild["runner"] for rebuild in result(answer)["rebuilds"]]
    assert names == ["bubblewrap-varied", "docker"]


@pytest.mark.engine
def test_an_engine_varies_what_it_can_and_says_what_it_cannot(project: Project) -> None:
    watching(project, seen="os.cpu_count()", month="time.strftime('%Y-%m')", other="1")
    options = ("verify", "--json", "--runner", "docker", "--vary", IN_BUBBLEWRAP)
    answer = project.run(*options, "recipes/places")
    assert flips(answer) == {"seen": [["cpus"]], "month": [["clock"]]}
    missing = result(answer)["varied"]["not_varied"]
    assert set(missing) == {"directory-order", "kernel", "address-space", "user-id"}


def test_the_process_that_rebuilds_has_another_host_and_user(project: Project) -> None:
    project.built()
    logs = set((project.store / "logs").rglob("*.log"))
    answer = vary(project, "host-name,user-id", "--seed", "one")
    (log,) = set((project.store / "logs").rglob("*.log")) - logs
    lines = [line.partition("] ")[2] for line in log.read_text().splitlines()]
    user = result(answer)["varied"]["rounds"][0]["user-id"].rpartition(" ")[2]
    assert "host: d4c-elsewhere" in lines
    assert f"user_id: {user}" in lines
    assert answer.status == 0


def test_the_process_that_rebuilds_has_other_variables_and_another_umask() -> None:
    variables = (("TZ", "Asia/Kathmandu"), ("LC_ALL", "tr_TR.UTF-8"), ("PATH_OF_OURS", None))
    program = (
        "import os, time\n"
        "from d4cbuild.build.vary.process import enter\n"
        "enter(None, None, 0o077)\n"
        "print(time.tzname[0], os.environ['LC_ALL'], oct(os.umask(0)))\n"
    )
    environment = environment_of(Surroundings(variables=variables))
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["+0545", "tr_TR.UTF-8", "0o77"]


def test_a_recipe_elsewhere_is_the_same_recipe_with_the_same_sources(
    project: Project, store: Store, tmp_path: Path
) -> None:
    project.built()
    plan = plan_locked(RecipeFolder(project.recipe))
    (source,) = plan.lock.sources
    path = store.require(source.blake3, "source", "")
    elsewhere = lay_out_elsewhere(plan, ((source.name, path),), store, tmp_path)
    assert plan_locked(RecipeFolder(elsewhere.recipe)).key == plan.key
    assert project.root not in elsewhere.recipe.parents
    other = Store(elsewhere.store)
    assert other.require(source.blake3, "source", "").read_bytes() == path.read_bytes()
    other.database.close()


def test_nothing_of_a_rebuild_elsewhere_is_left_behind(project: Project) -> None:
    project.built()
    assert vary(project, "paths").status == 0
    assert list((project.store / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--vary", "weather"), "directory-order"),
        (("--rounds", "2"), "--vary all"),
        (("--seed", "x"), "--vary all"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    project: Project, options: tuple[str, ...], said: str
) -> None:
    answer = project.run("verify", *options, "recipes/places")
    assert answer.status == 64
    assert said in answer.err


names = st.lists(st.sampled_from("abcdefghijklmn"), unique=True, min_size=1)


@given(names, st.data())
def test_halving_finds_every_smallest_cause(suspects: list[str], data: st.DataObject) -> None:
    """Disjoint hidden causes, each of one or several, are all found, and nothing more."""
    order = data.draw(st.permutations(suspects))
    sizes = data.draw(st.lists(st.integers(1, 3), max_size=4))
    hidden: list[frozenset[str]] = []
    at = 0
    for size in sizes:
        if order[at : at + size]:
            hidden.append(frozenset(order[at : at + size]))
        at += size

    def flips_it(some: frozenset[str]) -> bool:
        return any(cause <= some for cause in hidden)

    found = causes(suspects, flips_it)
    assert {frozenset(cause) for cause in found} == set(hidden)
    assert len(found) == len(hidden)


@pytest.mark.parametrize("culprit", "abcdefghijklmn")
def test_one_cause_among_fourteen_takes_few_rebuilds(culprit: str) -> None:
    asked: set[frozenset[str]] = set()

    def flips_it(some: frozenset[str]) -> bool:
        asked.add(some)
        return culprit in some

    assert causes("abcdefghijklmn", flips_it) == [(culprit,)]
    assert len(asked) <= 10


def test_the_specification_lists_the_variations_as_they_are() -> None:
    page = (REPOSITORY / "d4cbuild" / "spec" / "variations.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{v.name}` | {v.does} | {v.catches} |" for v in VARIATIONS]


def _drawn(seed: str, rounds: int = 12) -> list[dict[str, str]]:
    here = Here(
        runner="bubblewrap",
        other_runner="docker",
        no_other="",
        cpus=2,
        machine_cpus=8,
        room=True,
        no_namespaces=None,
        clock=b"",
        now=datetime(2026, 3, 1, tzinfo=UTC),
        seed=seed,
    )
    return [draw(VARIATIONS, here, number).said for number in range(1, rounds + 1)]


def test_every_round_is_drawn_by_chance_from_the_seed() -> None:
    games = [_drawn(f"seed {number}") for number in range(40)]
    assert games[0] == _drawn("seed 0")
    several = {name for name in games[0][0] if len({said[name] for g in games for said in g}) > 1}
    assert {"cpus", "clock", "memory", "directory-order", "user-id"} <= several
    for name in several - {"user-id", "variables"}:
        ways = {said[name] for game in games for said in game}
        # Not in turn: whatever was drawn, each may be drawn after it.
        after = {(a[name], b[name]) for game in games for a, b in pairwise(game)}
        assert after == {(a, b) for a in ways for b in ways}, name


def test_two_rounds_never_do_the_same() -> None:
    for game in (_drawn(f"seed {number}", rounds=2) for number in range(60)):
        first, second = game
        same = {name for name in first if first[name] == second[name]}
        assert not same & {"cpus", "clock", "memory", "directory-order", "user-id", "time-zone"}


def test_a_round_never_takes_what_is_usual() -> None:
    counts = {said["cpus"] for number in range(40) for said in _drawn(f"seed {number}", rounds=2)}
    assert counts == {"1 CPU is seen", "4 CPUs are seen"}
