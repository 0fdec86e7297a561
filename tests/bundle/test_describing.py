"""Pages and metadata of a bundle."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from d4cbuild.base.digest import FileDigests
from d4cbuild.bundle.describe import describe
from d4cbuild.bundle.facts import BundledFile, BundleFacts
from d4cbuild.bundle.layout import NOTES as NOTE_FILES
from d4cbuild.model.columntype import SIMPLE_TYPES
from d4cbuild.model.manifest import Manifest
from tests.bundle.described import (
    KINDS,
    NOTES,
    REASON,
    RECIPES,
    ROOT,
    manifest_of,
    with_more,
    write_bundle,
)
from tests.bundle.hostile import HOSTILE, hostile_manifest, hostile_texts
from tests.bundle.outside import objections

NAMES = {
    "LISEZMOI.md",
    "README.md",
    "datapackage.json",
    "metadata.json",
    "ro-crate-metadata.json",
}
PAGES = {"en": "README.md", "fr": "LISEZMOI.md"}
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, BundleFacts]]:
    """Each recipe as each kind of bundle, one of hostile texts, and one of all that is rare."""
    top = tmp_path_factory.mktemp("bundles")
    made = {}
    for recipe in RECIPES:
        for kind in KINDS:
            folder = top / f"{recipe}-{kind}"
            folder.mkdir()
            made[folder.name] = (folder, write_bundle(folder, manifest_of(recipe), kind))
    folder = top / "hostile"
    folder.mkdir()
    manifest = hostile_manifest(manifest_of("statcan-odhf"), HOSTILE)
    made["hostile"] = (folder, write_bundle(folder, manifest, "fat"))
    folder = top / "rare"
    folder.mkdir()
    manifest = with_more(manifest_of("elections-canada-pollresults"))
    made["rare"] = (folder, write_bundle(folder, manifest, "thin"))
    return made


def test_outside_validators_have_no_objection(
    bundles: dict[str, tuple[Path, BundleFacts]], tmp_path: Path
) -> None:
    pairs = zip(RECIPES, cycle(KINDS), strict=False)
    chosen = [f"{recipe}-{kind}" for recipe, kind in pairs] + ["hostile", "rare"]
    found = objections(tmp_path / "cache", *[bundles[name][0] for name in chosen])
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
    found = objections(tmp_path / "cache", folder)["wrong"]
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
    """What a reader sees, and where links lead: an address is shown without its escapes."""
    tokens = MARKDOWN.parse(page.decode())
    inner = [child for token in tokens for child in token.children or ()]
    links = [str(child.attrGet("href")) for child in inner if child.type == "link_open"]
    return "\n".join([*(_text(token) for token in tokens), *links])


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
        wanted += [REASON[language], "rebuild.sh"] if facts.left_out else []
        wanted += [NOTES[language].split("\n")[0], *NOTE_FILES.values()] if facts.notes else []
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


def _json(facts: BundleFacts, name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(describe(facts)[name])
    return record


def test_the_date_is_that_of_the_code(bundles: dict[str, tuple[Path, BundleFacts]]) -> None:
    facts = replace(bundles["statcan-odhf-thin"][1], source_date_epoch=946_684_799)
    assert _json(facts, "metadata.json")["publicationYear"] == "1999"
    assert _json(facts, "datapackage.json")["created"] == "1999-12-31T23:59:59+00:00"
    graph = _json(facts, "ro-crate-metadata.json")["@graph"]
    assert graph[1]["@id"] == "./" and graph[1]["datePublished"] == "1999-12-31"
    assert b"Data for Canada (1999)" in describe(facts)["README.md"]


def test_every_reference_in_the_crate_leads_somewhere(
    bundles: dict[str, tuple[Path, BundleFacts]],
) -> None:
    for folder, facts in bundles.values():
        graph = _json(facts, "ro-crate-metadata.json")["@graph"]
        names = [entity["@id"] for entity in graph]
        assert len(set(names)) == len(names)
        assert [name for name in names if re.fullmatch(r"[!#-;=?-Z_a-z~%]+", name) is None] == []
        referred = {
            value["@id"]
            for entity in graph
            for property in entity.values()
            for value in (property if isinstance(property, list) else [property])
            if isinstance(value, dict)
        }
        outside = {name for name in referred if name.startswith("https://w3id.org/ro/")}
        assert referred - outside <= set(names)
        present = {entity["name"] for entity in graph if entity["@type"] == "File"}
        assert present == {path.name for path in folder.iterdir()} - {"ro-crate-metadata.json"}


def test_the_doi_is_left_to_whoever_registers_it(
    bundles: dict[str, tuple[Path, BundleFacts]],
) -> None:
    record = _json(bundles["statcan-odhf-thin"][1], "metadata.json")
    assert not {"doi", "prefix", "url", "event"} & record.keys()
    assert record["rightsList"][0]["rightsIdentifier"] == "OGL-Canada-2.0"
    assert [each["relationType"] for each in record["relatedIdentifiers"]] == ["IsDerivedFrom"]
    assert record["geoLocations"][0]["geoLocationBox"]["westBoundLongitude"] == -139.436
    assert [title["lang"] for title in record["titles"]] == ["en", "fr"]


def test_a_licence_that_nobody_knows_is_told_by_its_identifier(
    bundles: dict[str, tuple[Path, BundleFacts]],
) -> None:
    facts = bundles["rare"][1]
    rights = _json(facts, "metadata.json")["rightsList"]
    known = {each["rights"]: each.get("rightsIdentifier") for each in rights}
    assert known == {"CC-BY-4.0": "CC-BY-4.0", "LicenseRef-Of-Its-Own": None}
    page = describe(facts)["README.md"].decode()
    assert "<https://spdx.org/licenses/CC-BY-4.0.html>" in page
    assert "- Licence: LicenseRef-Of-Its-Own (`LicenseRef-Of-Its-Own`)\n" in page


def test_a_file_without_columns_is_told_apart(
    bundles: dict[str, tuple[Path, BundleFacts]],
) -> None:
    facts = bundles["rare"][1]
    assert b"it has no columns" in describe(facts)["README.md"]
    assert "n’a pas de colonnes" in describe(facts)["LISEZMOI.md"].decode()
    assert b"*attested*" in describe(facts)["README.md"]
    table, plain, _ = _json(facts, "datapackage.json")["resources"]
    assert "schema" in table and "schema" not in plain


def test_every_type_of_a_column_has_a_field_type() -> None:
    manifest = manifest_of("statcan-odhf")
    kinds = [*SIMPLE_TYPES, "decimal(4,2)", "list<int8>", "map<string,date>", "struct<a:time>", "?"]
    output = manifest.outputs[0]
    columns = [output.columns[0].model_copy(update={"name": k, "type": k}) for k in kinds]
    outputs = (output.model_copy(update={"columns": tuple(columns)}),)
    digests = FileDigests(output.size, output.blake3, output.sha256, output.md5)
    file = BundledFile(output.file, "data", digests)
    facts = replace(
        _facts("statcan-odhf"),
        manifest=manifest.model_copy(update={"outputs": outputs}),
        files=(file,),
    )
    resource = _json(facts, "datapackage.json")["resources"][0]
    types = {field["name"]: field["type"] for field in resource["schema"]["fields"]}
    assert [kind for kind, field in types.items() if field == "any"] == ["?"]
    assert types["uint8"] == "integer" and types["timestamp_utc"] == "datetime"
    assert types["list<int8>"] == "array" and types["geometry"] == "string"


def test_checks_of_columns_become_constraints() -> None:
    output = manifest_of("statcan-odhf").outputs[0]
    digests = FileDigests(output.size, output.blake3, output.sha256, output.md5)
    facts = replace(_facts("statcan-odhf"), files=(BundledFile(output.file, "data", digests),))
    fields = _json(facts, "datapackage.json")["resources"][0]["schema"]["fields"]
    by_name = {field["name"]: field.get("constraints", {}) for field in fields}
    assert by_name["facility_id"] == {
        "pattern": "S?[1-9][0-9]{0,3}",
        "required": True,
        "unique": True,
    }
    assert "QC" in by_name["province"]["enum"] and by_name["unit"] == {}


@pytest.mark.parametrize(
    ("size", "english", "french"),
    [
        (0, "0 bytes", "0 octets"),
        (999, "999 bytes", "999 octets"),
        (1000, "1.0 kB", "1,0 ko"),
        (408_321, "408.3 kB", "408,3 ko"),
        (999_949, "999.9 kB", "999,9 ko"),
        (999_950, "1.0 MB", "1,0 Mo"),
        (477_000_000, "477.0 MB", "477,0 Mo"),
        (10**16, "10,000.0 TB", "10 000,0 To"),
    ],
)
def test_sizes_are_written_for_people(size: int, english: str, french: str) -> None:
    output = manifest_of("statcan-odhf").outputs[0]
    digests = FileDigests(size, output.blake3, output.sha256, output.md5)
    facts = replace(_facts("statcan-odhf"), files=(BundledFile("a.tar", "image", digests),))
    for page, wanted in (("README.md", english), ("LISEZMOI.md", french)):
        shown = _shown(describe(facts)[page]).replace("\u00a0", " ")
        assert f"\n{wanted}\n" in shown


@given(st.lists(hostile_texts, min_size=3, max_size=8))
@settings(max_examples=15, deadline=None)
def test_foreign_text_does_not_change_the_structure_of_a_page(texts: list[str]) -> None:
    facts = _facts("statcan-odhf")
    plain = describe(_with(facts, hostile_manifest(facts.manifest, ["plain"])))
    hostile = describe(
        _with(facts, hostile_manifest(facts.manifest, [f"x{text}" for text in texts]))
    )
    for page in PAGES.values():
        assert _blocks(hostile[page]) == _blocks(plain[page])
        inline = [
            c for token in MARKDOWN.parse(hostile[page].decode()) for c in token.children or []
        ]
        assert not {child.type for child in inline} & {"html_inline", "image", "hardbreak"}


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
