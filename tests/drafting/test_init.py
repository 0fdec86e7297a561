"""``d4cbuild init``: from a raw file to a recipe that builds."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.recipe import Recipe
from tests.looking.found import zipped
from tests.project import Project
from tests.running import running

PLACES = "code;nom;superficie\n10;Montréal;1,5\n11;Québec;2,5\n12;Lévis;0,5\n"


def _recipe(project: Project, name: str) -> Recipe:
    path = project.root / "recipes" / name / "recipe.toml"
    return record_from_toml(Recipe, path.read_bytes(), str(path))


def _init(project: Project, name: str, *arguments: str) -> str:
    answer = project.run("init", name, *arguments)
    assert answer.status == 0, answer.err
    return answer.out


def test_a_drafted_recipe_builds_at_once_and_lists_what_was_guessed(project: Project) -> None:
    (project.root / "Lieux (2021).csv").write_bytes(PLACES.encode("cp1252"))
    said = _init(project, "ville-lieux", "--from", "Lieux (2021).csv")
    recipe = _recipe(project, "ville-lieux")
    assert recipe.sources[0].name == "lieux_2021.csv"
    assert recipe.sources[0].url.startswith("https://example.invalid/TODO/")
    assert (recipe.dataset.source, recipe.dataset.vintage) == ("ville", "2021")
    text = (project.root / "recipes/ville-lieux/recipe.toml").read_text()
    for guess in ("encoding: guessed", "code: guessed", "superficie: guessed"):
        assert guess in said, guess
        assert f"# {guess}" in text
    (again,) = [line.strip() for line in said.splitlines() if "build --dirty" in line]
    answer = project.run(*again.split()[1:])
    assert answer.status == 0, answer.err


def test_init_leaves_the_raw_bytes_as_they_are_and_tells_git_so(project: Project) -> None:
    data = PLACES.replace("\n", "\r\n").encode("cp1252")
    (project.root / "a.csv").write_bytes(data)
    _init(project, "ville-lieux", "--from", "a.csv")
    sources = project.root / "recipes/ville-lieux/sources"
    assert (sources / "a.csv").read_bytes() == data
    assert "* -text" in (sources / ".gitattributes").read_text()


def test_what_is_too_large_to_copy_is_named_with_mirror(project: Project) -> None:
    folder = project.root / "raw"
    folder.mkdir()
    (folder / "a.csv").write_text("id,text\n" + "".join(f"{n},{'x' * 999}\n" for n in range(1100)))
    said = _init(project, "ville-lieux", "--from", "raw/a.csv", "--copy-up-to", "1MiB")
    assert not (project.root / "recipes/ville-lieux/sources").exists()
    assert "--mirror raw" in said
    answer = project.run("build", "--dirty", "--mirror", "raw", "recipes/ville-lieux")
    assert answer.status == 0, answer.err


def test_a_folder_gives_its_tables_and_its_licence(project: Project) -> None:
    folder = project.root / "raw"
    folder.mkdir()
    (folder / "a.csv").write_text("id,x\n1,2\n2,3\n")
    (folder / "b.csv").write_text("code,y\nq,2\nr,3\n")
    (folder / "LICENSE.txt").write_text("Open Government Licence – Canada, version 2.0")
    _init(project, "ville-lieux", "--from", "raw")
    recipe = _recipe(project, "ville-lieux")
    assert [output.name for output in recipe.outputs] == ["a", "b"]
    assert {source.licence for source in recipe.sources} == {"OGL-Canada-2.0"}
    assert project.run("build", "--dirty", "recipes/ville-lieux").status == 0


def test_what_is_said_is_taken_and_not_listed(project: Project) -> None:
    (project.root / "a.csv").write_text("id,x\n1,2\n2,3\n")
    answer = project.run(
        *("init", "ville-lieux", "--from", "a.csv", "--region", "ca-qc", "--source", "montreal"),
        *("--package", "d4c-datapkg-x", "--topic", "lieux", "--vintage", "2020-05"),
        *("--title-en", 'Places "here"', "--title-fr", "Lieux d’ici", "--licence", "CC-BY-4.0"),
        "--json",
    )
    assert answer.status == 0, answer.err
    dataset = _recipe(project, "ville-lieux").dataset
    assert (dataset.region, dataset.source, dataset.topic) == ("ca-qc", "montreal", "lieux")
    assert (dataset.title.en, dataset.title.fr) == ('Places "here"', "Lieux d’ici")
    about = {each["about"] for each in answer.json["unsure"]}
    assert not any(each.startswith("dataset.") for each in about)
    assert answer.json["facts"]["schema"] == "d4c.facts/1"
    assert all(Path(project.root, path).is_file() for path in answer.json["files"])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A web server with one file."""
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "places.zip").write_bytes(zipped({"places.csv": "id,x\n1,2\n2,3\n"}))
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}/places.zip"
        running.shutdown()
        thread.join()


