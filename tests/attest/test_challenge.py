"""``challenge``: several places and what they got."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from d4cbuild.attest.challenge import challenge, read_voices
from d4cbuild.model.verdict import Verdict
from tests.attest.signed import (
    OTHER_RECIPE,
    REPOSITORY,
    ZEROS,
    World,
    changed_manifest,
    manifest_bytes,
    sealed,
)
from tests.project import Answer, Project
from tests.sources.server import Site, whole

WORLD = World()
ABOUT = sealed()
OTHER_BYTES = "sha256:" + "1" * 64


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project", tmp_path / "store", REPOSITORY / "environments")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def other_manifest() -> bytes:
    record = json.loads(manifest_bytes())
    record["outputs"][0]["sha256"] = OTHER_BYTES
    return json.dumps(record).encode()


def five_places(root: Path, site: Site, fifth: bytes) -> list[str]:
    """A file, two folders, and two addresses."""
    (root / "one.json").write_bytes(manifest_bytes())
    (root / "two").mkdir()
    (root / "two" / "manifest.json").write_bytes(manifest_bytes())
    (root / "two" / "package.json").write_text('{"name": "something else"}')
    (root / "three" / "attestations").mkdir(parents=True)
    (root / "three" / "attestations" / "x.json").write_bytes(WORLD.built("ada", ABOUT).as_bytes())
    four = site.serve("/four.json", whole(WORLD.rebuilt("bob", ABOUT).as_bytes()))
    five = site.serve("/five.json", whole(fifth))
    return ["one.json", "two", "three", four, five]


def ask(project: Project, *places: str) -> Answer:
    return project.run("challenge", *places, "--json")


def test_five_places_agree(project: Project, site: Site) -> None:
    answer = ask(project, *five_places(project.root, site, manifest_bytes()))
    assert answer.status == 0, answer.err
    (derivation,) = answer.json["derivations"]
    assert derivation["build_key"] == str(ABOUT.manifest.build_key)
    assert derivation["verdict"] == "agree"
    for output, expected in zip(derivation["outputs"], ABOUT.manifest.outputs, strict=True):
        (group,) = output["groups"]
        assert group["sha256"] == str(expected.sha256)
        assert len(group["places"]) == 5
        assert output["alone"] == output["silent"] == []


def test_of_five_places_the_one_that_disagrees_stands_alone(project: Project, site: Site) -> None:
    places = five_places(project.root, site, other_manifest())
    answer = ask(project, *places)
    assert answer.status == 4
    (derivation,) = answer.json["derivations"]
    assert derivation["verdict"] == "disagree"
    first = derivation["outputs"][0]
    assert [len(group["places"]) for group in first["groups"]] == [4, 1]
    assert first["groups"][1]["sha256"] == OTHER_BYTES
    assert first["alone"] == [places[4]]
    shown = project.run("challenge", *places)
    assert f"{places[4]} <- stands alone" in shown.out
    assert shown.out.count("stands alone") == 1


def test_a_rebuild_that_got_other_bytes_says_which(project: Project) -> None:
    (project.root / "one.json").write_bytes(manifest_bytes())
    envelope = WORLD.rebuilt("bob", ABOUT, Verdict.DIFFERENT, Verdict.IDENTICAL)
    (project.root / "two.json").write_bytes(envelope.as_bytes())
    answer = ask(project, "one.json", "two.json")
    assert answer.status == 4
    groups = answer.json["derivations"][0]["outputs"][0]["groups"]
    assert f"sha256:{ZEROS}" in [group["sha256"] for group in groups]


def test_two_who_differ_both_stand_alone() -> None:
    voices = [*read_voices(manifest_bytes(), "a"), *read_voices(other_manifest(), "b")]
    (answer,) = challenge(voices)
    assert set(answer.outputs[0].alone) == {"a", "b"}


def test_a_rebuild_that_made_nothing_is_silent() -> None:
    failed = WORLD.rebuilt("bob", ABOUT, Verdict.FAILED).as_bytes()
    voices = [*read_voices(manifest_bytes(), "a"), *read_voices(failed, "b")]
    (answer,) = challenge(voices)
    assert answer.verdict == "nothing to compare"
    assert answer.exit_code == 16
    assert all(output.silent == ("b",) for output in answer.outputs)


def test_other_derivations_are_not_compared(project: Project) -> None:
    (project.root / "one.json").write_bytes(manifest_bytes())
    (project.root / "two.json").write_bytes(manifest_bytes(OTHER_RECIPE))
    answer = ask(project, "one.json", "two.json")
    assert answer.status == 16
    assert len(answer.json["derivations"]) == 2
    assert "several derivations" in project.run("challenge", "one.json", "two.json").out


def test_a_place_that_cannot_be_asked_does_not_keep_the_others_from_it(
    project: Project, site: Site
) -> None:
    places = five_places(project.root, site, b"{}")
    answer = ask(project, *places, site.url("/missing.json"), "nowhere")
    assert answer.status == 16 | 64
    assert [fault["place"] for fault in answer.json["unheard"]] == [
        places[4],
        site.url("/missing.json"),
        "nowhere",
    ]
    (derivation,) = answer.json["derivations"]
    assert derivation["verdict"] == "agree"
    assert len(derivation["outputs"][0]["groups"][0]["places"]) == 4


def test_a_folder_that_says_nothing_is_bad_input(project: Project) -> None:
    (project.root / "empty").mkdir()
    assert ask(project, "empty").status == 64


def test_a_manifest_whose_key_is_not_its_derivations_is_not_heard(project: Project) -> None:
    record = json.loads(manifest_bytes())
    record["build_key"] = f"blake3:{ZEROS}"
    (project.root / "one.json").write_text(json.dumps(record))
    answer = ask(project, "one.json")
    assert answer.status == 2
    assert "not the digest of its derivation" in answer.err


def test_a_title_may_be_another_for_the_same_derivation() -> None:
    record = json.loads(manifest_bytes())
    record["dataset"]["title"] = {"en": "Other", "fr": "Autre"}
    voices = [
        *read_voices(manifest_bytes(), "a"),
        *read_voices(json.dumps(record).encode(), "b"),
    ]
    assert changed_manifest().manifest.build_key == ABOUT.manifest.build_key
    assert challenge(voices)[0].verdict == "agree"
