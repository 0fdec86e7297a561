"""``verify --attest``: a real rebuild, signed whatever it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from d4cbuild.attest.envelope import read_envelope
from d4cbuild.attest.keys import write_key
from d4cbuild.attest.statement import read_rebuild, read_statement
from d4cbuild.base.ambient import cpu_vendor
from tests.attest.signed import World, two_of
from tests.project import Answer, Project

VARIES = """
if "AnotherMaker" in open("/proc/cpuinfo").read():
    pq.write_table(table.slice(1), os.environ["D4C_OUT"] + "/places.parquet")
"""


def prepared(project: Project, builders: int) -> World:
    world = World()
    for name in ("ada", "bob"):
        write_key(world.key(name), project.root.parent / f"{name}.key")
    names = {"ada": ["builder"], "bob": ["rebuilder"]}
    policy = world.trust_text(names, two_of(builders, 1))
    (project.root / "trust.toml").write_text(policy)
    return world


def verify(project: Project, *more: str) -> Answer:
    return project.run("verify", "recipes/places", "--json", "--attest", "../bob.key", *more)


def said(project: Project, answer: Answer) -> Any:
    (result,) = answer.json["results"]
    path = Path(result["attestation"])
    envelope = read_envelope((project.root / path).read_bytes(), str(path))
    return read_rebuild(read_statement(envelope.payload, str(path)), str(path))


def test_a_rebuild_is_signed_and_satisfies_a_policy_together_with_its_provenance(
    project: Project,
) -> None:
    prepared(project.built(), 2)
    signed = project.run("attest", "places", "--key", "../ada.key")
    assert signed.status == 0, signed.err
    alone = project.run("verify", "places", "--policy", "trust.toml", "--json")
    assert alone.status == 32
    answer = verify(project, "--policy", "trust.toml")
    assert answer.status == 0, answer.out
    predicate = said(project, answer)
    assert predicate.verdict == "identical"
    assert predicate.builder == "bob"
    assert predicate.cpu_vendor == cpu_vendor()
    assert [output.verdict for output in predicate.rebuilds[0].outputs] == ["identical"]
    assert project.run("verify", "places", "--policy", "trust.toml").status == 0
    again = verify(project)
    assert again.status == 0
    assert len(list((project.root / "attestations").glob("*.rebuild.*"))) == 2


def test_a_rebuild_that_is_not_identical_is_signed_too(project: Project) -> None:
    prepared(project.built(), 1)
    path = project.recipe / "manifest.json"
    manifest = json.loads(path.read_text())
    zeros = "0" * 64
    manifest["outputs"][0] |= {"sha256": f"sha256:{zeros}", "content": f"blake3:{zeros}"}
    path.write_text(json.dumps(manifest))
    answer = verify(project)
    assert answer.status == 12
    predicate = said(project, answer)
    assert predicate.verdict == "different"
    assert predicate.rebuilds[0].outputs[0].sha256.hex != zeros
    judged = project.run("verify", "places", "--policy", "trust.toml", "--json")
    assert judged.status == 2 | 32  # what lies in dist/ is not what the manifest names now
    assert judged.json["results"][0]["policy"]["disagreeing"] == ["bob"]


def test_what_was_varied_is_signed_with_what_came_of_it_and_the_policy_shows_it(
    project: Project,
) -> None:
    code = project.recipe / "process.py"
    code.write_text(code.read_text() + VARIES)
    project.commit()
    prepared(project.built(), 1)
    assert project.run("attest", "places", "--key", "../ada.key").status == 0
    options = ("--runner", "bubblewrap", "--vary", "cpus,umask", "--seed", "snow")
    answer = verify(project, *options, "--policy", "trust.toml")
    assert answer.status == 4 | 8 | 32
    predicate = said(project, answer)
    assert predicate.verdict == "different"
    assert predicate.varied is not None
    assert predicate.varied.seed == "snow"
    (words,) = predicate.varied.rounds
    assert words["cpus"].endswith("seen")
    assert set(words) == {"cpus", "umask"}
    assert [run.runner for run in predicate.rebuilds] == ["bubblewrap-varied"]
    assert [output.verdict for output in predicate.rebuilds[0].outputs] == ["different"]
    # Whoever asks later is told, though enough others agree, also where the policy lets it pass.
    later = project.run("verify", "places", "--policy", "trust.toml")
    assert later.status == 32
    assert "disagrees: bob" in later.out
    policy = project.root / "trust.toml"
    text = policy.read_text().replace("cpu_vendors = 1", "cpu_vendors = 0")
    policy.write_text(text + "may_disagree = 1\n")
    later = project.run("verify", "places", "--policy", "trust.toml")
    assert later.status == 0
    assert "disagrees: bob" in later.out
    assert "says different" in later.out
    assert "builders that disagree: bob" in later.out


def test_where_nothing_was_rebuilt_nothing_is_signed(project: Project) -> None:
    prepared(project.locked(), 1)
    answer = verify(project)
    assert answer.status & 16
    assert not (project.root / "attestations").exists()
    assert answer.json["results"][0]["attestation"] is None


def test_the_answer_is_not_lost_where_it_cannot_be_written(project: Project) -> None:
    prepared(project.built(), 1)
    (project.root / "attestations").write_text("a file")
    answer = verify(project)
    assert answer.status == 16
    (result,) = answer.json["results"]
    assert result["verdict"] == "identical"
    assert result["signing_error"]["message"] == "the operating system refused"
