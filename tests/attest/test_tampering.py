"""What was changed by one byte, or is shown for something else, is found; and nobody is trusted.

Envelopes and manifests byte by byte are in ``test_verbs.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.attest.envelope import Envelope, read_envelope
from d4cbuild.attest.folder import attestation_path
from d4cbuild.attest.keys import write_key
from d4cbuild.attest.policy import judge
from d4cbuild.attest.statement import SealedManifest
from d4cbuild.base.digest import digests_of_file
from d4cbuild.build.attesting import compare_artifacts, read_trust
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.plan import plan_locked
from d4cbuild.build.verify import not_comparable
from d4cbuild.errors import D4CError, Exit
from d4cbuild.model.derivation import Derivation
from d4cbuild.model.parse import record_from_json
from tests.attest.signed import OTHER_RECIPE, RECIPE, World, manifest_bytes, sealed, two_of
from tests.attest.test_verbs import ROLES, Audit, audit
from tests.project import Answer, Project

__all__ = ["audit"]

FAULTS = Exit.HASH_MISMATCH | Exit.BAD_INPUT


def flipped(data: bytes, at: int) -> bytes:
    """The same with one bit of one byte changed: mostly letters into letters."""
    return data[:at] + bytes([data[at] ^ (0x01, 0x20, 0x80)[at % 3]]) + data[at + 1 :]


def each_flipped(data: bytes, step: int = 1) -> Iterator[tuple[int, bytes]]:
    for at in range(0, len(data), step):
        yield at, flipped(data, at)


def refused(answer: Answer, status: int) -> None:
    assert answer.status == status, answer.err
    assert "Traceback" not in answer.err


# Locks ------------------------------------------------------------------------------------


def test_any_changed_byte_of_a_lock_is_found(project: Project) -> None:
    folder = RecipeFolder(project.built().recipe)
    assert not_comparable(plan_locked(folder), folder.manifest()) is None
    path = folder.path / "recipe.lock"
    unseen = []
    for at, changed in each_flipped(path.read_bytes(), 2):
        path.write_bytes(changed)
        try:
            refusal = not_comparable(plan_locked(folder), folder.manifest())
        except D4CError as error:
            assert error.exit_code & FAULTS, error
            assert error.hint
        else:
            if refusal is None:
                unseen.append(at)
    assert unseen == []


SAID_OTHERWISE = {
    "sources[0].blake3": "source places.csv: blake3:",
    "sources[0].sha256": "source places.csv: sha256:",
    "environment.manifest": "the environment's image manifest: sha256:",
    "code.commit": "the code's commit: ",
    "code.tree": "the code's tree: ",
    "source_date_epoch": "source_date_epoch: ",
}


def test_what_a_lock_says_otherwise_is_named_and_nothing_is_called_identical(
    project: Project,
) -> None:
    folder = RecipeFolder(project.built().recipe)
    path = folder.path / "recipe.lock"
    good = path.read_text()
    for field, said in SAID_OTHERWISE.items():
        record = json.loads(good)
        *outer, last = field.replace("[0]", "").split(".")
        inner = record
        for name in outer:
            inner = inner[name][0] if name == "sources" else inner[name]
        value = inner[last]
        inner[last] = value + 1 if isinstance(value, int) else value[:-1] + "01"[value[-1] == "0"]
        path.write_text(json.dumps(record))
        refusal = not_comparable(plan_locked(folder), folder.manifest())
        assert refusal is not None, field
        assert said in str(refusal.rebuilds[0].outputs[0].reason)
    answer = project.run("verify", "places", "--json")
    refused(answer, Exit.UNKNOWN)
    assert answer.json["results"][0]["verdict"] == "unknown"


# Artifacts --------------------------------------------------------------------------------


def test_any_changed_byte_of_an_artifact_is_found(audit: Audit, tmp_path: Path) -> None:
    record = json.loads(manifest_bytes())
    data = b"PAR1" + bytes(range(256)) * 4 + b"PAR1"
    path = tmp_path / record["outputs"][0]["file"]
    path.write_bytes(data)
    digests = digests_of_file(path)
    facts = {"sha256": str(digests.sha256), "blake3": str(digests.blake3), "size": len(data)}
    record["outputs"][0] |= facts
    about = SealedManifest.read(json.dumps(record).encode(), "manifest")
    assert compare_artifacts(about, tmp_path)[path.name] == "same"
    for at, changed in each_flipped(data):
        path.write_bytes(changed)
        assert compare_artifacts(about, tmp_path)[path.name] == "other", at
    for changed in (data[:-1], data + b"\0", b""):
        path.write_bytes(changed)
        assert compare_artifacts(about, tmp_path)[path.name] == "other"


def test_a_real_artifact_with_a_changed_byte_is_not_signed_and_not_called_good(
    project: Project,
) -> None:
    project.built()
    world = World()
    write_key(world.key("ada"), project.root / "ada.key")
    policy = world.trust_text({"ada": ROLES}, two_of(1))
    (project.root / "trust.toml").write_text(policy)
    attest, ask = ("attest", "places", "--key", "ada.key"), ("verify", "places", "--policy")
    assert project.run(*attest).status == 0
    assert project.run(*ask, "trust.toml").status == 0
    (path,) = (project.root / "dist").glob("*.parquet")
    data = path.read_bytes()
    path.chmod(0o644)
    for at in (0, len(data) // 2, len(data) - 1):
        path.write_bytes(flipped(data, at))
        refused(project.run(*attest), Exit.HASH_MISMATCH)
        answer = project.run(*ask, "trust.toml")
        refused(answer, Exit.HASH_MISMATCH)
        assert "not the manifest's bytes" in answer.out


# Policies ---------------------------------------------------------------------------------


def test_no_changed_byte_of_a_policy_lets_in_who_was_not_meant(audit: Audit) -> None:
    """A policy is its reader's own; what must not be is that a slip of it trusts somebody else."""
    path = audit.project.root / "trust.toml"
    data = path.read_bytes()
    files = [(each.name, each.read_bytes()) for each in sorted(audit.where.iterdir())]
    envelopes = [(name, read_envelope(text, name)) for name, text in files]
    text = data.decode()
    starts = [text.index("[[keys]]"), text.index("[default]")]
    trusted_anyway = []
    for at, changed in each_flipped(data):
        path.write_bytes(changed)
        try:
            found = judge(read_trust(path), audit.about, envelopes)
        except D4CError as error:
            assert error.exit_code == Exit.BAD_INPUT
            assert error.hint
            continue
        assert set(found.builders) <= {"ada", "bob"}
        if found.satisfied and starts[0] <= at < starts[1]:
            trusted_anyway.append(chr(data[at]))
    assert trusted_anyway == []