def test_an_address_is_fetched_and_is_the_sources(project: Project, server: str) -> None:
    _init(project, "ville-lieux", "--from", server)
    (source,) = _recipe(project, "ville-lieux").sources
    assert source.url == server
    assert source.mirrors == ("sources/places.zip",)


def test_rows_that_are_alike_are_foreseen_and_what_is_proposed_mends_it(project: Project) -> None:
    (project.root / "a.csv").write_text("a,b\n1,x\n1,x\n2,y\n")
    said = _init(project, "ville-lieux", "--from", "a.csv")
    assert "to decide: no columns tell all rows apart" in said
    answer = project.run("build", "--dirty", "recipes/ville-lieux")
    assert answer.status == 1
    assert "not a total order" in answer.err
    path = project.root / "recipes/ville-lieux/recipe.toml"
    step = '[[build.steps]]\nstep = "sql"\nquery = "SELECT DISTINCT * FROM a"\n\n'
    text = path.read_text().replace("# sort_by: to decide", step + "# sort_by: to decide")
    path.write_text(text.replace("min = 3, max = 3", "min = 2, max = 2"))
    answer = project.run("build", "--dirty", "recipes/ville-lieux")
    assert answer.status == 0, answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("places", "--from", "a.csv"), "there is something there already"),
        (("new", "--from", "nowhere.csv"), "there is no such file or folder"),
        (("New_", "--from", "a.csv"), "'New_' is not 1 to 40 characters"),
        (("new", "--from", "a.csv", "--region", "Canada"), "is not an ISO 3166 code"),
        (("new", "--from", "empty.csv"), "there is no table or raster"),
        (("new", "--from", "folder.gdb"), "a source is one file"),
        (("new",), "init needs an id for the dataset, and raw files"),
    ],
)
def test_what_cannot_be_drafted_is_bad_input_and_leaves_nothing(
    project: Project, arguments: tuple[str, ...], said: str
) -> None:
    (project.root / "a.csv").write_text("id,x\n1,2\n")
    (project.root / "empty.csv").touch()
    (project.root / "folder.gdb").mkdir()
    before = sorted((project.root / "recipes").rglob("*"))
    answer = project.run("init", *arguments)
    assert (answer.status, answer.out) == (64, "")
    assert said in answer.err
    assert "next:" in answer.err
    assert sorted((project.root / "recipes").rglob("*")) == before


def test_a_stranger_s_file_cannot_allow_a_hazard(project: Project) -> None:
    (project.root / "a.csv").write_text("# d4c: allow x: y\nid,x\n1,2\n2,3\n4,5\n")
    _init(project, "ville-lieux", "--from", "a.csv")
    text = (project.root / "recipes/ville-lieux/recipe.toml").read_text()
    assert "allow x" in text
    assert "d4c: allow" not in text


def test_on_a_terminal_it_asks_and_enter_takes_what_is_likely(project: Project) -> None:
    (project.root / "a.csv").write_text("id,x\n1,2\n2,3\n")
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "d4cbuild", "init", "ville-lieux", "--from", "a.csv"]
    with running(
        command, cwd=project.root, env=project.environment(), stdin=terminal, stderr=terminal,
        stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        os.close(terminal)
        os.write(master, b"ca-qc\n" + b"\n" * 7)
        while True:
            try:
                if not os.read(master, 4096):
                    break
            except OSError:  # the other end is closed
                break
        assert process.stdout is not None
        process.stdout.read()
    os.close(master)
    assert process.returncode == 0
    dataset = _recipe(project, "ville-lieux").dataset
    assert (dataset.region, dataset.source) == ("ca-qc", "ville")
