"""``build --watch``, driven as a person does it: by saving files."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.project import CODE, Project
from tests.sources.server import Site, whole
from tests.terminal import Terminal

COMMAND = [sys.executable, "-m", "d4cbuild", "build", "--watch", "places"]
PATIENCE_S = 60.0
QUIET_S = 2.5
"""Longer than it takes to see a save and to build."""


class Watching:
    """``build --watch --json`` in a pipe: one record for each build."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def next(self) -> Any:
        return json.loads(self._lines.get(timeout=PATIENCE_S))

    def is_quiet(self) -> bool:
        try:
            line = self._lines.get(timeout=QUIET_S)
        except queue.Empty:
            return True
        raise AssertionError(f"another build: {line}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)


@contextmanager
def watching(project: Project) -> Iterator[Watching]:
    command = [*COMMAND, "--json"]
    with subprocess.Popen(
        command,
        cwd=project.root,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield Watching(process)
        finally:
            process.kill()


def wait_for_the_sandbox(project: Project) -> None:
    end = time.monotonic() + PATIENCE_S
    while not list((project.store / "tmp").glob("*/run")):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_each_save_is_one_build_compared_with_the_one_before(project: Project) -> None:
    with watching(project) as watch:
        first = watch.next()
        assert (first["build"], first["status"], first["exit_code"]) == (1, "built", 0)
        (output,) = first["outputs"]
        assert output["head"]["columns"] == [["id", "int16"], ["name", "string"]]
        assert output["head"]["rows"] == [
            ["1", "Moncton"],
            ["2", "Trois-Rivières"],
            ["3", "Iqaluit"],
        ]
        assert output["change"] is None
        source = project.recipe / "sources" / "places.csv"
        source.write_text(source.read_text().replace("Moncton", "Halifax") + "4,Regina\n")
        second = watch.next()
        (output,) = second["outputs"]
        rows = output["change"]["rows"]
        assert (rows["added"], rows["removed"], rows["changed"]) == (1, 0, 1)
        assert {each["column"] for each in output["change"]["findings"]} >= {"name"}
        assert watch.is_quiet()
        assert watch.stop() == 130
        assert watch.next() == {"error": "Stopped", "exit_code": 130, "message": "stopped"}
    assert list((project.store / "tmp").iterdir()) == []


def test_saves_during_a_build_make_exactly_one_more(project: Project) -> None:
    wait = "import time\ntime.sleep(2)\n"
    (project.recipe / "process.py").write_text(wait + CODE)
    with watching(project) as watch:
        assert watch.next()["build"] == 1
        project.edit("process.py", "wrote", "has written")
        wait_for_the_sandbox(project)  # in which the code now takes two seconds at least
        for word in ("one", "two", "three"):
            (project.recipe / "process.py").write_text(f"{wait}{CODE}print('{word}')\n")
        assert watch.next()["build"] == 2
        third = watch.next()
        assert third["build"] == 3
        assert third["outputs"][0]["change"]["verdict"] == "identical"
        assert watch.is_quiet()


def test_what_editors_and_builds_leave_in_the_folder_is_no_save(project: Project) -> None:
    with watching(project) as watch:
        watch.next()
        for name in (".process.py.swp", "process.py~", "README.md", "manifest.json"):
            (project.recipe / name).write_text("not an ingredient")
        (project.recipe / "__pycache__").mkdir()
        (project.recipe / "__pycache__" / "process.pyc").write_bytes(b"")
        assert watch.is_quiet()


def test_a_failed_build_is_told_and_the_next_save_is_built(project: Project) -> None:
    with watching(project) as watch:
        watch.next()
        project.edit("process.py", "places.csv", "nowhere.csv")
        failed = watch.next()
        assert (failed["error"], failed["exit_code"]) == ("BuildFailed", 1)
        assert "nowhere.csv" in failed["found"]
        project.edit("recipe.toml", 'type = "int16"', 'type = "int17"')
        faulty = watch.next()
        assert faulty["error"] == "InputError"
        (finding,) = faulty["findings"]
        line = (project.recipe / "recipe.toml").read_text().splitlines().index('type = "int17"') + 1
        assert (finding["line"], finding["level"]) == (line, "error")
        (project.recipe / "recipe.toml").unlink()
        assert "no recipe here" in watch.next()["message"]
        project.git("checkout", "recipes/places")
        back = watch.next()
        assert back["status"] == "known"
        assert back["outputs"][0]["change"]["verdict"] == "identical"


def test_stopped_within_a_build_nothing_is_left(project: Project) -> None:
    (project.recipe / "process.py").write_text("import time\ntime.sleep(60)\n")
    with watching(project) as watch:
        wait_for_the_sandbox(project)
        assert watch.stop() == 130
    assert list((project.store / "tmp").iterdir()) == []


def test_a_terminal_shows_a_table_that_fits(project: Project) -> None:
    recipe = project.recipe / "recipe.toml"
    column = """
[[outputs.columns]]
name = "column_number_{}"
type = "string"
description = {{ en = "More", fr = "Encore" }}
"""
    recipe.write_text(recipe.read_text() + "".join(column.format(at) for at in range(12)))
    columns = (
        "for i in range(12):\n"
        "    table = table.append_column(f'column_number_{i}', [['\\x1b[31m' * 3] * 3])\n"
    )
    project.edit("process.py", "pq.write_table", f"{columns}pq.write_table")
    with Terminal(COMMAND, project.root, project.environment(), (30, 60)) as terminal:
        terminal.expect("build 1")
        shown = terminal.expect("watching recipes/places; Ctrl-C ends")
        assert "places: 3 rows, 14 columns" in shown
        assert "Trois-Rivières" in shown
        assert "columns more: column_number_" in shown
        assert all(len(line) <= 60 for line in shown.splitlines() if "more:" in line or "─" in line)
        assert "\\x1b[31m" in shown
        project.edit("sources/places.csv", "Moncton", "Halifax")
        shown = terminal.expect("Ctrl-C ends")
        assert "rows: 1 changed (before: 3)" in shown
        assert '"Moncton" → "Halifax"' in shown
        terminal.type("\x03")
        assert terminal.ended() == 130
        assert "Traceback" not in terminal.text


@pytest.mark.parametrize(
    "arguments",
    [("places", "second"), ("--all",), ("places", "--force"), ("places", "--explain")],
    ids=" ".join,
)
def test_what_cannot_be_watched_is_refused(arguments: tuple[str, ...], project: Project) -> None:
    project.add_recipe("second")
    answer = project.run("build", "--watch", "--json", *arguments)
    assert answer.status == 64
    assert answer.json["error"] == "InputError"


def test_a_source_that_no_lock_names_is_fetched_once(project: Project) -> None:
    with Site() as site:
        data = (project.recipe / "sources" / "places.csv").read_bytes()
        site.serve("/places.csv", whole(data))
        project.edit("recipe.toml", "https://example.invalid", site.url(""))
        project.edit("recipe.toml", 'mirrors = ["sources/places.csv"]', "mirrors = []")
        project.extra["NO_PROXY"] = "127.0.0.1"
        with watching(project) as watch:
            assert watch.next()["exit_code"] == 0
            project.edit("process.py", "wrote", "has written")
            assert watch.next()["status"] == "built"
        assert len(site.requests) == 1
