"""What the pages for readers say is so: commands, links, recipes, and the worked example."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from itertools import takewhile

import click
import pytest

from d4cbuild.cli.main import cli
from tests.house.documents import REPOSITORY, Document, Fence, tracked_files
from tests.project import Project

README = Document(REPOSITORY / "README.md")
CONTRIBUTING = Document(REPOSITORY / "CONTRIBUTING.md")
GUIDES = (README, CONTRIBUTING)
EXAMPLE = "example-provinces"


def _named(command: click.Command, arguments: list[str]) -> tuple[click.Command, list[str]]:
    """The command that arguments lead to, and what of them is left."""
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        inner = command.get_command(click.Context(command), arguments[0])
        assert inner is not None, f"there is no command {arguments[0]!r}"
        command, arguments = inner, arguments[1:]
    return command, arguments


def _options(command: click.Command) -> set[str]:
    found = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    return found | {"--help"}


def _all_commands(command: click.Command) -> list[click.Command]:
    if not isinstance(command, click.Group):
        return [command]
    inner = [command.get_command(click.Context(command), name) for name in _names(command)]
    return [
        command,
        *(found for each in inner if each is not None for found in _all_commands(each)),
    ]


def _names(group: click.Group) -> list[str]:
    return group.list_commands(click.Context(group))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.path.name)
def test_every_command_that_is_named_exists_with_its_options(guide: Document) -> None:
    commands = guide.commands("d4cbuild")
    assert commands
    for arguments in commands:
        command, rest = _named(cli, arguments)
        ours = takewhile(lambda each: each != "--", rest)  # what follows is somebody else's
        unknown = {each for each in ours if each.startswith("-")} - _options(command)
        assert not unknown, f"d4cbuild {shlex.join(arguments)}: no option {unknown}"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.path.name)
def test_every_option_that_is_named_alone_exists_somewhere(guide: Document) -> None:
    known = set().union(*(_options(command) for command in _all_commands(cli)))
    named = {span.split()[0] for span in guide.spans() if span.startswith("--")}
    assert named <= known


def test_the_readme_lists_every_command() -> None:
    rows = set(re.findall(r"^\| `d4cbuild (\w+)` \|", README.text, re.MULTILINE))
    assert rows == set(_names(cli))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.path.name)
def test_every_make_target_that_is_named_exists(guide: Document) -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {each for call in guide.commands("make") for each in call if "=" not in each}
    assert named
    assert named <= targets


def test_every_relative_link_leads_somewhere() -> None:
    pages = [path for path in tracked_files() if path.suffix == ".md"]
    assert README.path in pages
    dead = []
    for page in map(Document, pages):
        for link in page.links():
            place, _, anchor = link.partition("#")
            target = page.path.parent / place if place else page.path
            if not target.exists() or (anchor and anchor not in Document(target).anchors()):
                dead.append(f"{page.path.relative_to(REPOSITORY)}: {link}")
    assert not dead


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.path.name)
def test_every_recipe_that_is_named_exists(guide: Document) -> None:
    named = set(re.findall(r"recipes/([a-z0-9][a-z0-9-]*)", guide.text))
    there = {path.parent.name for path in REPOSITORY.glob("recipes/*/recipe.toml")}
    assert named
    assert named - {EXAMPLE} <= there


def test_the_hashes_in_the_readme_are_those_of_the_manifests() -> None:
    rows = re.findall(
        r"^ (\S+) +(\S+) +bubblewrap +identical +([\d,]+) +([\d,]+) +([0-9a-f]{16})$",
        README.text,
        re.MULTILINE,
    )
    assert len(rows) == 2
    for recipe, name, row_count, size, sha256 in rows:
        manifest = json.loads((REPOSITORY / "recipes" / recipe / "manifest.json").read_bytes())
        (output,) = [each for each in manifest["outputs"] if each["name"] == name]
        assert (f"{output['rows']:,}", f"{output['size']:,}") == (row_count, size)
        assert output["sha256"].startswith(f"sha256:{sha256}")


def _run(project: Project, line: str) -> str:
    program, *arguments = shlex.split(line)
    if program == "git":
        return project.git(*arguments)
    if program == "mkdir":
        (project.root / arguments[-1]).mkdir(parents=True)
        return ""
    assert program == "d4cbuild"
    answer = project.run(*arguments)
    assert answer.status == 0, f"{line}\n{answer.err}"
    return answer.out


def _followed(project: Project, fences: Iterable[Fence]) -> list[str]:
    """Do what a page says and see that it prints what it promises; returns the commands."""
    printed = ""
    promised: set[str] = set()
    commands: list[str] = []
    for fence in fences:
        if fence.language:
            (project.root / fence.named).write_text(fence.text, encoding="utf-8")
        elif fence.lines[0].startswith(("mkdir", "d4cbuild", "git")):
            printed += "\n".join([*(_run(project, line) for line in fence.lines), ""])
            commands += fence.lines
        else:
            # What depends on the reader's own commit is left out.
            mine = ("code:", "source_date_epoch:", "built (")
            promised |= {each for each in fence.lines if not any(word in each for word in mine)}
    assert any("sha256:" in line for line in promised)
    assert any("identical" in line for line in promised)
    assert promised <= set(printed.splitlines())
    return commands


def test_the_first_recipe_of_the_readme_takes_six_commands_and_gives_the_bytes_it_promises(
    project: Project,
) -> None:
    commands = _followed(project, README.fences("A first recipe in ten minutes"))
    assert commands[0].startswith("d4cbuild init ")
    assert commands[-1].startswith("d4cbuild verify ")
    assert len(commands) <= 6


def test_the_recipe_with_code_gives_the_bytes_its_page_promises(project: Project) -> None:
    page = Document(REPOSITORY / "d4cbuild" / "spec" / "recipe-with-code.md")
    _followed(project, page.fences())
