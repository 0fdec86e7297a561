"""``d4cbuild shell`` as a person meets it: on a real terminal, in both sandboxes."""

from __future__ import annotations

import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from d4cbuild.sandbox.docker import LABEL, DockerRunner
from tests.project import Answer, Project
from tests.sandbox.conftest import RUNNERS
from tests.terminal import Terminal

PATIENCE_S = 30.0
PROMPT = "places$ "
every_runner = pytest.mark.parametrize("runner", RUNNERS)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "d4cbuild", "shell", *arguments]


def shell(project: Project, runner: str, *arguments: str) -> Terminal:
    return Terminal(
        command("places", "--runner", runner, *arguments), project.root, project.environment()
    )


def piped(project: Project, runner: str, text: str, *arguments: str) -> Answer:
    done = subprocess.run(
        command("--runner", runner, *arguments),
        cwd=project.root,
        env=project.environment(),
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def left_behind(project: Project, process: int) -> list[str]:
    """Workspaces, processes and mounts, control groups and containers that are still there."""
    left = [str(path) for path in (project.store / "tmp").iterdir()]
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if str(project.store / "tmp") in (each / "mountinfo").read_text():
                left.append((each / "cmdline").read_text())
        except OSError:
            continue  # it has ended since
    left += [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/d4cbuild-{process}-*")]
    filters = {"label": f"{LABEL}.process={process}"}
    containers = DockerRunner()._client.api.containers(all=True, filters=filters)
    return left + [each["Id"] for each in containers]


def nothing_is_left(project: Project, process: int) -> bool:
    end = time.monotonic() + PATIENCE_S
    while left_behind(project, process):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@every_runner
def test_a_prompt_takes_commands_and_the_status_passes_through(
    project: Project, runner: str
) -> None:
    with shell(project, runner) as terminal:
        modes = termios.tcgetattr(terminal.master)
        greeting = terminal.expect(PROMPT)
        assert f"a shell in {runner}" in greeting
        assert "to run the recipe's code:  python process.py" in greeting
        terminal.type("python process.py\n")
        assert "wrote 3 rows" in terminal.expect(PROMPT)
        terminal.type("ls /d4c/sources /d4c/out; cat /d4c/parameters.json; id -u; tty || pwd\n")
        shown = terminal.expect(PROMPT)
        assert "places.csv" in shown
        assert "places.parquet" in shown
        assert '{"greeting":"hello"}' in shown
        assert "1000" in shown.split()
        terminal.type("stty size\n")
        assert "40 100" in terminal.expect(PROMPT)
        terminal.resize(24, 80)
        time.sleep(0.5)
        terminal.type("stty size\n")
        assert "24 80" in terminal.expect(PROMPT)
        terminal.type("exit 3\n")
        assert terminal.ended() == 3
        assert "lost, as it was only in /d4c/out" in terminal.text
        assert termios.tcgetattr(terminal.master) == modes
        assert nothing_is_left(project, terminal.process.pid)


@every_runner
def test_ctrl_c_ends_what_runs_in_the_shell_and_not_the_shell(
    project: Project, runner: str
) -> None:
    with shell(project, runner) as terminal:
        terminal.expect(PROMPT)
        terminal.type("\x03")
        terminal.expect(PROMPT)
        # What is interrupted says itself that it has begun, so the shell is waiting for it.
        terminal.type("sh -c 'echo begun; exec sleep 600'\n")
        terminal.expect("\nbegun")
        terminal.type("\x03")
        terminal.expect(PROMPT)
        terminal.type("echo status $?\n")
        terminal.expect("\nstatus 130")
        terminal.type("\x04")
        assert terminal.ended() == 0
    with shell(project, runner, "--", "sh", "-c", "echo begun; exec sleep 600") as terminal:
        terminal.expect("begun")
        terminal.type("\x1a\x03")  # Ctrl-Z halts nothing that nobody could bring back
        assert terminal.ended() == 130
        assert "error" not in terminal.text
        assert nothing_is_left(project, terminal.process.pid)


@every_runner
def test_code_is_there_as_it_is_saved(project: Project, runner: str) -> None:
    (project.recipe / "inner").mkdir()
    (project.recipe / "inner" / "old.txt").write_text("old")
    (project.root / ".gitignore").write_text("environments\ndist\n*.log\n")
    with shell(project, runner) as terminal:
        terminal.expect(PROMPT)
        terminal.type("ls . inner; touch x\n")
        shown = terminal.expect(PROMPT)
        assert {"inner", "old.txt", "process.py"} <= set(shown.split())
        assert not {"recipe.toml", "sources", "recipe.lock"} & set(shown.split())
        assert "Read-only file system" in shown
        (project.recipe / "inner" / "old.txt").unlink()
        (project.recipe / "new").mkdir(mode=0o700)
        (project.recipe / "new" / "tool.sh").write_text("#!/bin/sh\necho a new tool\n")
        (project.recipe / "new" / "tool.sh").chmod(0o700)
        (project.recipe / "ignored.log").write_text("no code")
        project.edit("process.py", "wrote", "has written")
        time.sleep(1.5)
        terminal.type("ls; new/tool.sh; tail -n 1 process.py\n")
        shown = terminal.expect(PROMPT)
        assert "a new tool" in shown
        assert 'print("has written"' in shown
        assert not {"inner", "ignored.log"} & set(shown.split())


@every_runner
def test_there_is_no_network(project: Project, runner: str) -> None:
    code = "import socket; print([name for _, name in socket.if_nameindex()])"
    answer = piped(project, runner, "", "places", "--", "python", "-c", code)
    assert (answer.status, answer.out) == (0, "['lo']\n"), answer.err


@every_runner
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("sh", "-c", "exit 5"), 5),
        (("sh", "-c", "kill -TERM $$"), 143),
        (("no-such-program",), 127),
        (("/d4c/code",), 126),
    ],
)
def test_a_command_passes_its_status_on(
    project: Project, runner: str, words: tuple[str, ...], status: int
) -> None:
    answer = piped(project, runner, "", "places", "--", *words)
    assert (answer.status, answer.out) == (status, "")