# Replays ----------------------------------------------------------------------------------


def earlier(**dataset: Any) -> SealedManifest:
    """The manifest as it was for an older code, or for another version of the same."""
    record = json.loads(manifest_bytes())
    if not dataset:
        record["derivation"]["code"] = record["code"]["blake3"] = "blake3:" + "1" * 64
        text = json.dumps(record["derivation"]).encode()
        record["build_key"] = str(record_from_json(Derivation, text, "derivation").build_key)
    record["dataset"] |= dataset
    return SealedManifest.read(json.dumps(record).encode(), "earlier")


REPLAYED: dict[str, tuple[Callable[[], SealedManifest], str]] = {
    "an older build key": (earlier, "about another derivation"),
    "another version": (lambda: earlier(version="0.9.0"), "about another manifest"),
    "another recipe": (lambda: sealed(OTHER_RECIPE), "about another dataset"),
}


@pytest.mark.parametrize("kind", ["built", "rebuilt"])
@pytest.mark.parametrize(("about", "reason"), REPLAYED.values(), ids=REPLAYED)
def test_a_replayed_attestation_exits_32_and_one_in_its_own_name_does_not_count(
    about: Callable[[], SealedManifest], reason: str, kind: str, audit: Audit
) -> None:
    older = about()
    envelope: Envelope = getattr(audit.world, kind)("bob", older)
    record = {"built": "provenance", "rebuilt": "rebuild"}[kind]
    (audit.where / "bob.json").unlink()
    # Under the name it was written by, it is about something else, and nothing wrong with that.
    attestation_path(audit.where, older, record, envelope).write_bytes(envelope.as_bytes())
    answer = audit.ask()
    refused(answer, Exit.UNTRUSTED)
    assert len(answer.json["results"][0]["policy"]["findings"]) == 1
    # Under the name of one about this manifest, it is passed off for what it is not.
    attestation_path(audit.where, audit.about, record, envelope).write_bytes(envelope.as_bytes())
    answer = audit.ask()
    refused(answer, Exit.UNTRUSTED)
    assert reason in answer.out
    assert '"refused"' in answer.out


# As it is met on the command line ---------------------------------------------------------

CHANGES: dict[str, tuple[str, bytes, bytes, int]] = {
    "an envelope's signature": ("signed/ada.json", b'"sig":"', b'"sig":"', Exit.UNTRUSTED),
    "an envelope's form": ("signed/ada.json", b'"payload":', b'"paiload":', Exit.BAD_INPUT),
    "what a manifest says besides": (
        f"recipes/{RECIPE}/manifest.json", b"releasable\": true", b"releasable\": false",
        Exit.UNTRUSTED,
    ),
    "a manifest's build key": (
        f"recipes/{RECIPE}/manifest.json", b'"build_key": "blake3:', b'', Exit.HASH_MISMATCH,
    ),
    "a manifest's form": (
        f"recipes/{RECIPE}/manifest.json", b'"outputs"', b'"output5"', Exit.BAD_INPUT,
    ),
    "a policy's form": ("trust.toml", b"roles", b"rolls", Exit.BAD_INPUT),
    "a policy's key": ("trust.toml", b'key = "ed25519:', b"", Exit.UNTRUSTED),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "status"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_told_by_its_exit_code(
    file: str, old: bytes, new: bytes, status: int, audit: Audit
) -> None:
    path = audit.project.root / file
    data = path.read_bytes()
    at = data.index(old)
    if old == new or not new:  # the letter behind it
        at += len(old)
        changed = data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :]
    else:
        changed = data[:at] + new + data[at + len(old) :]
    path.write_bytes(changed)
    refused(audit.ask(), status)
