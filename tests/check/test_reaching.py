"""`check --reach`: addresses and remotes that do not answer, and no network without it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from d4cbuild.faults.mirrors import reach_findings
from d4cbuild.faults.reading import read_recipe
from d4cbuild.sources.sight import LookLimits
from tests.project import Answer, Project
from tests.sources.server import Site, parts, plain, redirect, status

REPOSITORY = Path(__file__).parent.parent.parent
BODY = b"id,name\n"
MIRRORS, ADDRESS = '["sources/places.csv"]', "https://example.invalid/places.csv"


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server of our own."""
    with Site() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose commands find the remote ``copies``, and ask no proxy."""
    copies = tmp_path / "copies"
    copies.mkdir()
    (copies / "places.csv").write_bytes(BODY)
    config = tmp_path / "rclone.conf"
    config.write_text(f"[copies]\ntype = alias\nremote = {copies}\n")
    project = Project.create(tmp_path / "project", tmp_path / "store", REPOSITORY / "environments")
    project.extra |= {"NO_PROXY": "127.0.0.1", "RCLONE_CONFIG": str(config)}
    return project


def _unreachable(answer: Answer) -> list[tuple[str, str]]:
    """The levels and places of what is unreachable."""
    findings = answer.json["results"][0]["findings"]
    found = [each for each in findings if each["name"] == "unreachable"]
    assert all(each["remedy"] and each["line"] > 1 for each in found)
    return [(each["level"], each["message"].partition(":")[0]) for each in found]


def _nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/places.csv"


def test_places_that_have_the_file_are_not_told(project: Project, site: Site) -> None:
    address = site.serve("/places.csv", parts(BODY))
    second = site.serve("/elsewhere.csv", redirect(address))
    third = site.serve("/no-head.csv", parts(BODY, head=False))
    project.edit("recipe.toml", ADDRESS, address)
    mirrors = f'["{second}", "{third}", "copies:places.csv"]'
    project.edit("recipe.toml", MIRRORS, mirrors)
    answer = project.run("check", "--reach", "--json", "places")
    assert (_unreachable(answer), answer.status) == ([], 0)


def test_what_does_not_answer_is_a_warning_while_a_copy_is_left(
    project: Project, site: Site
) -> None:
    gone = site.serve("/gone.csv", status(404))
    project.edit("recipe.toml", ADDRESS, gone)
    project.edit("recipe.toml", MIRRORS, f'["sources/places.csv", "{_nobody()}", "copies:no.csv"]')
    answer = project.run("check", "--reach", "--json", "places")
    assert _unreachable(answer) == [
        ("warning", "sources[0].url"),
        ("warning", "sources[0].mirrors[1]"),
        ("warning", "sources[0].mirrors[2]"),
    ]
    assert answer.status == 0


def test_what_nobody_has_is_an_error_at_each_place(project: Project, site: Site) -> None:
    project.edit("recipe.toml", ADDRESS, site.serve("/gone.csv", status(410)))
    project.edit("recipe.toml", MIRRORS, '["nowhere:places.csv"]')
    answer = project.run("check", "--reach", "--json", "places")
    assert _unreachable(answer) == [
        ("error", "sources[0].url"),
        ("error", "sources[0].mirrors[0]"),
    ]
    assert answer.status == 64


def test_no_file_is_fetched(project: Project, site: Site) -> None:
    project.edit("recipe.toml", ADDRESS, site.serve("/large.csv", plain(b"x" * 100_000)))
    project.run("check", "--reach", "--json", "places")
    assert site.methods == ["HEAD"]


def test_without_the_option_nobody_is_asked(project: Project, site: Site) -> None:
    project.edit("recipe.toml", ADDRESS, site.serve("/places.csv", parts(BODY)))
    answer = project.run("check", "--json", "places")
    assert (_unreachable(answer), site.requests) == ([], [])


def test_an_example_in_place_of_a_wrong_address_is_not_asked(project: Project, site: Site) -> None:
    project.edit("recipe.toml", ADDRESS, "ftp://127.0.0.1/places.csv")
    project.edit("recipe.toml", MIRRORS, '["copies:no.csv"]')
    reading = read_recipe(project.recipe / "recipe.toml", "places")
    assert reading.guess is not None
    (source,) = reading.guess.sources
    # The example's own address is elsewhere; here it leads to us, to see whether it is asked.
    example = source.model_copy(update={"url": site.url("/example.csv"), "mirrors": ()})
    guess = reading.guess.model_copy(update={"sources": (example,)})
    assert list(reach_findings(guess, reading, "f", project.recipe, LookLimits())) == []
    assert site.requests == []
    answer = project.run("check", "--reach", "--json", "places")
    assert _unreachable(answer) == [("warning", "sources[0].mirrors[0]")]
