"""The command line as people and scripts meet it, before any recipe is built."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

import d4cbuild
from d4cbuild.cli.main import COMMANDS, cli
from tests.cli.silent import silent_server
from tests.project import RECIPE, Answer, Project
from tests.running import running

REPOSITORY = Path(__file__).parent.parent.parent
HEAVY = ("pyarrow", "docker", "pygit2", "pydantic", "sqlite3", "rich", "requests", "blake3")
ON_DEMAND = ("docker", "jinja2", "numpy", "pyarrow", "pygit2", "pystac", "requests", "urllib3")


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    """A project with two recipes that need no image until they are built."""
    project = Project.create(tmp_path / "project", tmp_path / "store", REPOSITORY / "environments")
    project.add_recipe("second")
    project.commit("Add another recipe")
    return project


def subcommands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, inner) for inner in command.commands]
    return found


def run(*arguments: str, cwd: Path, store: Path) -> Answer:
    done = subprocess.run(
        [sys.executable, "-m", "d4cbuild", *arguments],
        cwd=cwd,
        env={**os.environ, "D4CBUILD_STORE": str(store), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def test_the_version_is_told(bare: Project) -> None:
    assert bare.run("--version").out == f"d4cbuild, version {d4cbuild.__version__}\n"


@pytest.mark.parametrize("command", subcommands(), ids="-".join)
def test_every_command_explains_itself(command: tuple[str, ...], bare: Project) -> None:
    answer = bare.run(*command, "--help")
    assert answer.status == 0
    assert answer.err == ""
    assert answer.out.startswith(f"Usage: python -m d4cbuild {' '.join(command)}")
    assert "--json" in answer.out or "Commands:" in answer.out
    assert bare.run(*command, "-h").out == answer.out


def test_help_lists_every_command_and_the_exit_codes(bare: Project) -> None:
    answer = bare.run("--help")
    assert all(f"\n  {name} " in answer.out for name in COMMANDS)
    assert "64 bad input" in " ".join(answer.out.split())
    assert not bare.store.exists()


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(option: str) -> None:
    code = f"""
import sys
from d4cbuild.cli.main import main
sys.argv = ["d4cbuild", "{option}"]
try:
    main()