def test_options_after_two_dashes_are_the_commands_own(project: Project) -> None:
    answer = piped(project, "nonsense", "", "places", "--", "program", "--json")
    assert (answer.status, answer.out) == (64, "")
    answer = piped(project, "nonsense", "", "places", "--json")
    assert answer.json["found"] == "nonsense"


@every_runner
def test_without_a_terminal_commands_come_from_standard_input(
    project: Project, runner: str
) -> None:
    text = "echo out\necho err >&2\nhead -c 300000 /dev/zero | wc -c\nread line\n$line\nexit 9\n"
    answer = piped(project, runner, text, "places")
    assert (answer.status, answer.out) == (9, "out\n300000\n")
    assert "err\n" in answer.err
    many = "x" * 500_000
    assert piped(project, runner, many, "places", "--", "wc", "-c").out == "500000\n"


@every_runner
def test_what_is_written_is_kept_where_that_was_asked_and_else_lost(
    project: Project, runner: str
) -> None:
    text = "mkdir /d4c/out/a; echo 1 > /d4c/out/a/b; ln -s /etc/passwd /d4c/out/link"
    answer = piped(project, runner, text, "places", "--keep", "kept", "--json")
    assert answer.status == 0, answer.err
    assert answer.json["out"] == [{"name": "a/b", "size": 2}]
    assert (project.root / "kept" / "a" / "b").read_text() == "1\n"
    assert not (project.root / "kept" / "link").is_symlink()
    again = piped(project, runner, text, "places", "--keep", "kept")
    assert again.status == 64
    assert "not empty" in again.err
    lost = piped(
        project, runner, "echo 1 > /d4c/out/x; printf '' > $(printf '/d4c/out/\\033')", "places"
    )
    assert "lost" in lost.err
    assert "x  2 bytes" in lost.err
    assert "\x1b" not in lost.err


@every_runner
@pytest.mark.parametrize("how", ["SIGTERM", "closed window"])
def test_whatever_ends_it_nothing_is_left(project: Project, runner: str, how: str) -> None:
    with shell(project, runner, "--keep", "kept") as terminal:
        terminal.expect(PROMPT)
        terminal.type("echo 1 > /d4c/out/x; echo begun; sleep 600\n")
        terminal.expect("\nbegun")
        if how == "SIGTERM":
            terminal.process.send_signal(signal.SIGTERM)
        else:
            terminal.hang_up()
        assert terminal.process.wait(PATIENCE_S) == 130
        assert nothing_is_left(project, terminal.process.pid)
    assert (project.root / "kept" / "x").read_text() == "1\n"


def test_memory_is_limited_and_time_is_not(project: Project) -> None:
    project.edit("recipe.toml", 'memory = "1GiB"', 'memory = "128MiB"')
    project.edit("recipe.toml", 'time = "60s"', 'time = "1s"')
    code = "import time; time.sleep(1.5); print('here', flush=True); bytearray(1 << 30).find(1)"
    answer = piped(project, "bubblewrap", "", "places", "--", "python", "-c", code)
    assert answer.out == "here\n"
    assert answer.status != 0
    assert "beyond its limit of memory" in answer.err
