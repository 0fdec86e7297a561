"""Pages and metadata of a bundle."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from d4cbuild.bundle.describe import describe
from d4cbuild.bundle.facts import BundleFacts
from d4cbuild.bundle.markdown import as_line, as_shell_word
from d4cbuild.model.fields import Bilingual
from d4cbuild.model.manifest import Manifest
from tests.bundle.described import KINDS, NOTES, REASON, RECIPES, ROOT, manifest_of, write_bundle
from tests.pinned_venv import python_of

NAMES = {
    "LISEZMOI.md",
    "README.md",
    "datapackage.json",
    "metadata.json",
    "ro-crate-metadata.json",
}
PAGES = {"en": "README.md", "fr": "LISEZMOI.md"}
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = [
    "a | b || c \\| d \\",
    "`` ` ``` code",
    "one\ntwo\r\n| three | four |\n|---|---|\n# five",
    "<script>alert(1)</script><!-- --> </td> &lt; &#124;",
    "![image](https://example.invalid/x.png) [link](https://example.invalid)",
    "*a* **b** _c_ __d__ ~~e~~ $f$",
    "1. one",
    "- two",
    "# three",
    "> four",
    "===",
    "---",
    "```sh",
    "[x]: https://example.invalid",
    "{{ 7 * 7 }} {% raw %} {#",
    "\u2028next\x85line",
    '\'; rm -rf /; echo "$(id)"',
]
UNSEEN = "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffd-\uffff]"
hostile_texts = st.lists(
    st.sampled_from(HOSTILE) | st.text(max_size=12), min_size=1, max_size=3
).map(" ".join)


def _hostile(manifest: Manifest, texts: list[str]) -> Manifest:
    """The manifest with a hostile text wherever there may be any.

    Not by the rules of recipes: a manifest can come from anywhere.
    """
    endless = itertools.cycle(texts)

    def both(old: Bilingual) -> Bilingual:
        return old.model_copy(update={"en": f"x{next(endless)}", "fr": f"x{next(endless)}"})

    dataset = manifest.dataset
    words = dataset.keywords.model_copy(update={"en": (next(endless),), "fr": (next(endless),)})
    sources = [
        source.model_copy(
            update={
                "attribution": both(source.attribution),
                "member": next(endless),
                "url": f"https://{next(endless)}",
            }
        )
        for source in manifest.sources
    ]
    columns = [
        column.model_copy(
            update={
                "name": next(endless),
                "type": next(endless),
                "description": both(column.description),
            }
        )
        for column in manifest.outputs[0].columns
    ]
    output = manifest.outputs[0].model_copy(update={"columns": tuple(columns)})
    told = {
        "title": both(dataset.title),
        "description": both(dataset.description),
        "keywords": words,
    }
    return manifest.model_copy(
        update={
            "dataset": dataset.model_copy(update=told),
            "sources": tuple(sources),
            "outputs": (output, *manifest.outputs[1:]),
            "releasable": False,
            "not_releasable_because": next(endless),
        }
    )


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, BundleFacts]]:
    """Each recipe as each kind of bundle, and one of hostile texts."""
    top = tmp_path_factory.mktemp("bundles")
    made = {}
    for recipe in RECIPES:
        for kind in KINDS:
            folder = top / f"{recipe}-{kind}"
            folder.mkdir()
            made[folder.name] = (folder, write_bundle(folder, manifest_of(recipe), kind))
    folder = top / "hostile"
    folder.mkdir()
    manifest = _hostile(manifest_of("statcan-odhf"), HOSTILE)
    made["hostile"] = (folder, write_bundle(folder, manifest, "fat"))
    return made


def _objections(cache: Path, *folders: Path) -> dict[str, dict[str, list[str]]]:
    script = ROOT / "tests" / "bundle" / "outside_validators.py"
    command = [python_of("validators"), "-I", script, cache, *folders]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {Path(name).name: objections for name, objections in found.items()}


def test_outside_validators_have_no_objection(
    bundles: dict[str, tuple[Path, BundleFacts]], tmp_path: Path
) -> None:
    assert len(RECIPES) == len(KINDS)
    pairs = zip(RECIPES, KINDS, strict=True)
    chosen = [f"{recipe}-{kind}" for recipe, kind in pairs] + ["hostile"]
    found = _objections(tmp_path / "cache", *[bundles[name][0] for name in chosen])
    nothing = {"ro-crate": [], "frictionless": [], "datacite": []}
    assert found == dict.fromkeys(chosen, nothing)


def test_outside_validators_object_to_what_is_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "wrong"
    folder.mkdir()
    facts = write_bundle(folder, manifest_of("statcan-odhf"), "split")
    part = next(file for file in facts.files if file.role == "data").parts[1]
    (folder / part).write_bytes(b"\0" * (folder / part).stat().st_size)
    crate = json.loads((folder / "ro-crate-metadata.json").read_bytes())
    for entity in crate["@graph"]:
        if entity["@id"] == "./":
            del entity["author"]
    (folder / "ro-crate-metadata.json").write_text(json.dumps(crate))
    record = json.loads((folder / "metadata.json").read_bytes())
    del record["creators"]
    (folder / "metadata.json").write_text(json.dumps(record))
    found = _objections(tmp_path / "cache", folder)["wrong"]
    assert any("author" in each for each in found["ro-crate"])
    assert any("hash" in each for each in found["frictionless"])
    assert any("creators" in each for each in found["datacite"])


def test_the_same_facts_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    code = (
        "import hashlib, pathlib, sys; from tests.bundle.described import *\n"
        "folder = pathlib.Path(sys.argv[1]); folder.mkdir()\n"
        "write_bundle(folder, manifest_of('statcan-odhf'), 'fat')\n"
        "print((folder / 'SHA256SUMS').read_text())"
    )
    sums = []
    for seed in ("1", "2"):
        command = [sys.executable, "-c", code, str(tmp_path / seed)]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": f"X{seed}"}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
        )
        sums.append(done.stdout)
    assert sums[0] == sums[1]
    assert all(name in sums[0] for name in NAMES)


def test_every_file_is_text_with_plain_line_ends(
    bundles: dict[str, tuple[Path, BundleFacts]],
) -> None:
    for _, facts in bundles.values():
        files = describe(facts)
        assert set(files) == NAMES
        for data in files.values():
            text = data.decode()
            assert text.endswith("\n") and not text.endswith("\n\n")
            assert "\r" not in text and "\0" not in text


def _skeleton(page: bytes) -> list[tuple[str, str]]:
    return [(token.type, token.tag) for token in MARKDOWN.parse(page.decode())]


def test_both_pages_have_the_same_structure(
    bundles: dict[str, tuple[Path, BundleFacts]],
) -> None:
    for _, facts in bundles.values():
        files = describe(facts)
        assert _skeleton(files["README.md"]) == _skeleton(files["LISEZMOI.md"])


def _shown(page: bytes) -> str:
    return "\n".join(_text(token) for token in MARKDOWN.parse(page.decode()))


def _text(token: Token) -> str:
    if token.children is None:
        return token.content
    return "".join(child.content for child in token.children)


@pytest.mark.parametrize("language", PAGES)
def test_a_page_tells_all_there_is_in_its_language(
    bundles: dict[str, tuple[Path, BundleFacts]], language: str
) -> None:
    for _, facts in bundles.values():
        if not facts.manifest.releasable:
            continue  # the hostile one has its own tests
        shown = _shown(describe(facts)[PAGES[language]])
        manifest = facts.manifest
        wanted = [getattr(manifest.dataset.title, language), str(manifest.build_key)]
        wanted += [file.name for file in facts.files]
        for source in manifest.sources:
            wanted += [getattr(source.attribution, language), source.url, source.licence]
            wanted += [source.sha256.hex, source.blake3.hex]
        for output in manifest.outputs:
            for column in output.columns:
                wanted += [column.name, column.type, getattr(column.description, language)]
        wanted += [REASON[language]] if facts.left_out else []
        wanted += [NOTES[language].split("\n")[0]] if facts.notes else []
        assert [each for each in wanted if each not in shown] == []


def test_a_page_says_how_to_rebuild_with_what_is_there(
    bundles: dict[str, tuple[Path, BundleFacts]],
) -> None:
    fat = describe(bundles["statcan-odhf-fat"][1])
    thin = describe(bundles["statcan-odhf-thin"][1])
    for page in PAGES.values():
        assert b"sh rebuild.sh" in fat[page] and b"sh rebuild.sh" not in thin[page]
        assert b"environment.lock" in thin[page] and b"environment.lock" not in fat[page]
        assert all(b"d4cbuild verify ." in files[page] for files in (fat, thin))


@pytest.mark.parametrize("page", PAGES.values())
def test_parts_are_joined_by_the_commands_on_the_page(tmp_path: Path, page: str) -> None:
    facts = write_bundle(tmp_path, manifest_of("statcan-cma-2016"), "split")
    tokens = MARKDOWN.parse((tmp_path / page).read_text())
    blocks = [token.content for token in tokens if token.type == "fence"]
    joining = next(block for block in blocks if block.startswith("cat "))
    subprocess.run(["sh", "-eu", "-c", joining], cwd=tmp_path, check=True)
    for file in facts.files:
        joined = (tmp_path / file.name).read_bytes()
        assert hashlib.sha256(joined).hexdigest() == file.digests.sha256.hex


CONTEXTS = ["{}", "# {}", "- {}", "> {}", "| a | b |\n|---|---|\n| {} | {} |"]


@given(hostile_texts, st.sampled_from(CONTEXTS))
@settings(max_examples=400, deadline=None)
def test_foreign_text_is_shown_as_it_is(text: str, context: str) -> None:
    line = as_line(text)
    assume(line)
    tokens = MARKDOWN.parse(context.format(*[line] * 2))
    plain = MARKDOWN.parse(context.format(*["x"] * 2))
    assert [token.type for token in tokens] == [token.type for token in plain]
    children = [child for token in tokens for child in token.children or []]
    assert {child.type for child in children} <= {"text"}
    shown = [_text(token) for token in tokens if token.type == "inline"]
    wanted = re.sub("[\t-\r\x1c-\x1e\x85\u2028\u2029 ]+", " ", text).strip()
    assert re.sub("\ufffd", "", shown[-1]) == re.sub(UNSEEN, "", wanted)


@given(st.lists(hostile_texts, min_size=3, max_size=8))
@settings(max_examples=15, deadline=None)
def test_foreign_text_does_not_change_the_structure_of_a_page(texts: list[str]) -> None:
    facts = _facts("statcan-odhf")
    plain = describe(_with(facts, _hostile(facts.manifest, ["plain"])))
    hostile = describe(_with(facts, _hostile(facts.manifest, [f"x{text}" for text in texts])))
    for page in PAGES.values():
        assert _blocks(hostile[page]) == _blocks(plain[page])
        inline = [
            c for token in MARKDOWN.parse(hostile[page].decode()) for c in token.children or []
        ]
        assert not {child.type for child in inline} & {"html_inline", "image", "hardbreak"}


def test_a_shell_takes_any_name_as_one_word() -> None:
    for text in HOSTILE:
        done = subprocess.run(
            ["sh", "-c", f"printf %s {as_shell_word(text)}"], capture_output=True, check=True
        )
        shown = done.stdout.decode()
        assert shown == re.sub("[\x00-\x1f\x7f-\x9f]", "\ufffd", text)


def _blocks(page: bytes) -> list[str]:
    # A description may hold several paragraphs; elsewhere each paragraph counts.
    types = [token.type for token in MARKDOWN.parse(page.decode())]
    text = re.sub("(?:paragraph_open inline paragraph_close ?)+", "paragraphs ", " ".join(types))
    return text.split()


def _facts(recipe: str) -> BundleFacts:
    manifest = manifest_of(recipe)
    epoch = manifest.derivation.source_date_epoch
    return BundleFacts(manifest, "base", True, (), (), epoch)


def _with(facts: BundleFacts, manifest: Manifest) -> BundleFacts:
    return BundleFacts(manifest, facts.base, facts.fat, facts.files, (), facts.source_date_epoch)
