"""``key``, ``attest`` and ``verify --policy`` as people meet them, and what tampering does."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from d4cbuild.attest.envelope import read_envelope
from d4cbuild.attest.keys import write_key
from d4cbuild.attest.policy import judge
from d4cbuild.attest.statement import SealedManifest
from d4cbuild.build.attesting import judge_recipe, read_trust
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.errors import D4CError, InputError
from d4cbuild.model.verdict import Verdict
from tests.attest.signed import OTHER_RECIPE, RECIPE, REPOSITORY, World, manifest_bytes, two_of
from tests.project import Answer, Project

ROLES = ["builder", "rebuilder"]
DATA = b"PAR1 what was built PAR1"


@dataclass
class Audit:
    """A clone with one recipe's manifest, two builders' attestations, and a policy they satisfy.

    Attributes:
        project: The clone.
        world: The builders.
        about: The manifest.
        where: The folder of attestations.
    """

    project: Project
    world: World
    about: SealedManifest
    where: Path

    @property
    def manifest(self) -> Path:
        return self.project.root / "recipes" / RECIPE / "manifest.json"

    def ask(self, *more: str) -> Answer:
        return self.project.run(
            *("verify", f"recipes/{RECIPE}", "--policy", "trust.toml"),
            *("--attestations", "signed", "--json", *more),
        )

    def put(self, name: str, data: bytes) -> None:
        (self.where / name).write_bytes(data)


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    project = Project.create(tmp_path / "project", tmp_path / "store", REPOSITORY / "environments")
    for recipe in (RECIPE, OTHER_RECIPE):
        folder = project.root / "recipes" / recipe
        folder.mkdir()
        (folder / "manifest.json").write_bytes(manifest_bytes(recipe))
    world, where = World(), project.root / "signed"
    where.mkdir()
    about = SealedManifest.read(manifest_bytes(), "manifest")
    made = Audit(project, world, about, where)
    made.put("ada.json", world.built("ada", about).as_bytes())
    made.put("bob.json", world.rebuilt("bob", about).as_bytes())
    policy = world.trust_text({"ada": ROLES, "bob": ROLES}, two_of(2, 1))
    (project.root / "trust.toml").write_text(policy)
    return made


def test_a_policy_is_satisfied_by_files_alone(audit: Audit) -> None:
    answer = audit.ask()
    assert answer.status == 0, answer.err
    (result,) = answer.json["results"]
    assert result["policy"]["satisfied"] is True
    assert result["policy"]["builders"] == ["ada", "bob"]
    assert result["policy"]["cpu_vendors"] == ["AuthenticAMD"]
    assert set(result["artifacts"].values()) == {"absent"}
    assert not audit.project.store.exists()


def test_the_answer_is_shown_with_its_reasons(audit: Audit) -> None:
    audit.put("cyd.json", audit.world.rebuilt("bob", audit.about, Verdict.DIFFERENT).as_bytes())
    answer = audit.project.run(
        "verify", f"recipes/{RECIPE}", "--policy", "trust.toml", "--attestations", "signed"
    )
    assert answer.status == 32
    assert "disagrees: bob on AuthenticAMD: did not get the same bytes" in answer.out
    assert "policy: not satisfied" in answer.out
    assert "at most 0 builders may disagree, found 1: bob" in answer.out


@pytest.mark.parametrize("which", ["ada.json", "bob.json"])
def test_without_one_of_two_attestations_the_policy_is_not_satisfied(
    which: str, audit: Audit
) -> None:
    (audit.where / which).unlink()
    assert audit.ask().status == 32


def test_a_stripped_signature_exits_32(audit: Audit) -> None:
    for signatures in ([], None):
        record = json.loads((audit.where / "ada.json").read_bytes())
        record["signatures"] = signatures
        if signatures is None:
            del record["signatures"]
        audit.put("ada.json", json.dumps(record).encode())
        answer = audit.ask()
        assert answer.status == 32
        assert "nobody has signed it" in answer.out


def test_signatures_in_each_others_envelopes_exit_32(audit: Audit) -> None:
    ada, bob = (json.loads((audit.where / f"{name}.json").read_bytes()) for name in ("ada", "bob"))
    ada["signatures"], bob["signatures"] = bob["signatures"], ada["signatures"]
    audit.put("ada.json", json.dumps(ada).encode())
    audit.put("bob.json", json.dumps(bob).encode())
    answer = audit.ask()
    assert answer.status == 32
    assert answer.out.count('"refused"') == 2


def test_an_attestation_of_another_dataset_exits_32(audit: Audit) -> None:
    other = SealedManifest.read(manifest_bytes(OTHER_RECIPE), "other")
    audit.put("more.json", audit.world.built("ada", other).as_bytes())
    answer = audit.ask()
    assert answer.status == 32
    assert "about another dataset" in answer.out


def test_an_attestation_by_a_stranger_exits_32_unless_the_policy_lets_it_pass(
    audit: Audit,
) -> None:
    audit.put("more.json", audit.world.built("stranger", audit.about).as_bytes())
    assert audit.ask().status == 32
    policy = audit.project.root / "trust.toml"
    version, rest = policy.read_text().split("\n", 1)
    policy.write_text(f'{version}\nunknown_keys = "ignore"\n{rest}')
    answer = audit.ask()
    assert answer.status == 0, answer.out
    assert '"ignored"' in answer.out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ada.json", "bob.json"])
def test_any_changed_byte_of_an_envelope_is_found(name: str, audit: Audit) -> None:
    """Without the command line around it, for there are thousands of bytes."""
    trust = audit.world.trust({"ada": ROLES, "bob": ROLES}, two_of(1))
    data, unseen = (audit.where / name).read_bytes(), []
    assert judge(trust, audit.about, [(name, read_envelope(data, name))]).satisfied
    for at, byte in enumerate(data):
        changed = data[:at] + bytes([byte ^ (0x01, 0x20, 0x80)[at % 3]]) + data[at + 1 :]
        try:
            envelope = read_envelope(changed, name)
        except InputError:
            continue
        if judge(trust, audit.about, [(name, envelope)]).satisfied:
            unseen.append(at)
    assert unseen == []


def test_any_changed_byte_of_a_manifest_is_found(audit: Audit) -> None:
    trust = read_trust(audit.project.root / "trust.toml")
    folder = RecipeFolder(audit.manifest.parent)
    dist = audit.project.root / "dist"
    assert judge_recipe(folder, trust, audit.where, dist)[0].satisfied
    data, unseen = manifest_bytes(), []
    for at in [*range(0, len(data), max(1, len(data) // 400)), len(data) - 1]:
        audit.manifest.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        try:
            satisfied = judge_recipe(folder, trust, audit.where, dist)[0].satisfied
        except D4CError:
            continue
        if satisfied:
            unseen.append(at)
    assert unseen == []


def test_white_space_in_a_manifest_is_found_with_exit_32(audit: Audit) -> None:
    audit.manifest.write_bytes(manifest_bytes() + b"\n")
    answer = audit.ask()
    assert answer.status == 32
    assert "about another manifest" in answer.out


def test_a_changed_data_file_is_found(audit: Audit) -> None:
    dist = audit.project.root / "dist"
    dist.mkdir()
    (dist / audit.about.manifest.outputs[0].file).write_bytes(DATA)
    answer = audit.ask()
    assert answer.status == 2
    assert answer.json["results"][0]["policy"]["satisfied"] is True
    assert "other" in answer.json["results"][0]["artifacts"].values()


def test_a_damaged_file_among_the_attestations_is_bad_input(audit: Audit) -> None:
    audit.put("more.json", b"{")
    assert audit.ask().status == 64


def test_a_pipe_among_the_attestations_does_not_hold_us(audit: Audit) -> None:
    os.mkfifo(audit.where / "more.json")
    assert audit.ask().status == 64


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--policy", "missing.toml"), "cannot be read"),
        (("--policy", "trust.toml", "--attestations", "missing"), "no folder of attestations"),
        (("--attestations", "signed"), "belongs to"),
        (("--attest", "missing"), "key cannot be read"),
    ],
)
def test_what_cannot_be_used_is_bad_input(
    arguments: tuple[str, ...], said: str, audit: Audit
) -> None:
    answer = audit.project.run("verify", f"recipes/{RECIPE}", *arguments)
    assert answer.status == 64
    assert said in answer.err


# key and attest ---------------------------------------------------------------------------


def test_a_key_is_made_and_shown_without_its_private_half(audit: Audit) -> None:
    made = audit.project.run("key", "new", "my.key", "--builder", "me", "--json")
    assert made.status == 0, made.err
    secret = (audit.project.root / "my.key").read_text().splitlines()[2]
    for file in ("my.key", "my.key.pub"):
        shown = audit.project.run("key", "show", file, "--json")
        assert shown.json == {name: made.json[name] for name in ("builder", "key", "key_id")}
        assert secret not in shown.out
    text = audit.project.run("key", "show", "my.key.pub").out
    assert f'key = "{made.json["key"]}"' in text
    assert audit.project.run("key", "new", "my.key", "--builder", "me").status == 64


def test_what_key_show_prints_can_be_put_into_a_policy(audit: Audit) -> None:
    audit.project.run("key", "new", "my.key", "--builder", "me")
    table = audit.project.run("key", "show", "my.key").out.split("in trust.toml:\n")[1]
    policy = f'schema = "d4c.trust/1"\n{table}{two_of(1)}'
    (audit.project.root / "trust.toml").write_text(policy)
    signed = audit.project.run(
        "attest", f"recipes/{RECIPE}", "--key", "my.key", "--output", "mine", "--json"
    )
    assert signed.status == 0, signed.err
    answer = audit.ask("--attestations", "mine")
    assert answer.status == 0, answer.out


def test_attestations_of_all_recipes_lie_in_one_folder_and_are_told_apart(audit: Audit) -> None:
    shutil.rmtree(audit.project.recipe)
    write_key(audit.world.key("ada"), audit.project.root / "ada.key")
    for recipe in (RECIPE, OTHER_RECIPE):
        signed = audit.project.run("attest", f"recipes/{recipe}", "--key", "ada.key")
        assert signed.status == 0, signed.err
    policy = audit.world.trust_text({"ada": ROLES}, two_of(1))
    (audit.project.root / "trust.toml").write_text(policy)
    answer = audit.project.run(
        "verify", f"recipes/{RECIPE}", f"recipes/{OTHER_RECIPE}", "--policy", "trust.toml", "--json"
    )
    assert answer.status == 0, answer.out
    assert [len(result["policy"]["findings"]) for result in answer.json["results"]] == [1, 1]


def test_a_build_that_may_not_be_released_is_not_signed(audit: Audit) -> None:
    record = json.loads(manifest_bytes())
    record |= {"releasable": False, "not_releasable_because": "a test"}
    audit.manifest.write_text(json.dumps(record))
    write_key(audit.world.key("ada"), audit.project.root / "ada.key")
    answer = audit.project.run("attest", f"recipes/{RECIPE}", "--key", "ada.key")
    assert answer.status == 64
    assert "a test" in answer.err
    assert not (audit.project.root / "attestations").exists()


def test_a_manifest_is_not_signed_beside_other_data(audit: Audit) -> None:
    dist = audit.project.root / "dist"
    dist.mkdir()
    (dist / audit.about.manifest.outputs[0].file).write_bytes(DATA)
    write_key(audit.world.key("ada"), audit.project.root / "ada.key")
    answer = audit.project.run("attest", f"recipes/{RECIPE}", "--key", "ada.key")
    assert answer.status == 2
    assert not (audit.project.root / "attestations").exists()