except SystemExit:
    loaded = {{name.partition(".")[0] for name in sys.modules}}
    print(sorted(loaded & set({HEAVY!r})), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("verb", ["build", "bundle", "eject", "lock", "store", "verify"])
def test_verbs_that_may_find_all_in_the_store_import_no_library_for_the_web(verb: str) -> None:
    code = f"""
import sys
import d4cbuild.cli.{verb}
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(sorted(loaded & set({ON_DEMAND!r})))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lock", "--nonsense"), "--nonsense"),
        (("nonsense",), "nonsense"),
        (("build", "--cpus", "0", "places"), "--cpus"),
        (("build", "--cpus", "many", "places"), "--cpus"),
        (("store", "nonsense"), "nonsense"),
        (("env", "build"), "NAME"),
        (("--nonsense",), "--nonsense"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_understood_exits_64(
    arguments: tuple[str, ...], said: str, bare: Project
) -> None:
    answer = bare.run(*arguments)
    assert answer.status == 64
    assert answer.out == ""
    assert said in answer.err
    assert "Traceback" not in answer.err
    again = bare.run(*arguments, "--json")
    assert again.status == 64
    assert again.json["exit_code"] == 64
    assert again.json["error"] == "InputError"
    assert "--help" in again.json["next"]


# One JSON document ------------------------------------------------------------------------

JSON_COMMANDS = {
    "lock": (("lock", "places"), 0),
    "lock_missing": (("lock", "nowhere"), 64),
    "lock_check_unlocked": (("lock", "--check", "places"), 2),
    "lock_all": (("lock", "--all"), 0),
    "lock_nothing_named": (("lock",), 64),
    "lock_all_and_named": (("lock", "--all", "places"), 64),
    "build_unlocked": (("build", "places"), 2),
    "build_missing": (("build", "nowhere"), 64),
    "build_runner": (("build", "--dirty", "--runner", "nonsense", "places"), 64),
    "verify_unbuilt": (("verify", "places"), 16),
    "verify_missing": (("verify", "nowhere"), 64),
    "store_ls": (("store", "ls"), 0),
    "store_verify": (("store", "verify"), 0),
    "store_gc": (("store", "gc", "--dry-run"), 0),
    "env_show": (("env", "show"), 0),
    "env_show_geo": (("env", "show", "geo"), 0),
    "env_show_missing": (("env", "show", "nowhere"), 64),
    "env_build_missing": (("env", "build", "nowhere"), 64),
    "env_export_missing": (("env", "export", "nowhere"), 64),
    "env_lock_missing": (("env", "lock", "nowhere"), 64),
}


@pytest.mark.parametrize(("arguments", "status"), JSON_COMMANDS.values(), ids=JSON_COMMANDS)
def test_json_is_one_document_and_nothing_else(
    arguments: tuple[str, ...], status: int, bare: Project
) -> None:
    answer = bare.run(*arguments, "--json")
    assert answer.status == status, answer.err
    document = json.loads(answer.out)
    if isinstance(document, dict) and "exit_code" in document:
        assert document["exit_code"] == status
    assert "Traceback" not in answer.err
    assert not (bare.store / "store.sqlite-wal").exists()  # the database was closed


def test_doctor_answers_also_where_the_store_cannot_be_used(bare: Project) -> None:
    bare.store.write_text("a file")
    answer = bare.run("doctor", "--json")
    assert answer.status == 16
    checks = {check["name"]: check for check in answer.json["checks"]}
    assert checks["CPU"]["works"] is True
    assert checks["store"]["works"] is False
    assert "D4CBUILD_STORE" in checks["store"]["found"]
    assert answer.json["can_build"] is False


def test_doctor_says_what_is_weaker_here(bare: Project) -> None:
    assert bare.run("store", "ls").status == 0  # makes the store
    bare.store.chmod(0o777)
    answer = bare.run("doctor", "--json", PATH="/nowhere")
    checks = {check["name"]: check for check in answer.json["checks"]}
    assert checks["store: only you write in it"]["works"] is False
    assert "chmod go-w" in checks["store: only you write in it"]["weaker"]
    assert checks["bundles: rebuild.sh"]["found"] == "without sh, tar, sha256sum"
    assert checks["offline filter"] == {
        "name": "offline filter",
        "works": True,
        "found": "sockets are refused",
        "weaker": None,
    }
    assert "    weaker here: others can change" in bare.run("doctor").out


def test_doctor_tries_out_what_the_sandboxes_promise(bare: Project) -> None:
    checks = {check["name"]: check for check in bare.run("doctor", "--json").json["checks"]}
    assert checks["bubblewrap: system calls are filtered"]["works"] is True
    limited = checks["bubblewrap: memory and processes are limited"]
    assert limited["works"] is ("version" in limited["found"])
    assert all((check.get("weaker") is None) == check["works"] for check in checks.values())


# Errors -----------------------------------------------------------------------------------


def test_an_error_says_what_was_expected_found_where_and_what_is_next(bare: Project) -> None:
    answer = bare.run("lock", "recipes/nowhere")
    assert answer.status == 64
    assert answer.out == ""
    assert answer.err.splitlines() == [
        "error: there is no recipe here",
        "  expected: a file recipe.toml",
        "  found:    nothing",
        "  where:    recipes/nowhere/recipe.toml",
        "  next:     name the recipe's folder, such as recipes/statcan-odhf",
    ]


def test_what_is_no_recipe_is_not_verified_and_does_not_keep_others_from_it(bare: Project) -> None:
    answer = bare.run("verify", "recipes/nowhere")
    assert answer.status == 64
    assert "there is no recipe here" in answer.err
    assert "unknown" not in answer.out
    assert bare.run("verify", "recipes/nowhere", "places").status == 64 | 16


def test_exit_codes_of_several_recipes_are_combined(bare: Project) -> None:
    (bare.root / "recipes" / "second" / "recipe.toml").write_text("nonsense")
    answer = bare.run("lock", "--check", "places", "second", "nowhere", "--json")
    assert answer.status == 2 | 64
    results = answer.json["results"]
    assert [Path(result["recipe"]).name for result in results] == ["places", "second", "nowhere"]
    assert results[0]["stale"] is True
    assert results[1]["error"] == results[2]["error"] == "InputError"
    assert answer.json["exit_code"] == 66
    assert "not readable as TOML" in answer.err


def test_one_bad_recipe_does_not_keep_the_next_from_its_lock(bare: Project) -> None:
    (bare.recipe / "recipe.toml").write_text("nonsense")
    answer = bare.run("lock", "places", "second")
    assert answer.status == 64
    assert "recipes/second: locked:" in answer.out
    assert (bare.root / "recipes" / "second" / "recipe.lock").exists()


def test_what_the_system_refuses_is_an_error_and_no_traceback(bare: Project) -> None:
    lock = bare.recipe / "recipe.lock"
    lock.mkdir()
    answer = bare.run("lock", "--check", "places", "--json")
    assert answer.status == 16
    assert "Traceback" not in answer.err
    (result,) = answer.json["results"]
    assert result["found"] == "Is a directory"
    assert result["where"] == "recipes/places/recipe.lock"


# Naming recipes ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["places", "recipes/places", "recipes/places/recipe.toml"])
def test_a_recipe_is_named_by_id_folder_or_file(bare: Project, name: str) -> None:
    answer = bare.run("lock", name)
    assert answer.status == 0, answer.err
    assert answer.out.startswith("recipes/places: locked:")


def test_inside_its_folder_a_recipe_need_not_be_named(bare: Project) -> None:
    answer = run("lock", cwd=bare.recipe, store=bare.store)
    assert answer.status == 0, answer.err
    assert (bare.recipe / "recipe.lock").exists()
    assert not (bare.root / "recipes" / "second" / "recipe.lock").exists()


def test_a_bare_id_works_in_any_folder_of_the_project(bare: Project) -> None:
    answer = run("lock", "places", cwd=bare.root / "recipes" / "second", store=bare.store)
    assert answer.status == 0, answer.err
    assert (bare.recipe / "recipe.lock").exists()


def test_where_no_recipe_is_named_the_ways_to_name_one_are_said(bare: Project) -> None:
    answer = bare.run("lock")
    assert answer.status == 64
    assert "--all" in answer.err


@pytest.mark.parametrize("arguments", [("lock", "--all"), ("build", "places"), ("env", "show")])
def test_outside_a_project_the_error_says_where_to_go(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    answer = run(*arguments, cwd=tmp_path, store=tmp_path / "store")
    assert answer.status == 64
    assert "no environments were found" in answer.err
    assert "inside a clone of the project" in answer.err


# Pipes and signals ------------------------------------------------------------------------


def test_in_a_pipe_progress_is_plain_lines(bare: Project) -> None:
    answer = bare.run("lock", "places", TERM="xterm-256color")
    assert answer.status == 0
    assert "\x1b" not in answer.out + answer.err
    assert "\r" not in answer.out + answer.err
    answer = bare.run("store", "verify")
    assert answer.err.splitlines()[0].startswith("checking objects")


def test_a_reader_that_stops_reading_is_no_error(bare: Project) -> None:
    command = [sys.executable, "-m", "d4cbuild", "store", "ls", "--json"]
    with running(
        command,
        cwd=bare.root,
        env=bare.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 141
    assert err == ""


def interrupted(project: Project, number: signal.Signals, *arguments: str) -> Answer:
    """Lock a source whose server never answers, and interrupt that."""
    with silent_server() as (address, asked):
        text = RECIPE.format(id="places").replace("https://example.invalid", address)
        text = text.replace('mirrors = ["sources/places.csv"]', "mirrors = []")
        (project.recipe / "recipe.toml").write_text(text)
        project.commit("Take a source from a server")
        with running(
            [sys.executable, "-m", "d4cbuild", "lock", "places", *arguments],
            cwd=project.root,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert asked.wait(30)
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
    return Answer(process.returncode, out, err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_exits_130_and_leaves_nothing(
    bare: Project, number: signal.Signals
) -> None:
    answer = interrupted(bare, number)
    assert answer.status == 130
    assert "stopped" in answer.err
    assert "Traceback" not in answer.err
    assert not (bare.recipe / "recipe.lock").exists()
    assert list((bare.store / "tmp").iterdir()) == []


def test_an_interrupted_command_says_so_as_json_too(bare: Project) -> None:
    answer = interrupted(bare, signal.SIGINT, "--json")
    assert answer.status == 130
    assert answer.json["exit_code"] == 130
