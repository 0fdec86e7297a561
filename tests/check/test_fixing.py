"""`check --fix`: what has one right answer is written, and every other byte stays."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.mending import mend_recipe
from d4cbuild.faults.mending import mended
from d4cbuild.faults.reading import read_recipe
from d4cbuild.hazards.finding import Edit, Finding
from tests.check.broken import BROKEN, WARNED
from tests.project import RECIPE, Project

REPOSITORY = Path(__file__).parent.parent.parent
ALL = {**BROKEN, **WARNED}


def _folder(tmp_path: Path, name: str) -> RecipeFolder:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "recipe.toml").write_bytes(ALL[name].text(name).encode())
    return RecipeFolder(folder)


@pytest.mark.parametrize("name", ALL)
def test_only_the_mistake_is_mended_and_only_once(name: str, tmp_path: Path) -> None:
    folder = _folder(tmp_path, name)
    path = folder.path / "recipe.toml"
    path.chmod(0o664)
    done = mend_recipe(folder)
    assert path.read_bytes().decode() == ALL[name].mended(name)
    assert bool(done) == bool(ALL[name].fixed)
    assert path.stat().st_mode & 0o777 == 0o664
    before = path.stat().st_mtime_ns, path.stat().st_ino
    assert mend_recipe(folder) == []
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize("name", [name for name, each in ALL.items() if each.fixed])
def test_what_is_mended_is_told_no_more(name: str, tmp_path: Path) -> None:
    folder = _folder(tmp_path, name)
    mend_recipe(folder)
    reading = read_recipe(folder.path / "recipe.toml", name)
    assert [str(each) for each in reading.findings] == []
    assert reading.recipe is not None


def test_several_mistakes_are_mended_together_with_all_comments_kept(tmp_path: Path) -> None:
    text = RECIPE.format(id="Other")
    edits = {
        '[dataset]\nid = "Other"': "# one\n[dataset] # two\nid   =  'Other'   # three",
        'region = "ca"': 'regoin = "CA" # four',
        'version = "1.0.0"': "version = 1.0",
        'schema = "d4c.recipe/1"\n\n': "",
        "[[sources]]": "[[ source ]] # five",
        'title = { en = "Places", fr = "Lieux" }': 'title.en = "Places"\ntitle.fr = "Lieux"',
    }
    expected = RECIPE.format(id="many").replace(
        '[dataset]\nid = "many"', '# one\n[dataset] # two\nid   =  "many"   # three'
    )
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    for old, new in (
        ('region = "ca"', 'region = "ca" # four'),
        ("[[sources]]", "[[ sources ]] # five"),
        ('title = { en = "Places", fr = "Lieux" }', 'title.en = "Places"\ntitle.fr = "Lieux"'),
        ('schema = "d4c.recipe/1"\n\n', 'schema = "d4c.recipe/1"\n\n'),
    ):
        expected = expected.replace(old, new)
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "recipe.toml").write_bytes(("\ufeff" + text.replace("\n", "\r\n")).encode())
    mend_recipe(RecipeFolder(folder))
    assert (folder / "recipe.toml").read_bytes().decode() == expected


def test_a_directive_for_editors_stays_the_first_line(tmp_path: Path) -> None:
    directive = "#:schema ../../d4cbuild/spec/schemas/recipe.json\n"
    text = RECIPE.format(id="some").removeprefix('schema = "d4c.recipe/1"\n')
    folder = tmp_path / "some"
    folder.mkdir()
    (folder / "recipe.toml").write_text(directive + text)
    mend_recipe(RecipeFolder(folder))
    assert (folder / "recipe.toml").read_text() == directive + RECIPE.format(id="some")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    folder = tmp_path / "linked"
    folder.mkdir()
    (tmp_path / "elsewhere.toml").write_text(RECIPE.format(id="linked").replace('"ca"', '"CA"'))
    (folder / "recipe.toml").symlink_to("../elsewhere.toml")
    assert len(mend_recipe(RecipeFolder(folder))) == 1
    assert (folder / "recipe.toml").is_symlink()
    assert (tmp_path / "elsewhere.toml").read_text() == RECIPE.format(id="linked")


@pytest.mark.parametrize(
    "name", sorted(path.parent.name for path in (REPOSITORY / "recipes").glob("*/recipe.toml"))
)
def test_recipes_that_are_right_are_left_alone(name: str) -> None:
    path = REPOSITORY / "recipes" / name / "recipe.toml"
    reading = read_recipe(path, name)
    assert [each for each in reading.findings if each.fix] == []
    assert reading.recipe is not None


def test_the_verb_says_what_was_mended_and_what_is_left(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", tmp_path / "store", REPOSITORY / "environments")
    project.edit("recipe.toml", 'region = "ca"', 'region = "CA"')
    project.edit("recipe.toml", 'memory = "1GiB"', 'memory = "1GB"')
    told = project.run("check", "--json", "places").json["results"][0]
    (fixable,) = [each for each in told["findings"] if each["fix"]]
    text = (project.recipe / "recipe.toml").read_text()
    (edit,) = fixable["fix"]
    assert text[edit["start"] : edit["end"]] == '"CA"'
    assert edit["text"] == '"ca"'
    assert told["mended"] == []
    assert "(--fix mends this)" in project.run("check", "places").out
    answer = project.run("check", "--fix", "places")
    assert answer.status == 64
    assert answer.out.startswith("mended: recipes/places/recipe.toml:5:1: naming: dataset.region")
    assert "1GB" in answer.out
    assert answer.out.endswith("1 errors, 2 warnings, 0 allowed, 1 mended\n")
    again = project.run("check", "--fix", "--json", "places")
    assert json.loads(again.out)["results"][0]["mended"] == []
    assert project.git("diff", "--stat").count("recipe.toml") == 1


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_edits_touch_nothing_but_their_own_characters(
    text: str, spans: list[tuple[int, int]]
) -> None:
    edits = [Edit(min(a, b), max(a, b), "·") for a, b in spans if max(a, b) <= len(text)]
    findings = [Finding("f", 1, 1, "n", "m", "r", fix=(edit,)) for edit in edits]
    new, done = mended(text, findings)
    taken = sorted(each.fix[0] for each in done)
    kept = [text[a.end : b.start] for a, b in pairwise(taken)]
    ends = (text[: taken[0].start], text[taken[-1].end :]) if taken else (text, "")
    assert new == ("·".join([ends[0], *kept, ends[1]]) if taken else text)


@given(st.data())
def test_mending_ends_and_never_breaks_what_was_right(data: st.DataObject) -> None:
    """Pieces of good recipes, put together and spoilt by chance."""
    lines = RECIPE.format(id="places").splitlines(keepends=True)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(
            st.sampled_from(
                [
                    *(lines[at].upper(), lines[at].lower(), lines[at].replace('"', ""), "\n"),
                    *(lines[at].replace("=", ": "), lines[at] * 2, lines[at].replace("e", "")),
                ]
            )
        )
    path = Path("recipe.toml")
    reading = read_recipe(path, "places", "".join(lines).encode())
    for _ in range(10):
        text, done = mended(reading.data.decode(), reading.findings)
        after = read_recipe(path, "places", text.encode())
        if reading.recipe is not None:
            assert after.recipe is not None
        if not done:
            break
        reading = after
    assert not any(each.fix for each in reading.findings)
    assert (reading.recipe is None) == any(each.level == "error" for each in reading.findings)
    for each in reading.findings:
        assert each.line >= 1 and each.remedy and each.message
